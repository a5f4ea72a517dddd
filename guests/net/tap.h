/*
 * tap.h: copies of a network's frames for the console. Off until it asks.
 *
 * A frame is shown as it is on the network: with the tag of its VLAN. Frames that find no room are counted, and
 * nobody waits for the console.
 */
#pragma once
#include <stdbool.h>
#include "frame.h"
#include "port.h"

/* At start: off everywhere; the ring goes on where it stands. */
void tap_start(void);

/* Says so in the log. */
void tap_set(unsigned network, bool on);

/* The network's tap is on, and `frame` has come from `from`. */
void tap_frame(const struct port *from, const struct frame *frame);

/* At the end of a turn: signals the console if it may have seen the ring empty. */
void tap_flush(void);
