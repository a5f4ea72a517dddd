#include "event.h"
#include "clock.h"
#include "cpu.h"
#include "message.h"
#include "partition.h"
#include "vcpu.h"

void event_signal(struct vcpu *vcpu, uint64_t mask)
{
	uint64_t before = atomic_fetch_or(&vcpu->events, mask);

	/* Bits that were there have already woken whoever cared; who does not wait will look before
	 * it waits. */
	if ((before & mask) != mask && atomic_load(&vcpu->state) == VCPU_WAITING)
		vcpu_wake(vcpu);
}

static uint64_t event_take(struct vcpu *vcpu, uint64_t mask)
{
	if (!(atomic_load(&vcpu->events) & mask))
		return 0;
	return atomic_fetch_and(&vcpu->events, ~mask) & mask;
}

int64_t event_hypercall_wait(struct vcpu *caller, uint64_t mask, uint64_t deadline, uint64_t flags)
{
	uint64_t result;

	if ((mask >> BH_EVENT_BITS) | (flags & ~(uint64_t)BH_WAIT_REPLY))
		return -BH_EINVAL;
	if (flags & BH_WAIT_REPLY) {
		int64_t error = message_reply(caller);

		if (error)
			return error;
	}

	caller->wait_mask = mask;
	/* State before events: whoever signals sets the bits before he reads the state. */
	atomic_exchange(&caller->state, VCPU_WAITING);
	result = event_take(caller, mask) | message_take(caller);
	if (result || (deadline != BH_FOREVER && (deadline == 0 || deadline <= clock_now()))) {
		vcpu_set_state(caller, VCPU_RUNNABLE);
		/* After a reply the guest has a claim too, and its registers may be what the CPU has at hand. */
		if (flags & BH_WAIT_REPLY)
			cpus[caller->cpu]->sched.look = 1;
		return (int64_t)result;
	}
	if (deadline != BH_FOREVER)
		vcpu_set_timer(caller, deadline);
	return 0;
}

void event_attend(struct vcpu *vcpu)
{
	uint64_t result;

	if (vcpu->state != VCPU_WAITING)
		return;
	result = event_take(vcpu, vcpu->wait_mask) | message_take(vcpu);
	if (result)
		event_finish_wait(vcpu, (int64_t)result);
}

int64_t event_hypercall_signal(struct vcpu *caller, uint64_t vcpu, uint64_t mask)
{
	struct partition *partition = caller->partition;

	if (vcpu >= partition->vcpus || mask >> BH_EVENT_BITS || caller->is_guest)
		return -BH_EINVAL;
	event_signal(partition->vcpu[vcpu], mask);
	return 0;
}
