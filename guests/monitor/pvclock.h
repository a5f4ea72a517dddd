/*
 * pvclock.h: KVM's paravirtual clock.
 *
 * The guest writes the address of a structure into an MSR; the monitor fills the structure once.
 *From then on the guest computes, with its own TSC and without an exit,
 *
 *	ns = ((tsc - tsc_timestamp) << tsc_shift, or >> -tsc_shift) * tsc_to_system_mul / 2^32 +
 *system_time
 *
 * All vCPUs get the same line, and TSCs that agree, so the clock is one for the whole guest
 * (flag TSC_STABLE). The TSC goes on during a pause, and so does this clock.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/abi.h>
#include "guest_memory.h"

#define PVCLOCK_VCPUS 16

struct pvclock {
	const struct guest_memory *memory;
	uint32_t multiplier;
	int8_t shift;
	uint64_t base_tsc;		     /* host TSC at system_time 0 */
	uint64_t base_nanoseconds;	     /* since 1970, at the same moment */
	uint64_t system_time[PVCLOCK_VCPUS]; /* the MSRs' contents */
	uint64_t wall_clock;
};

/* The factors for `tsc_hz` (not 0): error at most 1e-9 of the time. */
void pvclock_scale(uint64_t tsc_hz, uint32_t *multiplier, int8_t *shift);

/* `base_tsc` is when the clock shows 0; wall_seconds since 1970 at wall_tsc (before base_tsc). */
void pvclock_init(struct pvclock *pvclock, const struct guest_memory *memory, uint64_t tsc_hz, uint64_t base_tsc,
		  uint64_t wall_seconds, uint64_t wall_tsc);

/*
 * RDMSR and WRMSR of BH_MSR_KVM_FIRST and up. False: #GP (no such register, or an address that is
 * no RAM). The vCPU that the message is from.
 */
bool pvclock_read(const struct pvclock *pvclock, unsigned vcpu, uint32_t msr, uint64_t *value);
bool pvclock_write(struct pvclock *pvclock, unsigned vcpu, uint32_t msr, uint64_t value, uint64_t tsc_offset);
