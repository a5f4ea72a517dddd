/* traffic.h: how much goes through a port in a second. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>

/* Each a second. */
struct traffic {
	uint64_t out_frames, out_bytes, in_frames, in_bytes;
};

/* From the numbers `before`, and `ticks` of a TSC of `hz` later. False: no time has passed, or a number went back. */
bool traffic_between(struct traffic *traffic, const struct bh_port_stat *before, const struct bh_port_stat *now,
		     uint64_t ticks, uint64_t hz);
