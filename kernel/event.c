#include "event.h"
#include "channel.h"
#include "clock.h"
#include "cpu.h"
#include "handle_lookup.h"
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

/* Whoever waits for the signal on this CPU is done waiting: nothing need be left for the next choice to find. */
static int64_t signal_first(struct vcpu *caller, uint64_t channel)
{
	struct handle *handle;
	int64_t error = handle_lookup(caller, channel, BH_HANDLE_CHANNEL, BH_RIGHT_USE, &handle);
	uint64_t mask = 0;
	struct vcpu *peer = error ? NULL : channel_listener(channel_other_end(handle), &mask);

	if (!peer)
		return error;
	if (peer->cpu == caller->cpu && peer->state == VCPU_WAITING && peer->wait_mask & mask) {
		event_finish_wait(peer, (int64_t)(mask | event_take(peer, peer->wait_mask) | message_take(peer)));
		sched_wake(&cpus[peer->cpu]->sched, peer->entity);
	} else {
		event_signal(peer, mask);
	}
	return 0;
}

int64_t event_hypercall_wait(struct vcpu *caller, uint64_t mask, uint64_t deadline, uint64_t flags, uint64_t channel)
{
	uint64_t result;

	if ((mask >> BH_EVENT_BITS) | (flags > BH_WAIT_SIGNAL))
		return -BH_EINVAL;
	if (flags) {
		int64_t error = flags == BH_WAIT_REPLY ? message_reply(caller) : signal_first(caller, channel);

		if (error)
			return error;
	}

	caller->wait_mask = mask;
	caller->wait_deadline = deadline;
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
	/* One that was set for an earlier wait, and comes too early for this one, is set anew when it comes. */
	if (deadline < caller->timer.deadline)
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
