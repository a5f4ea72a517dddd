/*
 * message.h: a guest's exit that its monitor must answer.
 *
 * The guest's vCPU and the monitor's vCPU stand on the same CPU in one entity, so sending is: fill
 * the page, mark one waiting and the other runnable. Who is entered next follows from that.
 */
#pragma once
#include <stdint.h>
#include <bulkhead/abi.h>

struct vcpu;

/* IN or OUT of `size` bytes; RIP has been moved on. */
void message_pio(struct vcpu *guest, uint16_t port, unsigned size, unsigned write);

/* Any other reason; `groups` of state travel. Guests with a monitor only. */
void message_send(struct vcpu *guest, enum bh_message_reason reason, uint64_t address, uint64_t value, unsigned write,
		  uint32_t groups);

/* BH_WAIT_REPLY: takes the answer from the page, which the monitor may be changing at this moment.
 * 0, -BH_ESTATE. */
int64_t message_reply(struct vcpu *monitor);
