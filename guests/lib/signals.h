/*
 * signals.h: signals to channels' peers that may come as late as the next wait. The last one goes with it, in one
 * hypercall: on a CPU that both share the peer is then the next to run.
 */
#pragma once
#include <stdbool.h>
#include "bh.h"

/* Of one vCPU, which alone uses it. All zero: none is due. */
struct bh_signals {
	bool due;
	bh_handle channel;
};

/* Signals the peer of `channel` now or with the next bh_signals_wait. */
static inline void bh_signals_add(struct bh_signals *signals, bh_handle channel)
{
	if (signals->due && signals->channel != channel)
		bh_call1(BH_CHANNEL_SIGNAL, signals->channel);
	signals->due = true;
	signals->channel = channel;
}

/* BH_WAIT, and what is due before it. */
static inline int64_t bh_signals_wait(struct bh_signals *signals, uint64_t mask, uint64_t deadline)
{
	uint64_t flags = signals->due ? BH_WAIT_SIGNAL : 0;

	signals->due = false;
	return bh_call4(BH_WAIT, mask, deadline, flags, signals->channel);
}
