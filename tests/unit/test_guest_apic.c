/* The local APIC's model: priorities, trigger modes, destinations, INIT and SIPI, modes, timer,
 * posting. */
#include "guest_fakes.h"

#define X2(offset) (0x800u + (offset) / 16)
#define ENABLED	   0x1ffu
#define MASKED	   0x10000u

static struct vcpu *const v = &fake_vcpu[0];

static int setup(void **state)
{
	(void)state;
	fake_start(FAKE_VCPUS);
	for (unsigned i = 0; i < FAKE_VCPUS; i++) {
		guest_apic_write(&fake_vcpu[i], APIC_SVR, ENABLED);
		fake_wakes[i] = 0;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void enter_x2apic(struct vcpu *vcpu)
{
	assert_true(guest_apic_set_base(vcpu, guest_apic_base(vcpu) | APIC_BASE_EXTD));
}

static uint64_t x2_read(struct vcpu *vcpu, uint32_t offset)
{
	uint64_t value = 0xdeadbeef;

	assert_true(guest_apic_msr_read(vcpu, X2(offset), &value));
	return value;
}

static void x2_write(struct vcpu *vcpu, uint32_t offset, uint64_t value)
{
	assert_true(guest_apic_msr_write(vcpu, X2(offset), value));
}

/* Which vCPUs have `vector` pending; it is taken from them. */
static unsigned takers(unsigned vector)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		if (guest_apic_pending(&fake_vcpu[i]) == (int)vector) {
			guest_apic_accept(&fake_vcpu[i], vector);
			guest_apic_eoi(&fake_vcpu[i]);
			mask |= 1u << i;
		}
	return mask;
}

/* ---- reset ---- */

static void test_reset_values(void **state)
{
	(void)state;
	guest_apic_reset(v);
	assert_int_equal(guest_apic_base(v), 0xfee00900);
	assert_int_equal(guest_apic_base(&fake_vcpu[1]), 0xfee00800);
	assert_int_equal(guest_apic_read(&fake_vcpu[3], APIC_ID), 3u << 24);
	assert_int_equal(guest_apic_read(v, APIC_VERSION), 0x50014);
	assert_int_equal(guest_apic_read(v, APIC_SVR), 0xff);
	assert_int_equal(guest_apic_read(v, APIC_DFR), UINT32_MAX);
	assert_int_equal(guest_apic_read(v, APIC_LDR), 0);
	for (uint32_t lvt = APIC_LVT_TIMER; lvt <= APIC_LVT_ERROR; lvt += 16)
		assert_int_equal(guest_apic_read(v, lvt), MASKED);
	assert_int_equal(guest_apic_pending(v), -1);
}

/* ---- posting and priorities ---- */

static void test_post_once(void **state)
{
	(void)state;
	assert_int_equal(guest_apic_pending(v), -1);
	guest_apic_post(v, 0x41, false);
	guest_apic_post(v, 0x41, false);
	assert_int_equal(fake_wakes[0], 2);
	assert_int_equal(guest_apic_pending(v), 0x41);
	/* Still pending until it is accepted: an interrupt window may have to open first. */
	assert_int_equal(guest_apic_pending(v), 0x41);
	guest_apic_accept(v, 0x41);
	assert_int_equal(guest_apic_pending(v), -1);
	assert_int_equal(guest_apic_eoi(v), -1);
	assert_int_equal(guest_apic_pending(v), -1);
}

static void test_post_while_in_service(void **state)
{
	(void)state;
	guest_apic_post(v, 0x41, false);
	guest_apic_accept(v, (unsigned)guest_apic_pending(v));
	guest_apic_post(v, 0x41, false);
	assert_int_equal(guest_apic_pending(v), -1);
	guest_apic_eoi(v);
	assert_int_equal(guest_apic_pending(v), 0x41);
}

static void test_nested_priorities(void **state)
{
	static const unsigned order[] = { 0x35, 0x9f, 0xff };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		guest_apic_post(v, order[i], false);
		assert_int_equal(guest_apic_pending(v), (int)order[i]);
		guest_apic_accept(v, order[i]);
	}
	assert_int_equal(guest_apic_highest_isr(v), 0xff);
	/* The same class as the one in service waits. */
	guest_apic_post(v, 0x9a, false);
	guest_apic_eoi(v);
	assert_int_equal(guest_apic_highest_isr(v), 0x9f);
	assert_int_equal(guest_apic_pending(v), -1);
	guest_apic_eoi(v);
	assert_int_equal(guest_apic_highest_isr(v), 0x35);
	assert_int_equal(guest_apic_pending(v), 0x9a);
}

static void test_highest_first(void **state)
{
	(void)state;
	guest_apic_post(v, 0x20, false);
	guest_apic_post(v, 0xef, false);
	guest_apic_post(v, 0x80, false);
	assert_int_equal(guest_apic_pending(v), 0xef);
	guest_apic_accept(v, 0xef);
	guest_apic_eoi(v);
	assert_int_equal(guest_apic_pending(v), 0x80);
}

static void test_tpr(void **state)
{
	(void)state;
	guest_apic_write(v, APIC_TPR, 0x50);
	guest_apic_post(v, 0x5f, false);
	assert_int_equal(guest_apic_pending(v), -1);
	assert_int_equal(guest_apic_read(v, APIC_PPR), 0x50);
	guest_apic_post(v, 0x60, false);
	assert_int_equal(guest_apic_pending(v), 0x60);
	guest_apic_accept(v, 0x60);
	assert_int_equal(guest_apic_read(v, APIC_PPR), 0x60);
	guest_apic_eoi(v);
	guest_apic_write(v, APIC_TPR, 0x47);
	assert_int_equal(guest_apic_pending(v), 0x5f);
	assert_int_equal(guest_apic_read(v, APIC_PPR), 0x47);
	assert_int_equal(guest_apic_tpr(v), 0x47);
}

/* TPR as a back end hands it over that has kept CR8 itself. */
static void test_set_tpr(void **state)
{
	(void)state;
	guest_apic_post(v, 0x5f, false);
	assert_true(guest_apic_sync(v));
	assert_int_equal(guest_apic_highest_irr(v), 0x5f);
	assert_false(guest_apic_sync(v));
	guest_apic_set_tpr(v, 0x50);
	assert_true(guest_apic_sync(v)); /* to be loaded anew */
	assert_int_equal(guest_apic_tpr(v), 0x50);
	assert_int_equal(guest_apic_read(v, APIC_TPR), 0x50);
	assert_int_equal(guest_apic_pending(v), -1);
	assert_int_equal(guest_apic_read(v, APIC_PPR), 0x50);
	guest_apic_set_tpr(v, 0x40);
	assert_int_equal(guest_apic_pending(v), 0x5f);
	guest_apic_set_tpr(v, 0xf0);
	assert_int_equal(guest_apic_pending(v), -1);
	enter_x2apic(v);
	assert_int_equal(x2_read(v, APIC_TPR), 0xf0);
	guest_apic_set_tpr(v, 0);
	assert_int_equal(x2_read(v, APIC_TPR), 0);
	assert_int_equal(guest_apic_pending(v), 0x5f);
}

/* Two requests, whether in one word or in two; what is in service or only posted is none. */
static void test_several(void **state)
{
	static const unsigned pairs[][2] = {
		{ 0x40, 0x41 }, { 0x40, 0x5f }, { 0x3f, 0x40 }, { 16, 255 }, { 0xe0, 0x10 }
	};

	(void)state;
	assert_false(guest_apic_several(v));
	for (unsigned vector = 16; vector < 256; vector++) {
		guest_apic_post(v, vector, vector & 1);
		assert_int_equal(guest_apic_highest_irr(v), vector);
		assert_false(guest_apic_several(v));
		guest_apic_accept(v, vector);
		assert_false(guest_apic_several(v));
		guest_apic_eoi(v);
	}
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		unsigned low = pairs[i][0] < pairs[i][1] ? pairs[i][0] : pairs[i][1],
			 high = pairs[i][0] + pairs[i][1] - low;

		guest_apic_post(v, pairs[i][0], false);
		guest_apic_highest_irr(v);
		guest_apic_post(v, pairs[i][1], false);
		assert_false(guest_apic_several(v)); /* not taken yet */
		assert_int_equal(guest_apic_highest_irr(v), high);
		assert_true(guest_apic_several(v));
		guest_apic_accept(v, high);
		assert_false(guest_apic_several(v));
		guest_apic_accept(v, low);
		guest_apic_eoi(v);
		guest_apic_eoi(v);
	}
}

static void test_edge_vectors_in_all_words(void **state)
{
	(void)state;
	for (unsigned vector = 16; vector < 256; vector++) {
		guest_apic_post(v, vector, false);
		assert_int_equal(guest_apic_read(v, APIC_IRR + vector / 32 * 16), 1u << vector % 32);
		assert_int_equal(guest_apic_pending(v), (int)vector);
		guest_apic_accept(v, vector);
		assert_int_equal(guest_apic_read(v, APIC_IRR + vector / 32 * 16), 0);
		assert_int_equal(guest_apic_read(v, APIC_ISR + vector / 32 * 16), 1u << vector % 32);
		assert_int_equal(guest_apic_eoi(v), -1);
		assert_int_equal(guest_apic_read(v, APIC_ISR + vector / 32 * 16), 0);
	}
}

static void test_level_eoi_is_told(void **state)
{
	(void)state;
	guest_apic_post(v, 0x31, true);
	guest_apic_post(v, 0x61, false);
	assert_int_equal(guest_apic_pending(v), 0x61);
	assert_int_equal(guest_apic_tmr(v, 0), 1ull << 0x31);
	guest_apic_accept(v, 0x61);
	assert_int_equal(guest_apic_eoi(v), -1);
	guest_apic_accept(v, (unsigned)guest_apic_pending(v));
	assert_int_equal(guest_apic_write(v, APIC_EOI, 0), 0x31);
	assert_int_equal(guest_apic_write(v, APIC_TPR, 0), -1);
	/* The next one comes as an edge, and nobody is told. */
	guest_apic_post(v, 0x31, false);
	guest_apic_accept(v, (unsigned)guest_apic_pending(v));
	assert_int_equal(guest_apic_tmr(v, 0), 0);
	assert_int_equal(guest_apic_eoi(v), -1);
	assert_int_equal(guest_apic_eoi(v), -1);
}

static void test_level_eoi_by_msr(void **state)
{
	(void)state;
	enter_x2apic(v);
	guest_apic_post(v, 0x31, true);
	guest_apic_accept(v, (unsigned)guest_apic_pending(v));
	x2_write(v, APIC_EOI, 0);
	assert_int_equal(guest_apic_take_eoi(v), 0x31);
	assert_int_equal(guest_apic_take_eoi(v), -1);
}

static void test_eoi_order(void **state)
{
	(void)state;
	guest_apic_post(v, 0x42, true);
	guest_apic_accept(v, (unsigned)guest_apic_pending(v));
	guest_apic_post(v, 0xa3, true);
	guest_apic_accept(v, (unsigned)guest_apic_pending(v));
	assert_int_equal(guest_apic_eoi(v), 0xa3);
	assert_int_equal(guest_apic_eoi(v), 0x42);
	assert_int_equal(guest_apic_hardware_eoi(v, 0xa3), 0xa3);
	assert_int_equal(guest_apic_hardware_eoi(v, 0xa4), -1);
}

/* What virtual-interrupt delivery relies on: sync stays true until RVI has been asked for. */
static void test_sync_for_hardware(void **state)
{
	(void)state;
	guest_apic_highest_irr(v);
	assert_false(guest_apic_sync(v));
	guest_apic_write(v, APIC_TPR, 0xf0);
	guest_apic_highest_irr(v);
	guest_apic_post(v, 0x51, false);
	assert_true(guest_apic_sync(v));
	assert_int_equal(guest_apic_pending(v), -1);
	assert_true(guest_apic_sync(v));
	assert_int_equal(guest_apic_highest_irr(v), 0x51);
	assert_false(guest_apic_sync(v));
}

/* ---- IPIs ---- */

static void send(uint32_t high, uint32_t low)
{
	guest_apic_write(v, APIC_ICR_HIGH, high << 24);
	guest_apic_write(v, APIC_ICR, low);
}

static void test_ipi_physical(void **state)
{
	(void)state;
	send(2, 0x55);
	assert_int_equal(takers(0x55), 1u << 2);
	send(0, 0x55);
	assert_int_equal(takers(0x55), 1u << 0);
	send(77, 0x55);
	assert_int_equal(takers(0x55), 0);
	send(0xff, 0x55);
	assert_int_equal(takers(0x55), 0x3f);
	assert_int_equal(guest_apic_read(v, APIC_ICR), 0x55);
}

static void test_ipi_shorthands(void **state)
{
	(void)state;
	send(3, 1u << 18 | 0x55);
	assert_int_equal(takers(0x55), 1);
	send(3, 2u << 18 | 0x55);
	assert_int_equal(takers(0x55), 0x3f);
	send(3, 3u << 18 | 0x55);
	assert_int_equal(takers(0x55), 0x3e);
}

static void test_ipi_disabled_target(void **state)
{
	(void)state;
	guest_apic_write(&fake_vcpu[2], APIC_SVR, 0xff);
	send(0xff, 0x55);
	assert_int_equal(takers(0x55), 0x3b);
	assert_true(guest_apic_set_base(&fake_vcpu[3], 0xfee00000));
	send(0xff, 0x55);
	assert_int_equal(takers(0x55), 0x33);
}

static void test_ipi_logical_flat(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		guest_apic_write(&fake_vcpu[i], APIC_LDR, 1u << (24 + i));
	send(0x15, 0x800 | 0x66);
	assert_int_equal(takers(0x66), 0x15);
	send(0x40, 0x800 | 0x66);
	assert_int_equal(takers(0x66), 0);
	/* Lowest priority: one of them. */
	send(0x3c, 0x800 | 0x100 | 0x66);
	assert_int_equal(takers(0x66), 1u << 2);
	guest_apic_write(&fake_vcpu[2], APIC_SVR, 0xff);
	send(0x3c, 0x800 | 0x100 | 0x66);
	assert_int_equal(takers(0x66), 1u << 3);
}

static void test_ipi_logical_cluster(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAKE_VCPUS; i++) {
		guest_apic_write(&fake_vcpu[i], APIC_DFR, 0x0fffffff);
		guest_apic_write(&fake_vcpu[i], APIC_LDR, (i / 4) << 28 | 1u << (24 + i % 4));
	}
	send(0x0a, 0x800 | 0x66);
	assert_int_equal(takers(0x66), 0x0a);
	send(0x13, 0x800 | 0x66);
	assert_int_equal(takers(0x66), 0x30);
	send(0x23, 0x800 | 0x66);
	assert_int_equal(takers(0x66), 0);
	send(0xff, 0x800 | 0x66);
	assert_int_equal(takers(0x66), 0x3f);
}

static void test_ipi_x2apic(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		enter_x2apic(&fake_vcpu[i]);
	assert_int_equal(x2_read(&fake_vcpu[5], APIC_LDR), 1u << 5);
	assert_int_equal(x2_read(&fake_vcpu[5], APIC_ID), 5);
	x2_write(v, APIC_ICR, 4ull << 32 | 0x55);
	assert_int_equal(takers(0x55), 1u << 4);
	assert_int_equal(x2_read(v, APIC_ICR), 4ull << 32 | 0x55);
	x2_write(v, APIC_ICR, 0x2bull << 32 | 0x800 | 0x55);
	assert_int_equal(takers(0x55), 0x2b);
	x2_write(v, APIC_ICR, 0x1002bull << 32 | 0x800 | 0x55);
	assert_int_equal(takers(0x55), 0);
	x2_write(v, APIC_ICR, 0xffffffffull << 32 | 0x55);
	assert_int_equal(takers(0x55), 0x3f);
	x2_write(v, APIC_ICR, 0xffull << 32 | 0x55); /* no broadcast here */
	assert_int_equal(takers(0x55), 0);
	x2_write(v, APIC_SELF_IPI, 0x77);
	assert_int_equal(takers(0x77), 1);
}

static void test_init_sipi(void **state)
{
	struct vcpu *ap = &fake_vcpu[1];

	(void)state;
	send(1, 0xc500); /* INIT, level, assert */
	assert_int_equal(atomic_exchange(&ap->requests, 0), VCPU_REQUEST_INIT);
	send(1, 0x8500); /* de-assert */
	assert_int_equal(atomic_load(&ap->requests), 0);
	send(1, 0x0608);
	assert_int_equal(atomic_exchange(&ap->requests, 0), VCPU_REQUEST_SIPI);
	assert_int_equal(ap->sipi_vector, 8);
	/* An APIC that is disabled by software hears both. */
	guest_apic_write(ap, APIC_SVR, 0xff);
	send(0, 3u << 18 | 0x500);
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		assert_int_equal(atomic_load(&fake_vcpu[i].requests), i ? VCPU_REQUEST_INIT : 0);
	/* Shorthand self knows fixed only. */
	send(0, 1u << 18 | 0x500);
	assert_int_equal(atomic_load(&v->requests), 0);
}

/* One whose CPU has not started it yet: never before, or left disabled by its former life. */
static void test_init_sipi_before_start(void **state)
{
	struct vcpu *ap = &fake_vcpu[1];

	(void)state;
	for (unsigned life = 0; life < 2; life++) {
		atomic_store(&ap->arch.apic.base, life ? APIC_BASE_ADDRESS : 0);
		guest_apic_power(ap);
		send(1, 0xc500);
		send(1, 0x0608);
		assert_int_equal(atomic_exchange(&ap->requests, 0), VCPU_REQUEST_INIT | VCPU_REQUEST_SIPI);
		guest_apic_reset(ap);
		assert_int_equal(guest_apic_base(ap), APIC_BASE_ADDRESS | APIC_BASE_EN);
	}
}

static void test_init_keeps_mode(void **state)
{
	struct vcpu *ap = &fake_vcpu[1];

	(void)state;
	enter_x2apic(ap);
	guest_apic_post(ap, 0x44, false);
	x2_write(ap, APIC_TPR, 0x20);
	x2_write(ap, APIC_LVT_TIMER, 0x40030);
	guest_apic_set_deadline(ap, UINT64_MAX);
	guest_apic_init(ap);
	assert_true(guest_apic_is_x2apic(&ap->arch.apic));
	assert_int_equal(x2_read(ap, APIC_ID), 1);
	assert_int_equal(x2_read(ap, APIC_LDR), 2);
	assert_int_equal(x2_read(ap, APIC_TPR), 0);
	assert_int_equal(x2_read(ap, APIC_SVR), 0xff);
	assert_int_equal(guest_apic_pending(ap), -1);
	assert_true(fake_timer[1] == TIMER_NEVER);
	assert_int_equal(guest_apic_deadline(ap), 0);
}

/* ---- MSI ---- */

static void test_msi(void **state)
{
	struct partition *p = &fake_partition;

	(void)state;
	assert_int_equal(guest_apic_msi(p, 0xfee03000, 0x4025), 0);
	assert_int_equal(takers(0x25), 1u << 3);
	assert_int_equal(guest_apic_msi(p, 0xfeeff000, 0x4025), 0);
	assert_int_equal(takers(0x25), 0x3f);
	/* Nobody there: lost, as on a PC. */
	assert_int_equal(guest_apic_msi(p, 0xfee99000, 0x4025), 0);
	assert_int_equal(takers(0x25), 0);
	/* No MSI's address; SMI, ExtINT, SIPI; an illegal vector. */
	assert_int_equal(guest_apic_msi(p, 0xfed00000, 0x25), -BH_EINVAL);
	assert_int_equal(guest_apic_msi(p, 0x1fee00000, 0x25), -BH_EINVAL);
	assert_int_equal(guest_apic_msi(p, 0xfee00000, 0x225), -BH_EINVAL);
	assert_int_equal(guest_apic_msi(p, 0xfee00000, 0x725), -BH_EINVAL);
	assert_int_equal(guest_apic_msi(p, 0xfee00000, 0x625), -BH_EINVAL);
	assert_int_equal(guest_apic_msi(p, 0xfee00000, 0xf), -BH_EINVAL);
}

static void test_msi_level(void **state)
{
	(void)state;
	assert_int_equal(guest_apic_msi(&fake_partition, 0xfee01000, BH_MSI_LEVEL | 0x93), 0);
	assert_int_equal(guest_apic_pending(&fake_vcpu[1]), 0x93);
	assert_int_equal(guest_apic_tmr(&fake_vcpu[1], 2), 1ull << (0x93 - 128));
	guest_apic_accept(&fake_vcpu[1], 0x93);
	assert_int_equal(guest_apic_eoi(&fake_vcpu[1]), 0x93);
}

static void test_msi_logical(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		guest_apic_write(&fake_vcpu[i], APIC_LDR, 1u << (24 + i));
	assert_int_equal(guest_apic_msi(&fake_partition, 0xfee06004, 0x25), 0);
	assert_int_equal(takers(0x25), 0x06);
	/* With the redirection hint, or lowest priority, one of them. */
	assert_int_equal(guest_apic_msi(&fake_partition, 0xfee0600c, 0x25), 0);
	assert_int_equal(takers(0x25), 0x02);
	assert_int_equal(guest_apic_msi(&fake_partition, 0xfee06004, 0x125), 0);
	assert_int_equal(takers(0x25), 0x02);
	/* In x2APIC mode an MSI reaches the first cluster's first 8. */
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		enter_x2apic(&fake_vcpu[i]);
	assert_int_equal(guest_apic_msi(&fake_partition, 0xfee30004, 0x25), 0);
	assert_int_equal(takers(0x25), 0x30);
}

/* ---- registers ---- */

static void test_x2apic_reserved_bits(void **state)
{
	static const struct {
		uint32_t offset;
		uint64_t good, bad;
	} cases[] = {
		{ APIC_TPR, 0xff, 0x100 },
		{ APIC_EOI, 0, 1 },
		{ APIC_SVR, 0x3ff, 0x1000 },
		{ APIC_ESR, 0, 1 },
		{ APIC_ICR, 0x840fd, 0x1000 },
		{ APIC_ICR, 0x840fd, 0x100000 },
		{ APIC_LVT_TIMER, 0x100ff, 0x100 },
		{ APIC_LVT_THERMAL, 0x107ff, 0x2000 },
		{ APIC_LVT_PERF, 0x107ff, 0x20000 },
		{ APIC_LVT_LINT0, 0x1a7ff, 0x800 },
		{ APIC_LVT_LINT1, 0x1a7ff, 0x800 },
		{ APIC_LVT_ERROR, 0x100ff, 0x700 },
		{ APIC_DIVIDE, 0xb, 4 },
		{ APIC_INITIAL, 0xffffffff, 1ull << 32 },
		{ APIC_SELF_IPI, 0xff, 0x100 },
	};

	(void)state;
	enter_x2apic(v);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t msr = X2(cases[i].offset);

		assert_true(guest_apic_msr_write(v, msr, cases[i].good));
		assert_false(guest_apic_msr_write(v, msr, cases[i].bad));
		if (cases[i].offset != APIC_ICR)
			assert_false(guest_apic_msr_write(v, msr, cases[i].good | 1ull << 32));
	}
	assert_int_equal(x2_read(v, APIC_LVT_LINT0), 0x1a7ff);
}

static void test_x2apic_access_rights(void **state)
{
	static const uint32_t read_only[] = { APIC_ID,	APIC_VERSION, APIC_PPR, APIC_LDR,
					      APIC_ISR, APIC_TMR,     APIC_IRR, APIC_CURRENT };
	static const uint32_t none[] = {
		0, 0x10, 0x90, 0xc0, APIC_DFR, 0x290, 0x2f0, APIC_ICR_HIGH, 0x3a0, 0x400, 0xff0
	};
	uint64_t value;

	(void)state;
	/* Not in xAPIC mode. */
	assert_false(guest_apic_msr_read(v, X2(APIC_ID), &value));
	assert_false(guest_apic_msr_write(v, X2(APIC_TPR), 0));
	enter_x2apic(v);
	for (unsigned i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
		assert_true(guest_apic_msr_read(v, X2(read_only[i]), &value));
		assert_false(guest_apic_msr_write(v, X2(read_only[i]), 0));
	}
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_false(guest_apic_msr_read(v, X2(none[i]), &value));
		assert_false(guest_apic_msr_write(v, X2(none[i]), 0));
	}
	assert_false(guest_apic_msr_read(v, X2(APIC_EOI), &value));
	assert_false(guest_apic_msr_read(v, X2(APIC_SELF_IPI), &value));
}

static void test_errors(void **state)
{
	(void)state;
	guest_apic_write(v, APIC_LVT_ERROR, 0xe1);
	assert_int_equal(guest_apic_read(v, 0x3a0), 0);
	assert_int_equal(takers(0xe1), 1);
	/* The same error again raises nothing until ESR is written. */
	guest_apic_write(v, 0x400, 1);
	assert_int_equal(takers(0xe1), 0);
	send(1, 0x0f);
	assert_int_equal(takers(0xe1), 1);
	assert_int_equal(takers(0x0f), 0);
	assert_int_equal(guest_apic_read(v, APIC_ESR), 0);
	guest_apic_write(v, APIC_ESR, 0);
	assert_int_equal(guest_apic_read(v, APIC_ESR), 0xa0);
	guest_apic_write(v, APIC_ESR, 0);
	assert_int_equal(guest_apic_read(v, APIC_ESR), 0);
	/* An illegal vector in the error LVT itself ends there. */
	guest_apic_write(v, APIC_LVT_ERROR, 3);
	guest_apic_read(v, 0xffc);
	guest_apic_write(v, APIC_ESR, 0);
	assert_int_equal(guest_apic_read(v, APIC_ESR), 0xc0);
	assert_int_equal(guest_apic_pending(v), -1);
}

static void test_software_disable_masks(void **state)
{
	(void)state;
	guest_apic_write(v, APIC_LVT_LINT0, 0x700);
	assert_int_equal(guest_apic_read(v, APIC_LVT_LINT0), 0x700);
	guest_apic_write(v, APIC_SVR, 0xff);
	assert_int_equal(guest_apic_read(v, APIC_LVT_LINT0), MASKED | 0x700);
	guest_apic_write(v, APIC_LVT_LINT0, 0x400);
	assert_int_equal(guest_apic_read(v, APIC_LVT_LINT0), MASKED | 0x400);
	guest_apic_write(v, APIC_SVR, ENABLED);
	guest_apic_write(v, APIC_LVT_LINT0, 0x400);
	assert_int_equal(guest_apic_read(v, APIC_LVT_LINT0), 0x400);
}

static void test_xapic_ignores(void **state)
{
	(void)state;
	guest_apic_write(v, APIC_ID, 0x7000000);
	assert_int_equal(guest_apic_read(v, APIC_ID), 0);
	guest_apic_write(v, APIC_VERSION, 0);
	assert_int_equal(guest_apic_read(v, APIC_VERSION), 0x50014);
	guest_apic_write(v, APIC_LVT_LINT0, 0xfffeffff);
	assert_int_equal(guest_apic_read(v, APIC_LVT_LINT0), 0xa7ff);
	guest_apic_write(v, APIC_ESR, 0);
	assert_int_equal(guest_apic_read(v, APIC_ESR), 0);
}

static void test_modes(void **state)
{
	(void)state;
	guest_apic_write(v, APIC_TPR, 0x30);
	assert_false(guest_apic_set_base(v, 0xfee00500)); /* EXTD without EN */
	assert_false(guest_apic_set_base(v, 0xfed00900)); /* moved */
	assert_false(guest_apic_set_base(v, 0x1fee00900));
	assert_false(guest_apic_set_base(v, 0xfee00901)); /* reserved */
	assert_true(guest_apic_set_base(v, 0xfee00900));  /* the same */
	fake_mode_changes = 0;
	enter_x2apic(v);
	assert_int_equal(fake_mode_changes, 1);
	assert_int_equal(guest_apic_base(v), 0xfee00d00);
	assert_int_equal(x2_read(v, APIC_TPR), 0x30);
	guest_apic_write(v, APIC_TPR, 0x40); /* no MMIO in this mode */
	assert_int_equal(x2_read(v, APIC_TPR), 0x30);
	assert_int_equal(guest_apic_read(v, APIC_TPR), UINT32_MAX);
	assert_false(guest_apic_set_base(v, 0xfee00900)); /* back */
	assert_int_equal(guest_apic_base(v), 0xfee00d00);
	assert_true(guest_apic_set_base(v, 0xfee00100)); /* off */
	guest_apic_post(v, 0x66, false);
	assert_int_equal(guest_apic_pending(v), -1);
	assert_false(guest_apic_set_base(v, 0xfee00d00)); /* off to x2APIC */
	assert_true(guest_apic_set_base(v, 0xfee00900));
	assert_int_equal(guest_apic_read(v, APIC_TPR), 0);
	assert_int_equal(guest_apic_read(v, APIC_SVR), 0xff);
	/* The BSP flag cannot be moved. */
	assert_true(guest_apic_set_base(&fake_vcpu[1], 0xfee00900));
	assert_int_equal(guest_apic_base(&fake_vcpu[1]), 0xfee00800);
}

/* ---- timer ---- */

static void test_timer_one_shot(void **state)
{
	(void)state;
	guest_apic_write(v, APIC_LVT_TIMER, 0x31);
	guest_apic_write(v, APIC_DIVIDE, 0x3); /* by 16 */
	guest_apic_write(v, APIC_INITIAL, 1000);
	assert_int_equal(fake_timer[0], fake_tsc + 16000);
	assert_int_equal(guest_apic_read(v, APIC_CURRENT), 1000);
	fake_tsc += 4000;
	assert_int_equal(guest_apic_read(v, APIC_CURRENT), 750);
	/* Called before its time: nothing but armed again. */
	fake_timer[0] = 0;
	guest_apic_timer_expired(v);
	assert_int_equal(fake_timer[0], fake_tsc + 12000);
	fake_tsc += 12000;
	guest_apic_timer_expired(v);
	assert_int_equal(takers(0x31), 1);
	assert_int_equal(guest_apic_read(v, APIC_CURRENT), 0);
	assert_int_equal(guest_apic_read(v, APIC_INITIAL), 1000);
	assert_true(fake_timer[0] == TIMER_NEVER);
	guest_apic_timer_expired(v);
	assert_int_equal(takers(0x31), 0);
}

static void test_timer_dividers(void **state)
{
	static const struct {
		uint32_t code, divide;
	} cases[] = { { 0, 2 }, { 1, 4 }, { 2, 8 }, { 3, 16 }, { 8, 32 }, { 9, 64 }, { 10, 128 }, { 11, 1 } };

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		guest_apic_write(v, APIC_DIVIDE, cases[i].code);
		guest_apic_write(v, APIC_INITIAL, 1000000);
		assert_int_equal(fake_timer[0] - fake_tsc, 1000000 * cases[i].divide);
	}
	/* Changed on the way, what is left counts on. */
	guest_apic_write(v, APIC_DIVIDE, 0);
	assert_int_equal(fake_timer[0] - fake_tsc, 2000000);
	/* Beyond 2^32 Hz the crystal is half of the TSC, as leaf 15h says. */
	clock_hz = 5000000000;
	guest_apic_write(v, APIC_DIVIDE, 11);
	guest_apic_write(v, APIC_INITIAL, 1000);
	assert_int_equal(fake_timer[0] - fake_tsc, 2000);
	clock_hz = 1000000000;
}

static void test_timer_periodic(void **state)
{
	uint64_t start = fake_tsc;

	(void)state;
	guest_apic_write(v, APIC_LVT_TIMER, 0x20031);
	guest_apic_write(v, APIC_DIVIDE, 0xb);
	guest_apic_write(v, APIC_INITIAL, 1000000);
	fake_tsc = start + 1000100;
	guest_apic_timer_expired(v);
	assert_int_equal(takers(0x31), 1);
	assert_int_equal(fake_timer[0], start + 2000000);
	assert_int_equal(guest_apic_read(v, APIC_CURRENT), 999900);
	/* Long asleep: fires once, and keeps its phase. */
	fake_tsc = start + 7500000;
	guest_apic_timer_expired(v);
	assert_int_equal(takers(0x31), 1);
	assert_int_equal(fake_timer[0], start + 8000000);
	guest_apic_write(v, APIC_INITIAL, 0);
	assert_true(fake_timer[0] == TIMER_NEVER);
}

static void test_timer_periodic_storm(void **state)
{
	(void)state;
	guest_apic_write(v, APIC_LVT_TIMER, 0x20031);
	guest_apic_write(v, APIC_DIVIDE, 0xb);
	guest_apic_write(v, APIC_INITIAL, 1);
	fake_tsc = fake_timer[0];
	guest_apic_timer_expired(v);
	assert_true(fake_timer[0] - fake_tsc >= clock_hz / 20000);
}

static void test_timer_masked(void **state)
{
	(void)state;
	guest_apic_write(v, APIC_LVT_TIMER, MASKED | 0x31);
	guest_apic_write(v, APIC_INITIAL, 10);
	fake_tsc = fake_timer[0];
	guest_apic_timer_expired(v);
	assert_int_equal(takers(0x31), 0);
}

static void test_timer_deadline(void **state)
{
	(void)state;
	v->arch.tsc_offset = (uint64_t)-400000;
	guest_apic_write(v, APIC_LVT_TIMER, 0x31);
	guest_apic_set_deadline(v, 700000); /* not in this mode */
	assert_int_equal(guest_apic_deadline(v), 0);
	guest_apic_write(v, APIC_LVT_TIMER, 0x40031);
	guest_apic_write(v, APIC_INITIAL, 5000); /* nor this in that one */
	assert_int_equal(guest_apic_read(v, APIC_INITIAL), 0);
	guest_apic_set_deadline(v, 700000);
	assert_int_equal(fake_timer[0], 1100000);
	assert_int_equal(guest_apic_deadline(v), 700000);
	/* The guest's TSC jumps: the deadline is the guest's. */
	v->arch.tsc_offset -= 1000;
	guest_apic_tsc_changed(v);
	assert_int_equal(fake_timer[0], 1101000);
	fake_tsc = 1101000;
	guest_apic_timer_expired(v);
	assert_int_equal(guest_apic_deadline(v), 0);
	assert_int_equal(takers(0x31), 1);
	/* In the past: at once. */
	guest_apic_set_deadline(v, 1);
	assert_int_equal(guest_apic_deadline(v), 0);
	assert_int_equal(takers(0x31), 1);
	/* As far as it goes, without wrapping. */
	guest_apic_set_deadline(v, UINT64_MAX);
	assert_true(fake_timer[0] > 1ull << 63);
	assert_int_equal(takers(0x31), 0);
	guest_apic_set_deadline(v, 0);
	assert_true(fake_timer[0] == TIMER_NEVER);
}

static void test_timer_mode_change_disarms(void **state)
{
	(void)state;
	guest_apic_write(v, APIC_LVT_TIMER, 0x40031);
	guest_apic_set_deadline(v, fake_tsc + 1000);
	guest_apic_write(v, APIC_LVT_TIMER, 0x31);
	assert_true(fake_timer[0] == TIMER_NEVER);
	guest_apic_write(v, APIC_INITIAL, 1000);
	guest_apic_write(v, APIC_LVT_TIMER, 0x20031); /* one-shot to periodic goes on */
	assert_int_equal(fake_timer[0], fake_tsc + 2000);
	guest_apic_write(v, APIC_LVT_TIMER, 0x40031);
	assert_true(fake_timer[0] == TIMER_NEVER);
	fake_tsc += 10000;
	guest_apic_timer_expired(v);
	assert_int_equal(takers(0x31), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_reset_values),
		TEST(test_post_once),
		TEST(test_post_while_in_service),
		TEST(test_nested_priorities),
		TEST(test_highest_first),
		TEST(test_tpr),
		TEST(test_set_tpr),
		TEST(test_several),
		TEST(test_edge_vectors_in_all_words),
		TEST(test_level_eoi_is_told),
		TEST(test_level_eoi_by_msr),
		TEST(test_eoi_order),
		TEST(test_sync_for_hardware),
		TEST(test_ipi_physical),
		TEST(test_ipi_shorthands),
		TEST(test_ipi_disabled_target),
		TEST(test_ipi_logical_flat),
		TEST(test_ipi_logical_cluster),
		TEST(test_ipi_x2apic),
		TEST(test_init_sipi),
		TEST(test_init_sipi_before_start),
		TEST(test_init_keeps_mode),
		TEST(test_msi),
		TEST(test_msi_level),
		TEST(test_msi_logical),
		TEST(test_x2apic_reserved_bits),
		TEST(test_x2apic_access_rights),
		TEST(test_errors),
		TEST(test_software_disable_masks),
		TEST(test_xapic_ignores),
		TEST(test_modes),
		TEST(test_timer_one_shot),
		TEST(test_timer_dividers),
		TEST(test_timer_periodic),
		TEST(test_timer_periodic_storm),
		TEST(test_timer_masked),
		TEST(test_timer_deadline),
		TEST(test_timer_mode_change_disarms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
