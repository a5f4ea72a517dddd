/* Extended state: what is switched on hosts good and bad, and XSETBV's rules. */
#include "guest_cpuid.h"
#include "guest_fakes.h"
#include "xstate.h"

static struct guest_cpuid_policy policy;
static struct xstate state_of_guest;

const struct guest_cpuid_policy *guest_cpuid_policy(const struct vcpu *vcpu)
{
	(void)vcpu;
	return &policy;
}

#define XSAVE_BIT (1u << 26)

static void host_with_avx512(void)
{
	fake_cpuid_clear();
	fake_cpuid_set(1, 0, 0, 0, XSAVE_BIT, 0);
	fake_cpuid_set(0xd, 0, 0x2e7, 2432, 2688, 0); /* MPX is not; PKRU is; sizes disagree */
	fake_cpuid_set(0xd, 1, 0xf, 2688, 0, 0);
	fake_cpuid_set(0xd, 2, 256, 576, 0, 0);
	fake_cpuid_set(0xd, 5, 64, 1088, 0, 0);
	fake_cpuid_set(0xd, 6, 512, 1152, 0, 0);
	fake_cpuid_set(0xd, 7, 1024, 1664, 0, 0);
	fake_cpuid_set(0xd, 9, 8, 2688, 0, 0);
}

static void test_no_xsave(void **state)
{
	(void)state;
	fake_cpuid_clear();
	xstate_boot_init(false);
	assert_int_equal(xstate_xcr0_supported(), 0);
	assert_true(xstate_bytes() >= sizeof(struct xstate) + 512);
}

static void test_avx512(void **state)
{
	(void)state;
	host_with_avx512();
	fake_cpuid_set(0x80000001, 0, 0, 0, 0, 1u << 27);
	xstate_boot_init(false);
	assert_int_equal(xstate_xcr0_supported(), 0xe7);
	assert_int_equal(xstate_bytes(), sizeof(struct xstate) + 2688);
	assert_true(xstate_bytes() <= 4096);
}

/* A component whose place or size cannot be true is not used, nor what stands on it. */
static void test_absurd_components(void **state)
{
	(void)state;
	host_with_avx512();
	fake_cpuid_set(0xd, 6, 512, 1u << 20, 0, 0);
	xstate_boot_init(false);
	assert_int_equal(xstate_xcr0_supported(), 7);
	host_with_avx512();
	fake_cpuid_set(0xd, 2, 0, 0, 0, 0);
	xstate_boot_init(false);
	assert_int_equal(xstate_xcr0_supported(), 3);
	host_with_avx512();
	fake_cpuid_set(0xd, 2, 256, 100, 0, 0); /* within the legacy area */
	xstate_boot_init(false);
	assert_int_equal(xstate_xcr0_supported(), 3);
	host_with_avx512();
	fake_cpuid_set(0xd, 0, 0x67, 0, 0, 0); /* AVX-512 in part */
	xstate_boot_init(false);
	assert_int_equal(xstate_xcr0_supported(), 7);
	assert_int_equal(xstate_bytes(), sizeof(struct xstate) + 832);
}

static void test_init_values(void **state)
{
	static uint8_t memory[4096] __attribute__((aligned(64)));
	struct xstate *xstate = (struct xstate *)(void *)memory;

	(void)state;
	host_with_avx512();
	xstate_boot_init(false);
	memory[1000] = 7;
	xstate_init(xstate);
	assert_int_equal(xstate->xcr0, 1);
	assert_int_equal(xstate->dr6, 0xffff0ff0);
	assert_int_equal(*(uint16_t *)(void *)xstate->area, 0x37f);
	assert_int_equal(*(uint32_t *)(void *)(xstate->area + 24), 0x1f80);
	assert_int_equal(*(uint64_t *)(void *)(xstate->area + 512), 0);
	assert_int_equal(*(uint64_t *)(void *)(xstate->area + 520), 0); /* the format that XSAVE writes */
	assert_int_equal(memory[1000], 0);
}

static bool set_xcr0(uint64_t value) { return xstate_xsetbv(&fake_vcpu[0], 0, value); }

static void test_xsetbv(void **state)
{
	(void)state;
	policy.xcr0 = 0xe7;
	fake_vcpu[0].arch.xstate = &state_of_guest;
	for (uint64_t value = 0; value < 0x400; value++) {
		bool avx512 = value & 0xe0;
		bool good = (value & 1) && !(value & ~0xe7ull) && (!(value & 4) || (value & 2)) &&
			    (!avx512 || ((value & 0xe0) == 0xe0 && (value & 4)));

		fake_xcr0 = 0;
		state_of_guest.xcr0 = 1;
		assert_int_equal(set_xcr0(value), good);
		assert_int_equal(fake_xcr0, good ? value : 0);
		assert_int_equal(state_of_guest.xcr0, good ? value : 1);
	}
	assert_false(set_xcr0(1ull << 63 | 3));
	assert_false(xstate_xsetbv(&fake_vcpu[0], 1, 3));
	policy.xcr0 = 3;
	assert_false(set_xcr0(7));
	assert_true(set_xcr0(3));
	/* A native has no extended state. */
	fake_vcpu[0].arch.xstate = NULL;
	assert_false(set_xcr0(1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_xsave),
		cmocka_unit_test(test_avx512),
		cmocka_unit_test(test_absurd_components),
		cmocka_unit_test(test_init_values),
		cmocka_unit_test(test_xsetbv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
