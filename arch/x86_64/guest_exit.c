#include "guest_exit.h"
#include <guests/lib/bh_string.h>
#include "frame.h"
#include "guest_apic.h"
#include "guest_control.h"
#include "guest_msr.h"
#include "instructions.h"
#include "msr.h"
#include "partition.h"
#include "report.h"
#include "virt.h"

/* ---- instructions ------------------------------------------------------------------------------ */

/* A guest that halts with interrupts off can only be woken by INIT; a native that halts is not woken at all. */
enum guest_answer guest_exit_hlt(struct vcpu *vcpu, bool interrupts)
{
	if (!vcpu->is_guest)
		vcpu->state = VCPU_PARKED;
	else if (!interrupts)
		vcpu->state = VCPU_DEAF;
	else if (guest_apic_scan(&vcpu->arch.apic) < 0)
		vcpu->state = VCPU_HALTED;
	return ANSWER_SKIP;
}

/* There are CPUs that exit before they look at the privilege level: SVM's (APM vol. 2, 15.9), and Bochs with VT-x. */
enum guest_answer guest_exit_xsetbv(struct vcpu *vcpu)
{
	uint64_t *gpr = vcpu->arch.gpr;
	struct bh_vcpu_state state;

	if (!vcpu->is_guest) {
		report_failure(vcpu, "XSETBV in a native program, which has no extended state");
		return ANSWER_DONE;
	}
	virt->get_state(vcpu, BH_STATE_CONTROL | BH_STATE_SEGMENTS, &state);
	if (!(state.cr4 & CR4_OSXSAVE))
		return ANSWER_UD;
	if (state.segment[BH_SS].access >> 5 & 3)
		return ANSWER_GP;
	return xstate_xsetbv(vcpu, (uint32_t)gpr[BH_RCX], gpr[BH_RDX] << 32 | (uint32_t)gpr[BH_RAX]) ? ANSWER_SKIP
												     : ANSWER_GP;
}

/* ---- MSRs -------------------------------------------------------------------------------------- */

enum guest_answer guest_exit_rdmsr(struct vcpu *vcpu)
{
	uint32_t msr = (uint32_t)vcpu->arch.gpr[BH_RCX];
	uint64_t value;

	if (vcpu->is_guest && guest_msr_is_monitor(msr)) {
		message_send(vcpu, BH_MSG_MSR_READ, msr, 0, 0, 0);
		return ANSWER_DONE; /* the answer skips */
	}
	if (!guest_msr_read(vcpu, msr, &value))
		return ANSWER_GP;
	vcpu->arch.gpr[BH_RAX] = (uint32_t)value;
	vcpu->arch.gpr[BH_RDX] = value >> 32;
	return ANSWER_SKIP;
}

void guest_exit_eoi(struct vcpu *vcpu, int vector)
{
	if (vector >= 0)
		message_send(vcpu, BH_MSG_EOI, 0, (uint64_t)vector, 0, 0);
}

enum guest_answer guest_exit_wrmsr(struct vcpu *vcpu)
{
	uint32_t msr = (uint32_t)vcpu->arch.gpr[BH_RCX];
	uint64_t value = vcpu->arch.gpr[BH_RDX] << 32 | (uint32_t)vcpu->arch.gpr[BH_RAX];

	if (vcpu->is_guest && guest_msr_is_monitor(msr)) {
		message_send(vcpu, BH_MSG_MSR_WRITE, msr, value, 1, 0);
		return ANSWER_DONE;
	}
	if (!guest_msr_write(vcpu, msr, value))
		return ANSWER_GP;
	if (vcpu->is_guest && msr == IA32_X2APIC_EOI)
		guest_exit_eoi(vcpu, guest_apic_take_eoi(vcpu));
	return ANSWER_SKIP;
}

/* ---- ports and addresses ----------------------------------------------------------------------- */

void guest_port_bitmap(const struct partition *partition, uint8_t *bitmap, size_t bytes)
{
	memset(bitmap, 0xff, bytes);
	for (unsigned i = 0; i < partition->port_ranges; i++) {
		for (uint32_t port = partition->port[i].first; port <= partition->port[i].last; port++)
			bitmap[port / 8] &= (uint8_t) ~(1u << port % 8);
	}
}

bool guest_exit_doorbell(struct vcpu *vcpu, uint16_t port, unsigned size)
{
	if (guest_control_ring(vcpu, port))
		return true;
	message_pio(vcpu, port, size, 1);
	return false;
}

void guest_exit_string(struct vcpu *vcpu, uint16_t port, bool write)
{
	if (vcpu->is_guest)
		message_send(vcpu, BH_MSG_PIO_STRING, port, 0, write, BH_STATE_ALL);
	else
		report_failure(vcpu, "string input or output in a native program");
}

void guest_exit_memory(struct vcpu *vcpu, uint64_t address, unsigned access, bool mapped, bool delivering)
{
	const char *words = access & MAP_EXECUTE ? "executed at" : access & MAP_WRITE ? "wrote to" : "read from";

	if (vcpu->is_guest && !(access & MAP_EXECUTE) && !delivering)
		message_send(vcpu, BH_MSG_MMIO, address, 0, access & MAP_WRITE ? 1 : 0, BH_STATE_ALL);
	else
		report_failure(vcpu, "it %s %llx, %s", words, (unsigned long long)address,
			       mapped ? "which its memory does not allow" : "which is outside its memory");
}

/* ---- ends -------------------------------------------------------------------------------------- */

void guest_exit_triple_fault(struct vcpu *vcpu)
{
	report_failure(vcpu, "triple fault: an exception could not be delivered, nor the double fault after it");
}

/* The state is still as it was to be entered (SDM vol. 3, 26.8; APM vol. 2, 15.5.1). */
void guest_exit_refused(struct vcpu *vcpu, bool svm)
{
	const struct guest_cpuid_policy *policy = guest_cpuid_policy(vcpu);

	if (vcpu->is_guest)
		message_send(vcpu, BH_MSG_REFUSED, policy->extended[8].eax & 0xff, policy->efer << 32 | policy->cr4,
			     svm, BH_STATE_ALL);
	else
		report_failure(vcpu, "the CPU refuses to enter a native program: a defect of the kernel");
}

void guest_exit_native_control(struct vcpu *vcpu, unsigned number)
{
	report_failure(vcpu, "a native program changed control register %u", number);
}

void guest_exit_native_debug(struct vcpu *vcpu) { report_failure(vcpu, "a native program used a debug register"); }

void guest_exit_native_fpu(struct vcpu *vcpu)
{
	report_failure(vcpu, "FPU use: a native program executed a floating-point or vector instruction");
}
