/*
 * police.h: token buckets: so many bytes or frames a second, and a burst beyond that.
 *
 * A bucket is kept as the time at which it is full again. It lets one through whenever it owes no more than the burst,
 * and then owes what that one took: so a frame larger than the burst passes as well, and on average the rate is exact.
 * Time is in ticks of the TSC.
 */
#pragma once
#include <stdint.h>

#define BUCKET_SHIFT	20
#define BUCKET_TAKE_MAX 0x1ffffu /* at once */

struct bucket {
	uint64_t unit;	/* ticks that one unit takes, << BUCKET_SHIFT; 0: no limit */
	uint64_t depth; /* ticks that the burst takes */
	uint64_t full;	/* TSC */
};

/* `rate` units a second, at `hz` ticks; 0: no limit. Less than a unit in four hours is taken as that. */
void bucket_start(struct bucket *bucket, uint64_t rate, uint64_t burst, uint64_t hz);

/* Ticks from `now` until it lets one through; 0: now. */
static inline uint64_t bucket_wait(const struct bucket *bucket, uint64_t now)
{
	return bucket->full <= now + bucket->depth ? 0 : bucket->full - bucket->depth - now;
}

/* Takes `units`, at most BUCKET_TAKE_MAX. */
static inline void bucket_take(struct bucket *bucket, uint32_t units, uint64_t now)
{
	if (!bucket->unit)
		return;
	if (bucket->full < now)
		bucket->full = now;
	bucket->full += units * bucket->unit >> BUCKET_SHIFT;
}
