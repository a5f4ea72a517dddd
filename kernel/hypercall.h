/* hypercall.h: the only door. */
#pragma once
#include <stdint.h>
#include "vcpu.h"

/* Checks everything, then acts; the result for the caller's RAX. Nothing yet, if the caller now is VCPU_WAITING. */
typedef int64_t (*hypercall_function)(struct vcpu *caller);

extern const hypercall_function hypercall_table[BH_HYPERCALL_END - BH_HYPERCALL_BASE];

/* The hypercall in the vCPU's registers, from ring 0; RIP has been moved on. */
static inline int64_t hypercall(struct vcpu *vcpu)
{
	uint64_t number = vcpu->arch.gpr[BH_RAX] - BH_HYPERCALL_BASE;

	return number < BH_HYPERCALL_END - BH_HYPERCALL_BASE ? hypercall_table[number](vcpu) : -BH_ENOSYS;
}
