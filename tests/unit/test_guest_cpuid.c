/* CPUID's policy on made-up hosts: nothing that is not offered shows, and what shows agrees with
 * itself. */
#include <string.h>
#include "guest_cpuid.h"
#include "guest_fakes.h"

#define ALL UINT32_MAX

static struct vcpu *const v = &fake_vcpu[0];
static uint8_t xstate_memory[4096] __attribute__((aligned(64)));

static struct cpuid ask_of(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf)
{
	uint64_t *gpr = vcpu->arch.gpr;

	gpr[BH_RAX] = 0xaaaaaaaa00000000 | leaf;
	gpr[BH_RBX] = gpr[BH_RDX] = UINT64_MAX;
	gpr[BH_RCX] = 0xcccccccc00000000 | subleaf;
	gpr[BH_RSI] = 0x51;
	guest_cpuid(vcpu);
	assert_int_equal(gpr[BH_RAX] >> 32 | gpr[BH_RBX] >> 32 | gpr[BH_RCX] >> 32 | gpr[BH_RDX] >> 32, 0);
	assert_int_equal(gpr[BH_RSI], 0x51);
	return (struct cpuid){ (uint32_t)gpr[BH_RAX], (uint32_t)gpr[BH_RBX], (uint32_t)gpr[BH_RCX],
			       (uint32_t)gpr[BH_RDX] };
}

static struct cpuid ask(uint32_t leaf, uint32_t subleaf) { return ask_of(v, leaf, subleaf); }

static void set_components(void)
{
	fake_cpuid_set(0xd, 0, 0x2ff, 2432, 2688, 0); /* EBX and ECX disagree, as on a machine we met */
	fake_cpuid_set(0xd, 1, ALL, 2432, 0, 0);
	fake_cpuid_set(0xd, 2, 256, 576, 0, 0);
	fake_cpuid_set(0xd, 5, 64, 1088, 0, 0);
	fake_cpuid_set(0xd, 6, 512, 1152, 2, 0);
	fake_cpuid_set(0xd, 7, 1024, 1664, 2, 0);
	fake_cpuid_set(0xd, 9, 8, 2688, 0, 0);
}

/* An Intel CPU with every feature bit there is. */
static void host_full(void)
{
	fake_cpuid_clear();
	fake_cpuid_set(0, 0, 0x20, 0x756e6547, 0x6c65746e, 0x49656e69);
	fake_cpuid_set(1, 0, 0x50654 | 0xf000c000, 0x7f400800, ALL, ALL);
	fake_cpuid_set(4, 0, 0xfc004121, 0x01c0003f, 0x3f, 0);
	fake_cpuid_set(4, 1, 0xfc004122, 0x01c0003f, 0x3f, 0);
	fake_cpuid_set(4, 2, 0xfc004143, 0x03c0003f, 0x3ff, 0);
	fake_cpuid_set(4, 3, 0xfc1fc163, 0x0280003f, 0x7fff, 4);
	fake_cpuid_set(7, 0, 5, ALL, ALL, ALL);
	fake_cpuid_set(7, 1, ALL, ALL, ALL, ALL);
	set_components();
	fake_cpuid_set(0x80000000, 0, 0x80000008, 0, 0, 0);
	fake_cpuid_set(0x80000001, 0, 0, 0, ALL, ALL);
	fake_cpuid_set(0x80000006, 0, 0, 0, 0x01006040, 0);
	fake_cpuid_set(0x80000007, 0, 0, 0, 0, ALL);
	fake_cpuid_set(0x80000008, 0, 0x3934, ALL, ALL, ALL);
}

/* Westmere: no XSAVE, no leaf 7. */
static void host_old(void)
{
	fake_cpuid_clear();
	fake_cpuid_set(0, 0, 0xb, 0x756e6547, 0x6c65746e, 0x49656e69);
	fake_cpuid_set(1, 0, 0x206c2, 0x00200800, 0x029ee3ff, 0xbfebfbff);
	fake_cpuid_set(0x80000000, 0, 0x80000008, 0, 0, 0);
	fake_cpuid_set(0x80000001, 0, 0, 0, 1, 0x20100800);
	fake_cpuid_set(0x80000008, 0, 0x3028, 0, 0, 0);
}

static void start(unsigned vcpus, bool is_guest, uint32_t missing)
{
	xstate_boot_init(false);
	guest_cpuid_init(missing);
	for (unsigned i = 0; i < vcpus; i++) {
		fake_vcpu[i].is_guest = is_guest;
		fake_vcpu[i].arch.xstate = (struct xstate *)(void *)xstate_memory;
	}
	xstate_init((struct xstate *)(void *)xstate_memory);
	fake_partition.vcpus = vcpus;
}

static int setup(void **state)
{
	(void)state;
	fake_start(FAKE_VCPUS);
	host_full();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_partition.vcpus = FAKE_VCPUS;
	fake_end();
	return 0;
}

/* ---- guests ---- */

static void test_vendor_and_model(void **state)
{
	struct cpuid r;

	(void)state;
	start(1, true, 0);
	r = ask(0, 0);
	assert_int_equal(r.eax, 0x16);
	assert_int_equal(r.ebx, 0x756e6547);
	assert_int_equal(r.ecx, 0x6c65746e);
	assert_int_equal(r.edx, 0x49656e69);
	assert_int_equal(ask(1, 0).eax, 0x50654);
}

static void test_withheld_features(void **state)
{
	struct cpuid r;

	(void)state;
	start(1, true, 0);
	r = ask(1, 0);
	/* DTES64 MONITOR DS_CPL VMX SMX EIST TM2 CNXT SDBG xTPR PDCM DCA, OSXSAVE while CR4's is
	 * off */
	assert_int_equal(r.ecx & (0x5fc | 1u << 10 | 1u << 11 | 3u << 14 | 1u << 18 | 1u << 27), 0);
	/* PSN DS ACPI HTT TM PBE */
	assert_int_equal(r.edx & (1u << 18 | 3u << 21 | 7u << 28), 0);
	r = ask(7, 0);
	/* SGX HLE RDTM MPX RDTA RTM PT */
	assert_int_equal(r.ebx & (1u << 2 | 1u << 4 | 3u << 11 | 3u << 14 | 1u << 25), 0);
	/* PKU OSPKE WAITPKG CET_SS TME LA57 KL ENQCMD SGX_LC PKS */
	assert_int_equal(r.ecx & (7u << 3 | 1u << 7 | 1u << 13 | 1u << 16 | 1u << 23 | 7u << 29), 0);
	/* UINTR, TSX_FORCE, CET_IBT, AMX, IBRS, STIBP, L1D_FLUSH, ARCH_CAPABILITIES,
	 * CORE_CAPABILITIES, SSBD */
	assert_int_equal(r.edx & (1u << 5 | 1u << 11 | 1u << 13 | 1u << 20 | 7u << 24 | 0x3fu << 26 | 1u << 22), 0);
	assert_int_equal(r.eax, 0);
	r = ask(7, 1);
	assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
	r = ask(6, 0);
	assert_int_equal(r.eax, 4);
	assert_int_equal(r.ebx | r.ecx | r.edx, 0);
	static const uint32_t empty[] = { 3, 5, 8, 9, 0xa, 0xc, 0xe, 0xf, 0x10, 0x11, 0x12, 0x13, 0x14 };
	for (unsigned i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		r = ask(empty[i], 0);
		assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
	}
	r = ask(0x80000001, 0);
	assert_int_equal(r.ecx, 0x1f1); /* no SVM, XOP, TOPOEXT */
	assert_int_equal(r.edx, 1u << 11 | 1u << 20 | 1u << 22 | 1u << 26 | 1u << 27 | 1u << 29);
}

static void test_emulated_features(void **state)
{
	struct cpuid r;

	(void)state;
	host_old();
	start(1, true, 0);
	r = ask(1, 0);
	assert_true(r.ecx & 1u << 21); /* x2APIC */
	assert_true(r.ecx & 1u << 24); /* TSC deadline */
	assert_true(r.ecx & 1u << 31); /* hypervisor */
	assert_true(r.edx & 1u << 9);
	assert_true(ask(7, 0).ebx & 2); /* TSC_ADJUST */
}

static void test_apic_bit_follows_base(void **state)
{
	(void)state;
	start(1, true, 0);
	assert_true(ask(1, 0).edx & 1u << 9);
	assert_true(guest_apic_set_base(v, 0xfee00100));
	assert_false(ask(1, 0).edx & 1u << 9);
}

static void test_osxsave_follows_cr4(void **state)
{
	(void)state;
	start(1, true, 0);
	fake_special[VIRT_CR4] = 1u << 18;
	assert_true(ask(1, 0).ecx & 1u << 27);
	fake_special[VIRT_CR4] = 0;
	assert_false(ask(1, 0).ecx & 1u << 27);
}

static void test_no_xsave(void **state)
{
	struct cpuid r;

	(void)state;
	host_old();
	start(1, true, 0);
	r = ask(1, 0);
	assert_int_equal(r.ecx & (1u << 12 | 7u << 26 | 1u << 29), 0);
	for (uint32_t i = 0; i < 10; i++) {
		r = ask(0xd, i);
		assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
	}
	assert_int_equal(guest_cpuid_policy(v)->xcr0, 0);
	assert_int_equal(guest_cpuid_policy(v)->cr4, 0x7ff | 1u << 17);
	assert_false(guest_cpuid_policy(v)->xsaves);
	assert_int_equal(ask(0x80000001, 0).edx & (1u << 26 | 1u << 27 | 1u << 30), 0);
}

/* Sizes are computed from the components, whatever the host's EBX and ECX claim. */
static void test_xsave_sizes_agree(void **state)
{
	struct cpuid r;

	(void)state;
	start(1, true, 0);
	assert_int_equal(guest_cpuid_policy(v)->xcr0, 0xe7);
	r = ask(0xd, 0);
	assert_int_equal(r.eax, 0xe7);
	assert_int_equal(r.edx, 0);
	assert_int_equal(r.ecx, 2688);
	assert_int_equal(r.ebx, 576);
	fake_xcr0 = 7;
	assert_int_equal(ask(0xd, 0).ebx, 832);
	assert_int_equal(ask(0xd, 1).ebx, 832);
	fake_xcr0 = 0xe7;
	assert_int_equal(ask(0xd, 0).ebx, 2688);
	/* Compacted: 576 + 256 + 64 = 896, a multiple of 64. */
	assert_int_equal(ask(0xd, 1).ebx, 896 + 512 + 1024);
	r = ask(0xd, 1);
	assert_int_equal(r.eax, 0xf);
	assert_int_equal(r.ecx | r.edx, 0);
	r = ask(0xd, 6);
	assert_int_equal(r.eax, 512);
	assert_int_equal(r.ebx, 1152);
	assert_int_equal(r.ecx, 2);
	for (uint32_t i = 0; i < 64; i++) /* PKRU and all that is not offered */
		if (i > 1 && !(0xe7ull >> i & 1)) {
			r = ask(0xd, i);
			assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
		}
}

/* AVX without its component, AVX-512 without AVX512F: nothing that stands on them shows. */
static void test_broken_components(void **state)
{
	struct cpuid r;

	(void)state;
	fake_cpuid_set(0xd, 2, 100, 576, 0, 0);
	start(1, true, 0);
	assert_int_equal(guest_cpuid_policy(v)->xcr0, 3);
	assert_int_equal(ask(1, 0).ecx & (1u << 12 | 3u << 28), 0);
	assert_true(ask(1, 0).ecx & 1u << 26);
	r = ask(7, 0);
	assert_int_equal(r.ebx & (1u << 5 | 1u << 16 | 1u << 17 | 1u << 21 | 1u << 28 | 3u << 30), 0);
	assert_int_equal(r.ecx & (1u << 1 | 1u << 6 | 3u << 9 | 3u << 11 | 1u << 14), 0);
	assert_int_equal(ask(0xd, 0).ecx, 576);

	host_full();
	fake_cpuid_set(7, 0, 0, ALL & ~(1u << 16), 0, 0);
	start(1, true, 0);
	assert_int_equal(guest_cpuid_policy(v)->xcr0, 7);
	assert_int_equal(ask(7, 0).ebx & (1u << 17 | 1u << 30), 0);
	assert_true(ask(7, 0).ebx & 1u << 5);
	assert_int_equal(ask(0xd, 0).ecx, 832);
}

static void test_missing_controls(void **state)
{
	(void)state;
	start(1, true, 0);
	assert_true(ask(7, 0).ebx & 1u << 10);
	assert_true(ask(7, 0).ecx & 1u << 22);
	assert_true(guest_cpuid_policy(v)->xsaves);
	start(1, true, GUEST_CPUID_NO_RDTSCP | GUEST_CPUID_NO_INVPCID | GUEST_CPUID_NO_XSAVES);
	assert_false(ask(7, 0).ebx & 1u << 10);
	assert_false(ask(7, 0).ecx & 1u << 22);
	assert_false(ask(0x80000001, 0).edx & 1u << 27);
	assert_int_equal(ask(0xd, 1).eax, 7);
	assert_false(guest_cpuid_policy(v)->xsaves);
	start(1, true, GUEST_CPUID_NO_XSAVEC);
	assert_int_equal(ask(0xd, 1).eax, 5);
	assert_false(guest_cpuid_policy(v)->xsaves);
}

static void test_rdrand_and_pages(void **state)
{
	(void)state;
	start(1, true, 0);
	assert_true(ask(1, 0).ecx & 1u << 30);
	assert_true(ask(0x80000001, 0).edx & 1u << 26);
	host_old();
	start(1, true, 0);
	assert_false(ask(1, 0).ecx & 1u << 30);
	assert_false(ask(0x80000001, 0).edx & 1u << 26);
}

static void test_frequency(void **state)
{
	struct cpuid r;

	(void)state;
	clock_hz = 2399990000;
	start(1, true, 0);
	r = ask(0x15, 0);
	assert_int_equal(r.eax, 1);
	assert_int_equal(r.ebx, 1);
	assert_int_equal(r.ecx, 2399990000);
	assert_int_equal(ask(0x16, 0).eax, 2400);
	clock_hz = 4500000000;
	start(1, true, 0);
	r = ask(0x15, 0);
	assert_true((uint64_t)r.ecx * r.ebx / r.eax == clock_hz);
	clock_hz = 1000000000;
}

static void test_topology(void **state)
{
	struct cpuid r;

	(void)state;
	start(1, true, 0);
	assert_int_equal(ask(1, 0).edx & 1u << 28, 0);
	assert_int_equal(ask(1, 0).ebx, 0x00010800);
	assert_int_equal(ask(4, 0).eax, 0x121);
	start(5, true, 0);
	r = ask_of(&fake_vcpu[3], 1, 0);
	assert_int_equal(r.ebx, 0x03080800);
	assert_true(r.edx & 1u << 28);
	/* L1 and L2 are each core's, L3 the package's. */
	assert_int_equal(ask(4, 0).eax, 7u << 26 | 0x121);
	assert_int_equal(ask(4, 2).eax, 7u << 26 | 0x143);
	assert_int_equal(ask(4, 3).eax, 7u << 26 | 7u << 14 | 0x163);
	assert_int_equal(ask(4, 4).eax, 0);
	assert_int_equal(ask(4, 99).eax, 0);
	r = ask_of(&fake_vcpu[3], 0xb, 0);
	assert_int_equal(r.eax, 0);
	assert_int_equal(r.ebx, 1);
	assert_int_equal(r.ecx, 0x100);
	assert_int_equal(r.edx, 3);
	r = ask_of(&fake_vcpu[3], 0xb, 1);
	assert_int_equal(r.eax, 3);
	assert_int_equal(r.ebx, 5);
	assert_int_equal(r.ecx, 0x201);
	r = ask_of(&fake_vcpu[3], 0xb, 2);
	assert_int_equal(r.eax | r.ebx, 0);
	assert_int_equal(r.ecx, 2);
	assert_int_equal(r.edx, 3);
}

static void test_hypervisor_leaves(void **state)
{
	struct cpuid r;

	(void)state;
	start(1, true, 0);
	r = ask(0x40000000, 0);
	assert_int_equal(r.eax, 0x40000001);
	assert_memory_equal(&r.ebx, BH_CPUID_SIGNATURE, 12);
	assert_int_equal(ask(0x40000001, 0).eax, BH_ABI_VERSION);
	r = ask(0x40000100, 0);
	assert_int_equal(r.eax, 0x40000101);
	assert_memory_equal(&r.ebx, "KVMKVMKVM\0\0\0", 12);
	r = ask(0x40000101, 0);
	assert_int_equal(r.eax, 0x0100000a);
	assert_int_equal(r.edx, 0);
	r = ask(0x40000200, 0);
	assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
}

static void test_extended(void **state)
{
	char text[49] = { 0 };
	struct cpuid r;

	(void)state;
	start(1, true, 0);
	assert_int_equal(ask(0x80000000, 0).eax, 0x80000008);
	for (uint32_t i = 0; i < 3; i++) {
		r = ask(0x80000002 + i, 0);
		memcpy(text + 16 * i, &r, 16);
	}
	assert_string_equal(text, "Bulkhead virtual CPU");
	r = ask(0x80000008, 0);
	assert_int_equal(r.eax, 48u << 8 | 48); /* the host's 52 are more than nested tables reach */
	assert_int_equal(r.ebx | r.ecx | r.edx, 0);
	assert_int_equal(ask(0x80000007, 0).edx, 1u << 8);
	host_old();
	start(1, true, 0);
	assert_int_equal(ask(0x80000008, 0).eax, 48u << 8 | 40);
	assert_int_equal(ask(0x80000007, 0).edx, 0);
}

static void test_beyond_the_highest(void **state)
{
	static const uint32_t beyond[] = { 0x17, 0x1f, 0x1000, 0x3fffffff, 0x80000009, 0x8000001e, ALL };

	(void)state;
	start(1, true, 0);
	for (unsigned i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		assert_int_equal(ask(beyond[i], 0).eax, 1000); /* leaf 16h */
}

static void test_masks(void **state)
{
	(void)state;
	start(1, true, 0);
	assert_int_equal(guest_cpuid_policy(v)->cr4, 0x370fff);
	assert_int_equal(guest_cpuid_policy(v)->efer, 0xd01);
}

/* ---- natives ---- */

static void test_native(void **state)
{
	struct cpuid r;

	(void)state;
	start(2, false, 0);
	r = ask(1, 0);
	assert_int_equal(r.edx & 0x07800201, 0); /* no FPU, MMX, FXSR, SSE, SSE2, APIC */
	assert_int_equal(r.ecx & (0x1e181203 | 1u << 17 | 1u << 21 | 1u << 24), 0);
	assert_true(r.ecx & 1u << 31);
	assert_int_equal(ask(7, 0).ebx & (1u << 5 | 1u << 16 | 1u << 29), 0);
	r = ask(0xd, 0);
	assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
	assert_true(ask(0x80000001, 0).edx & 1u << 29);
	assert_false(ask(0x80000001, 0).edx & 1u << 11);
	assert_int_equal(guest_cpuid_policy(v)->xcr0, 0);
	assert_int_equal(guest_cpuid_policy(v)->cr4, 0x3108bc);
	assert_int_equal(guest_cpuid_policy(v)->efer, 0xd00);
	r = ask(0x40000000, 0);
	assert_memory_equal(&r.ebx, BH_CPUID_SIGNATURE, 12);
	r = ask(0x40000100, 0);
	assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
	assert_int_equal(ask(0x15, 0).ecx, 1000000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_vendor_and_model),
		TEST(test_withheld_features),
		TEST(test_emulated_features),
		TEST(test_apic_bit_follows_base),
		TEST(test_osxsave_follows_cr4),
		TEST(test_no_xsave),
		TEST(test_xsave_sizes_agree),
		TEST(test_broken_components),
		TEST(test_missing_controls),
		TEST(test_rdrand_and_pages),
		TEST(test_frequency),
		TEST(test_topology),
		TEST(test_hypervisor_leaves),
		TEST(test_extended),
		TEST(test_beyond_the_highest),
		TEST(test_masks),
		TEST(test_native),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
