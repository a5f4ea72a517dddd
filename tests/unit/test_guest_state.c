/* The registers with which vCPUs begin, through SVM's back end: what it keeps breaks no rule of either vendor. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "arch_cpu.h"
#include "guest_cpuid.h"
#include "guest_state.h"
#include "guests/monitor/entry_rules.h"
#include "instructions.h"
#include "msr.h"
#include "partition.h"
#include "svm/svm.h"
#include "vcpu.h"
#include "virt.h"

static const struct virt_ops back_end = { .get_state = svm_get_state, .set_state = svm_set_state };
const struct virt_ops *virt = &back_end;

static struct guest_cpuid_policy policy;
static struct entry_offer offer; /* the same */
static struct vmcb vmcb;
static struct vcpu vcpu;
static struct partition partition;
static const struct boot_program program = { .entry = 0x123456 };

const struct guest_cpuid_policy *guest_cpuid_policy(const struct vcpu *v)
{
	(void)v;
	return &policy;
}

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	assert_int_equal(leaf, 1);
	assert_int_equal(subleaf, 0);
	return (struct cpuid){ .eax = 0x806f8 };
}

static struct bh_vcpu_state reset(bool is_guest)
{
	struct bh_vcpu_state state;

	memset(&vmcb, 0, sizeof(vmcb));
	memset(&vcpu, 0xff, sizeof(vcpu));
	policy = (struct guest_cpuid_policy){ .cr4 = is_guest ? 0x3707ff : 0xbc,
					      .efer = is_guest ? 0xd01 : 0xd00,
					      .extended[8] = { .eax = 0x3028 } };
	offer = (struct entry_offer){ .cr4 = policy.cr4, .efer = policy.efer, .address_bits = 40 };
	partition.program = &program;
	vcpu.partition = &partition;
	vcpu.arch.svm.vmcb = &vmcb;
	vcpu.is_guest = is_guest;
	vcpu.index = 3;
	guest_state_reset(&vcpu);
	svm_get_state(&vcpu, BH_STATE_ALL, &state);
	assert_null(entry_rules_broken_svm(&state, &offer));
	assert_null(entry_rules_broken_vmx(&state, &offer));
	assert_int_equal(vcpu.arch.cr2, 0);
	return state;
}

/* SDM vol. 3, table 10-1. */
static void test_guest(void **unused)
{
	struct bh_vcpu_state state = reset(true);

	(void)unused;
	assert_int_equal(state.rip, 0xfff0);
	assert_int_equal(state.rflags, 2);
	assert_int_equal(state.cr0, 0x60000010);
	assert_int_equal(state.cr3 | state.cr4 | state.efer, 0);
	assert_int_equal(state.segment[BH_CS].selector, 0xf000);
	assert_int_equal(state.segment[BH_CS].base, 0xffff0000);
	assert_int_equal(state.segment[BH_CS].access, 0x9b);
	for (unsigned i = 0; i < BH_SEGMENTS; i++)
		assert_int_equal(state.segment[i].limit, 0xffff);
	assert_int_equal(state.segment[BH_SS].access, 0x93);
	assert_int_equal(state.segment[BH_LDTR].access, 0x82);
	assert_int_equal(state.segment[BH_TR].access, 0x8b);
	assert_int_equal(state.gdtr_limit, 0xffff);
	assert_int_equal(state.idtr_limit, 0xffff);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(state.gpr[i], i == BH_RDX ? 0x806f8 : 0);
}

static void test_startup(void **unused)
{
	struct bh_vcpu_state before = reset(true), state;

	(void)unused;
	guest_state_startup(&vcpu, 0x9a);
	svm_get_state(&vcpu, BH_STATE_ALL, &state);
	assert_null(entry_rules_broken_vmx(&state, &offer));
	assert_int_equal(state.segment[BH_CS].selector, 0x9a00);
	assert_int_equal(state.segment[BH_CS].base, 0x9a000);
	assert_int_equal(state.rip, 0);
	state.segment[BH_CS] = before.segment[BH_CS];
	state.rip = before.rip;
	assert_memory_equal(&state, &before, sizeof(state));
}

static void test_native(void **unused)
{
	struct bh_vcpu_state state = reset(false);

	(void)unused;
	assert_int_equal(state.rip, 0x123456);
	assert_int_equal(state.rflags, 0x202);
	assert_int_equal(state.cr0, 0x80010039);
	assert_int_equal(state.cr3, BH_NATIVE_CR3);
	assert_int_equal(state.cr4, 0x20);
	assert_int_equal(state.efer, 0xd00);
	assert_int_equal(state.segment[BH_CS].access, 0xa09b);
	assert_int_equal(state.segment[BH_CS].selector, GDT_CODE);
	assert_int_equal(state.segment[BH_SS].selector, GDT_DATA);
	assert_int_equal(state.segment[BH_LDTR].access, BH_SEGMENT_UNUSABLE);
	assert_int_equal(state.idtr_limit, 0);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(state.gpr[i], i == BH_RDI ? 3 : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guest),
		cmocka_unit_test(test_startup),
		cmocka_unit_test(test_native),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
