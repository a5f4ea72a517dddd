/*
 * switch.h: what becomes of a frame: judged, limited, and delivered to the ports that are to have it.
 */
#pragma once
#include <stdint.h>
#include "frame.h"
#include "port.h"

/*
 * The frame that came from `from`; `record` and `ring` or `data` are set. It is delivered, or dropped and counted. The
 * result is what that cost, in bytes. 0: nothing has happened, and it has to be given again: there is no room at its
 * destination, and `from` rests until there is or until it has waited long enough.
 */
uint32_t switch_frame(struct port *from, struct frame *frame);
