/* event.h: sticky bits that wake a waiting vCPU, and the one hypercall that waits. */
#pragma once
#include <stdint.h>
#include "vcpu.h"

/* Sets the bits and wakes the vCPU if it waits for one of them. Bits stay set until taken. Any CPU;
 * at most one IPI. */
void event_signal(struct vcpu *vcpu, uint64_t mask);

/* BH_WAIT; the result, or, with the vCPU's state VCPU_WAITING, nothing yet: event_attend brings it
 * later. */
int64_t event_hypercall_wait(struct vcpu *caller, uint64_t mask, uint64_t deadline, uint64_t flags, uint64_t channel);

/* Own CPU: ends the wait of a vCPU if an event or a message is there. */
void event_attend(struct vcpu *vcpu);

/* Own CPU: a waiting vCPU goes on with this result of BH_WAIT. */
static inline void event_finish_wait(struct vcpu *vcpu, int64_t result)
{
	vcpu->arch.gpr[BH_RAX] = (uint64_t)result;
	vcpu_set_state(vcpu, VCPU_RUNNABLE);
}

int64_t event_hypercall_signal(struct vcpu *caller, uint64_t vcpu, uint64_t mask);
