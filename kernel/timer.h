/* timer.h: one-shot timers of a CPU, sorted by deadline. Own CPU only, interrupts off. */
#pragma once
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

struct timer {
	uint64_t deadline; /* TSC; TIMER_NEVER: not armed */
	struct timer *next;
	void (*fire)(struct timer *); /* called once, disarmed before; may arm it again */
};

struct timer_queue {
	struct timer *first;
	uint64_t next; /* the earliest deadline, or TIMER_NEVER: the exit path looks here */
};

/* Arms `timer` for `deadline`, or moves it; TIMER_NEVER disarms it. */
void timer_set(struct timer_queue *queue, struct timer *timer, uint64_t deadline);

/* Fires what is due at `now`. */
void timer_expire(struct timer_queue *queue, uint64_t now);
