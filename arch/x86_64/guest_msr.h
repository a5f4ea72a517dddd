/*
 * guest_msr.h: RDMSR and WRMSR of guests and natives. What is not listed in guest_msr.c raises #GP,
 * as on a PC that does not have it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* Per vCPU, all 0 at reset but the MTRRs' default type. */
struct guest_msr {
	uint64_t tsc_adjust;
	uint64_t mtrr_default; /* IA32_MTRR_DEF_TYPE; stored only: the nested tables say what is
				  cached */
};

/*
 * MSRs that a guest reads and writes without an exit, so that guest_msr_read and guest_msr_write know nothing of them;
 * IA32_TSC it reads so. Natives have none: a guest's values may be in the CPU.
 */
#define GUEST_MSR_DIRECT 11
extern const uint32_t guest_msr_direct[GUEST_MSR_DIRECT];

/* Power-up values. tsc_offset is the caller's business. */
void guest_msr_reset(struct vcpu *vcpu);

/* Own CPU: false: raise #GP(0), nothing has changed. Unknown MSRs are false. */
bool guest_msr_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool guest_msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value);

/* Is this the monitor's business (KVM's paravirtual clock)? Guests only: natives get #GP. */
bool guest_msr_is_monitor(uint32_t msr);
