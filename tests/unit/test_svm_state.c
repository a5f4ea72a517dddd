/* Registers in a VMCB: what a monitor sets it gets back, and what the hardware needs is not what a guest sees. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "guest_cpuid.h"
#include "instructions.h"
#include "msr.h"
#include "svm/svm.h"
#include "vcpu.h"

#define READ_CR4 (1u << 4)

static struct guest_cpuid_policy policy;
static struct vmcb vmcb;
static struct vcpu vcpu;

const struct guest_cpuid_policy *guest_cpuid_policy(const struct vcpu *v)
{
	(void)v;
	return &policy;
}

static int setup(void **state)
{
	(void)state;
	policy.cr4 = CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_PCIDE | CR4_OSXSAVE;
	policy.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.arch.svm.vmcb = &vmcb;
	vcpu.arch.svm.generation = 7;
	vmcb.clean = VMCB_CLEAN_ALL;
	return 0;
}

/* ---- groups ------------------------------------------------------------------------------------ */

static void test_round_trip(void **state)
{
	static const uint16_t access[] = { 0xa09b, 0xc093, 0x008b, 0x0082, 0xc0f3, 0x40fb, BH_SEGMENT_UNUSABLE };
	struct bh_vcpu_state in, out;

	(void)state;
	for (unsigned a = 0; a < sizeof(access) / sizeof(access[0]); a++) {
		memset(&in, 0, sizeof(in));
		memset(&out, 0, sizeof(out));
		for (unsigned i = 0; i < 16; i++)
			in.gpr[i] = 0x1111111111111111ull * i;
		in.rip = 0xffffffff81000000ull;
		in.rflags = 0x246;
		in.cr0 = CR0_PE | CR0_PG;
		in.cr3 = 0x123000;
		in.cr4 = CR4_PAE | CR4_MCE;
		in.efer = EFER_LME | EFER_LMA;
		for (unsigned i = 0; i < BH_SEGMENTS; i++)
			in.segment[i] =
				(struct bh_segment){ (uint64_t)i << 32, 0xfffff + i, (uint16_t)(8 * i), access[a] };
		in.gdtr_base = 0xffff800000000000ull;
		in.idtr_base = 0xfffffe0000000000ull;
		in.gdtr_limit = 0x7f;
		in.idtr_limit = 0xfff;
		svm_set_state(&vcpu, BH_STATE_ALL, &in);
		svm_get_state(&vcpu, BH_STATE_ALL, &out);
		assert_memory_equal(&in, &out, sizeof(in));
		assert_int_equal(vmcb.clean, 0);
		assert_int_equal(vmcb.cpl, in.segment[BH_SS].access >> 5 & 3);
	}
}

/* The privilege level is a field of its own, and stays one where SS is unusable. */
static void test_privilege(void **state)
{
	struct bh_vcpu_state out;

	(void)state;
	for (unsigned cpl = 0; cpl < 4; cpl++)
		for (unsigned usable = 0; usable < 2; usable++) {
			vmcb.ss.attributes = usable ? 0xc93 : 0;
			vmcb.cpl = (uint8_t)cpl;
			svm_get_state(&vcpu, BH_STATE_SEGMENTS, &out);
			assert_int_equal(out.segment[BH_SS].access >> 5 & 3, cpl);
			assert_int_equal(!(out.segment[BH_SS].access & BH_SEGMENT_UNUSABLE), usable);
			vmcb.cpl = 9;
			svm_set_state(&vcpu, BH_STATE_SEGMENTS, &out);
			assert_int_equal(vmcb.cpl, cpl);
		}
}

/* Only the groups that are asked for. */
static void test_groups(void **state)
{
	struct bh_vcpu_state in, out;

	(void)state;
	memset(&in, 0x5a, sizeof(in));
	for (uint32_t group = 1; group <= BH_STATE_ALL; group <<= 1) {
		struct vmcb before;

		setup(NULL);
		before = vmcb;
		svm_set_state(&vcpu, 0, &in);
		before.clean = 0;
		assert_memory_equal(&before, &vmcb, sizeof(vmcb));
		svm_set_state(&vcpu, group, &in);
		memset(&out, 0xa5, sizeof(out));
		svm_get_state(&vcpu, BH_STATE_ALL & ~group, &out);
		if (!(group & BH_STATE_RIP))
			assert_int_equal(out.rip, 0);
		if (!(group & BH_STATE_CONTROL))
			assert_int_equal(out.cr3, 0);
		if (!(group & BH_STATE_TABLES))
			assert_int_equal(out.gdtr_base, 0);
		if (!(group & BH_STATE_SEGMENTS))
			assert_int_equal(out.segment[BH_CS].base, 0);
	}
}

/* ---- what the hardware needs ------------------------------------------------------------------- */

static void test_svme_is_not_seen(void **state)
{
	struct bh_vcpu_state out;

	(void)state;
	svm_write_special(&vcpu, VIRT_EFER, EFER_LME | EFER_SVME | 1ull << 14);
	assert_int_equal(vmcb.efer, EFER_LME | EFER_SVME);
	assert_int_equal(svm_read_special(&vcpu, VIRT_EFER), EFER_LME);
	svm_get_state(&vcpu, BH_STATE_CONTROL, &out);
	assert_int_equal(out.efer, EFER_LME);
}

/* MCE is set always; a guest reads what it wrote, for which its reads exit while that differs. */
static void test_machine_checks(void **state)
{
	(void)state;
	assert_true(svm_write_cr4(&vcpu, CR4_PAE));
	assert_int_equal(vmcb.cr4, CR4_PAE | CR4_MCE);
	assert_int_equal(svm_read_special(&vcpu, VIRT_CR4), CR4_PAE);
	assert_true(vmcb.intercept_cr & READ_CR4);
	assert_true(svm_write_cr4(&vcpu, CR4_PAE | CR4_MCE));
	assert_int_equal(svm_read_special(&vcpu, VIRT_CR4), CR4_PAE | CR4_MCE);
	assert_false(vmcb.intercept_cr & READ_CR4);
}

static void test_cr4_rules(void **state)
{
	(void)state;
	vmcb.efer = EFER_SVME | EFER_LME | EFER_LMA;
	assert_true(svm_write_cr4(&vcpu, CR4_PAE));
	assert_int_equal(vcpu.arch.svm.generation, 0); /* its translations are forgotten */
	assert_int_equal(vmcb.clean, 0);
	for (unsigned bit = 0; bit < 64; bit++)
		if (!(policy.cr4 >> bit & 1))
			assert_false(svm_write_cr4(&vcpu, CR4_PAE | 1ull << bit));
	assert_false(svm_write_cr4(&vcpu, 0));
	vmcb.cr3 = 0x1001;
	assert_false(svm_write_cr4(&vcpu, CR4_PAE | CR4_PCIDE));
	vmcb.cr3 = 0x1000;
	assert_true(svm_write_cr4(&vcpu, CR4_PAE | CR4_PCIDE));
	vmcb.cr3 = 0x1001; /* only setting it asks */
	assert_true(svm_write_cr4(&vcpu, CR4_PAE | CR4_PCIDE | CR4_OSXSAVE));
	assert_int_equal(vmcb.cr4, CR4_PAE | CR4_PCIDE | CR4_OSXSAVE | CR4_MCE);
	vmcb.efer = EFER_SVME;
	vmcb.cr4 = 0;
	vmcb.cr3 = 0;
	assert_false(svm_write_cr4(&vcpu, CR4_PAE | CR4_PCIDE));
	assert_true(svm_write_cr4(&vcpu, 0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),	     TEST(test_privilege),	TEST(test_groups),
		TEST(test_svme_is_not_seen), TEST(test_machine_checks), TEST(test_cr4_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
