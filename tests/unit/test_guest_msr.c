/* MSRs of guests and natives: who may read and write which, and what is refused. */
#include "guest_cpuid.h"
#include "guest_fakes.h"

static struct vcpu *const v = &fake_vcpu[0];

/* The extended state, as far as MSRs and CPUID ask for it. */
uint64_t xstate_xcr0_supported(void) { return 3; }

uint64_t xstate_xcr0(struct vcpu *vcpu) { return vcpu->arch.xstate->xcr0; }

static int setup(void **state)
{
	(void)state;
	fake_cpuid_clear();
	fake_cpuid_set(0, 0, 0xd, 0x756e6547, 0, 0);
	fake_cpuid_set(1, 0, 0, 0, UINT32_MAX, UINT32_MAX);
	fake_cpuid_set(0xd, 1, 0xf, 0, 0, 0);
	fake_cpuid_set(0x80000000, 0, 0x80000001, 0, 0, 0);
	fake_cpuid_set(0x80000001, 0, 0, 0, UINT32_MAX, UINT32_MAX);
	guest_cpuid_init(0);
	fake_start(2);
	guest_msr_reset(v);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static uint64_t get(uint32_t msr)
{
	uint64_t value = 0xdead;

	assert_true(guest_msr_read(v, msr, &value));
	return value;
}

static bool put(uint32_t msr, uint64_t value) { return guest_msr_write(v, msr, value); }

static bool readable(uint32_t msr)
{
	uint64_t value;

	return guest_msr_read(v, msr, &value);
}

static void test_tsc(void **state)
{
	(void)state;
	v->arch.tsc_offset = 500;
	assert_int_equal(get(IA32_TSC), fake_tsc + 500);
	assert_true(put(IA32_TSC, 7000));
	assert_int_equal(get(IA32_TSC), 7000);
	assert_int_equal(fake_offset_changes, 1);
	assert_true(get(IA32_TSC_ADJUST) == 7000 - (fake_tsc + 500));
	assert_true(put(IA32_TSC_ADJUST, 0));
	assert_int_equal(v->arch.tsc_offset, 500);
	assert_int_equal(fake_offset_changes, 2);
}

/* A deadline is in the guest's time: when that jumps, the host's timer moves. */
static void test_tsc_moves_deadline(void **state)
{
	(void)state;
	guest_apic_write(v, APIC_SVR, 0x1ff);
	guest_apic_write(v, APIC_LVT_TIMER, 0x40031);
	assert_true(put(IA32_TSC_DEADLINE, fake_tsc + 5000));
	assert_int_equal(fake_timer[0], fake_tsc + 5000);
	assert_int_equal(get(IA32_TSC_DEADLINE), fake_tsc + 5000);
	assert_true(put(IA32_TSC, fake_tsc + 1000));
	assert_int_equal(fake_timer[0], fake_tsc + 4000);
	assert_true(put(IA32_TSC, fake_tsc + 6000));
	assert_int_equal(get(IA32_TSC_DEADLINE), 0);
	assert_int_equal(guest_apic_pending(v), 0x31);
}

static void test_apic_base_and_x2apic(void **state)
{
	(void)state;
	assert_int_equal(get(IA32_APIC_BASE), 0xfee00900);
	assert_false(put(IA32_APIC_BASE, 0xfee00500));
	assert_false(readable(0x802));
	assert_true(put(IA32_APIC_BASE, 0xfee00d00));
	assert_int_equal(get(0x802), 0);
	assert_int_equal(get(0x803), 0x50014);
	assert_true(put(0x808, 0x20));
	assert_int_equal(get(0x808), 0x20);
	assert_false(put(0x802, 1));
	assert_false(readable(0x8ff));
	assert_false(readable(0x900));
}

static void test_efer(void **state)
{
	(void)state;
	assert_true(put(IA32_EFER, EFER_LME | EFER_NXE | EFER_SCE));
	assert_int_equal(get(IA32_EFER), 0x901);
	/* LMA is not the guest's to set or clear. */
	assert_true(put(IA32_EFER, EFER_LME | EFER_LMA));
	assert_int_equal(get(IA32_EFER), EFER_LME);
	fake_special[VIRT_EFER] = EFER_LME | EFER_LMA;
	fake_special[VIRT_CR0] = 0x80000001;
	assert_true(put(IA32_EFER, EFER_LME | EFER_NXE));
	assert_int_equal(get(IA32_EFER), EFER_LME | EFER_LMA | EFER_NXE);
	assert_false(put(IA32_EFER, EFER_NXE)); /* LME, with paging on */
	for (unsigned bit = 0; bit < 64; bit++)
		if (!(0xd01ull >> bit & 1))
			assert_false(put(IA32_EFER, EFER_LME | 1ull << bit));
	assert_int_equal(get(IA32_EFER), EFER_LME | EFER_LMA | EFER_NXE);
}

static void test_memory_types(void **state)
{
	(void)state;
	assert_true(put(IA32_PAT, 0x0407050600070106));
	assert_int_equal(get(IA32_PAT), 0x0407050600070106);
	for (unsigned type = 0; type < 256; type++) {
		bool pat = type < 8 && type != 2 && type != 3;

		assert_int_equal(put(IA32_PAT, (uint64_t)type << 56), pat);
		assert_int_equal(put(0x2ff, 0x800 | type), pat && type != 7);
	}
	assert_int_equal(get(IA32_MTRRCAP) & 0x1ff, 0);
	guest_msr_reset(v);
	assert_int_equal(get(0x2ff), 0x806);
	assert_true(put(0x2ff, 6));
	assert_int_equal(get(0x2ff), 6);
	assert_false(put(0x2ff, 0x1806));
	assert_false(readable(0x200)); /* no variable range */
	assert_false(readable(0x250));
	assert_false(put(IA32_MTRRCAP, 0));
}

static void test_canonical(void **state)
{
	static const uint32_t msrs[] = { IA32_FS_BASE, IA32_GS_BASE };

	(void)state;
	v->is_guest = false;
	for (unsigned i = 0; i < 2; i++) {
		assert_true(put(msrs[i], 0xffff800000000000));
		assert_true(get(msrs[i]) == 0xffff800000000000);
		assert_false(put(msrs[i], 0x0000800000000000));
		assert_false(put(msrs[i], 0xffff7fffffffffff));
		assert_true(get(msrs[i]) == 0xffff800000000000);
		assert_true(put(msrs[i], 0x00007fffffffffff));
	}
}

static void test_what_linux_asks(void **state)
{
	(void)state;
	assert_int_equal(get(IA32_MISC_ENABLE) & 0x1801, 0x1801);
	assert_true(put(IA32_MISC_ENABLE, get(IA32_MISC_ENABLE)));
	assert_false(put(IA32_MISC_ENABLE, 0));
	assert_int_equal(get(IA32_FEATURE_CONTROL), 1);
	assert_false(put(IA32_FEATURE_CONTROL, 5));
	assert_true(put(0x8b, 0));
	assert_int_equal(get(0x8b) >> 32, 1);
	assert_int_equal(get(0x179), 0);
	assert_int_equal(get(0x17a), 0);
	assert_true(put(0x17a, 0));
	assert_false(put(0x17a, 4));
	assert_int_equal(get(0xce), 10 << 8); /* 1 GHz */
	assert_int_equal(get(IA32_XSS), 0);
	assert_true(put(IA32_XSS, 0));
	assert_false(put(IA32_XSS, 0x100));
	assert_true(put(IA32_DEBUGCTL, 2));
	assert_int_equal(get(IA32_DEBUGCTL), 2);
	assert_false(put(IA32_DEBUGCTL, 1)); /* LBR */
	guest_cpuid_init(GUEST_CPUID_NO_XSAVES);
	assert_false(readable(IA32_XSS));
	assert_false(put(IA32_XSS, 0));
}

static void test_unknown(void **state)
{
	static const uint32_t unknown[] = { 0,	   0x33,  0x48,	 0x49,	0x10a,	    0x10b,	0x17b,
					    0x186, 0x198, 0x38f, 0x400, 0x480,	    0x600,	0x4b564d00,
					    0xe7,  0xe8,  0x570, 0xd90, 0xc0000104, 0xc0010015, UINT32_MAX };

	(void)state;
	for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_false(readable(unknown[i]));
		assert_false(put(unknown[i], 0));
	}
}

static void test_monitor_range(void **state)
{
	(void)state;
	assert_false(guest_msr_is_monitor(BH_MSR_KVM_FIRST - 1));
	assert_true(guest_msr_is_monitor(BH_MSR_KVM_FIRST));
	assert_true(guest_msr_is_monitor(BH_MSR_KVM_LAST));
	assert_false(guest_msr_is_monitor(BH_MSR_KVM_LAST + 1));
}

/* What needs no exit has one answer, the CPU's. */
static void test_direct(void **state)
{
	(void)state;
	for (size_t i = 0; i < GUEST_MSR_DIRECT; i++) {
		assert_false(readable(guest_msr_direct[i]));
		assert_false(put(guest_msr_direct[i], 0));
	}
}

static void test_native(void **state)
{
	unsigned found_read = 0, found_written = 0;

	(void)state;
	v->is_guest = false;
	for (uint32_t msr = 0; msr < 0x2000; msr++) {
		found_read += readable(msr);
		found_written += put(msr, 0);
	}
	assert_int_equal(found_read, 1); /* TSC */
	assert_int_equal(found_written, 0);
	for (uint32_t msr = 0xc0000000; msr < 0xc0002000; msr++) {
		found_read += readable(msr);
		found_written += put(msr, 0);
	}
	assert_int_equal(found_read, 4); /* EFER, FS and GS base */
	assert_int_equal(found_written, 2);
	assert_false(put(IA32_FS_BASE, 1ull << 50));
	assert_int_equal(fake_offset_changes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_tsc),
		TEST(test_tsc_moves_deadline),
		TEST(test_apic_base_and_x2apic),
		TEST(test_efer),
		TEST(test_memory_types),
		TEST(test_canonical),
		TEST(test_what_linux_asks),
		TEST(test_unknown),
		TEST(test_monitor_range),
		TEST(test_direct),
		TEST(test_native),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
