/*
 * deliver.h: writing the frame to one destination: with a tag or without, whole or cut, by ring or by NIC.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "frame.h"
#include "port.h"

/* What a frame costs whatever its size, as bytes that could have been copied instead (about 500 instructions). */
#define DELIVER_COST 4096u

/* How the frame goes to `to`. */
struct delivery {
	struct port *to;
	bool tag;
	bool software;	 /* its checksum is completed here, or it is cut here */
	uint32_t need;	 /* bytes of the ring */
	uint32_t weight; /* what they count in the ring's shares */
	uint32_t cost;	 /* to whoever sends */
};

void deliver_plan(const struct frame *frame, struct port *to, struct delivery *delivery);

/* Is there room, of which `source` may take so much? */
bool deliver_room(const struct delivery *delivery, unsigned source);

/* Asks for a signal when there is room. Then look again. */
void deliver_ask(const struct delivery *delivery);

/* Writes it: after deliver_room has said that there is room. */
void deliver(const struct frame *frame, const struct delivery *delivery, unsigned source);

/* Drops it there, for lack of room. */
void deliver_drop(const struct delivery *delivery, unsigned source);
