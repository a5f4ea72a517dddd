/*
 * queue.h: whose turn it is. Ports with frames are served in turns by what their frames cost (deficit round robin,
 * Shreedhar and Varghese, IEEE/ACM ToN 4(3), 1996), so that one that floods takes no more than its part.
 *
 * A port is active (may have frames), rests until a time (its rate, a full destination), or sleeps (its peer will
 * signal).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "port.h"

/* Nobody is active or rests. */
void queue_start(void);

/* Events of these ports: they have frames, or have made room for those that wait for it. */
void queue_event(uint64_t ports);

/* The port is not served before `until`. */
void queue_rest(struct port *port, uint64_t until);

/* The same, or until an event of `to`, which may have made room. */
void queue_wait(struct port *port, struct port *to, uint64_t until);

/* A frame of the port was dropped by its own fault. */
void queue_excess(struct port *port);

/* Is any port active? */
bool queue_is_busy(void);

/* When the next one has rested; BH_FOREVER: none rests. */
uint64_t queue_deadline(void);

/* One turn: each active port once, for what it may spend. Then signals. */
void queue_turn(void);
