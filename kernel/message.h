/*
 * message.h: a guest's exit that its monitor must answer.
 *
 * The guest's vCPU and the monitor's vCPU stand on the same CPU in one entity, so sending is: fill
 * the page, mark one waiting and the other runnable. Who is entered next follows from that.
 */
#pragma once
#include <stdint.h>
#include <bulkhead/abi.h>
#include "vcpu.h"

/* IN or OUT of `size` bytes; RIP has been moved on. */
void message_pio(struct vcpu *guest, uint16_t port, unsigned size, unsigned write);

/* Any other reason; `groups` of state travel. Guests with a monitor only. */
void message_send(struct vcpu *guest, enum bh_message_reason reason, uint64_t address, uint64_t value, unsigned write,
		  uint32_t groups);

/* A port gave `value`: leaves RAX as an IN of `size` bytes (1, 2, 4) does. */
void message_finish_in(struct vcpu *vcpu, unsigned size, uint64_t value);

/* Takes the answer to the guest's message from the page, which the monitor may be changing at this moment. */
void message_answer(struct vcpu *guest);

/* BH_WAIT_REPLY: the guest goes on with the answer. 0, -BH_ESTATE. */
static inline int64_t message_reply(struct vcpu *monitor)
{
	struct vcpu *guest = monitor->peer;

	if (!guest || guest->state != VCPU_MESSAGE)
		return -BH_ESTATE;

	if (guest->message_reason != BH_MSG_NONE)
		message_answer(guest);
	vcpu_set_state(guest, VCPU_RUNNABLE);
	/* An INIT that came meanwhile had to wait for this. */
	if (atomic_load(&guest->requests))
		vcpu_wake(guest);
	return 0;
}

/* BH_WAIT: the monitor is told of its guest's message, if there is one; its bit for the result. */
static inline uint64_t message_take(struct vcpu *monitor)
{
	struct vcpu *guest = monitor->peer;

	if (!guest || guest->state != VCPU_POSTED)
		return 0;
	vcpu_set_state(guest, VCPU_MESSAGE);
	return BH_EVENT_MESSAGE;
}
