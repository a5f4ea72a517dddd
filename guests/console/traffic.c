#include "traffic.h"

#define PER_SECOND 1000 /* time is taken in milliseconds: what is multiplied by them stays below 2^64 */

static bool rate(uint64_t *to, uint64_t before, uint64_t now, uint64_t ms)
{
	uint64_t more = now - before;

	if (now < before)
		return false;
	*to = more > UINT64_MAX / PER_SECOND ? more / ms * PER_SECOND : more * PER_SECOND / ms;
	return true;
}

bool traffic_between(struct traffic *traffic, const struct bh_port_stat *before, const struct bh_port_stat *now,
		     uint64_t ticks, uint64_t hz)
{
	uint64_t ms = hz ? ticks / hz * PER_SECOND + ticks % hz * PER_SECOND / hz : 0;

	return ms && rate(&traffic->out_frames, before->out_frames, now->out_frames, ms) &&
	       rate(&traffic->out_bytes, before->out_bytes, now->out_bytes, ms) &&
	       rate(&traffic->in_frames, before->in_frames, now->in_frames, ms) &&
	       rate(&traffic->in_bytes, before->in_bytes, now->in_bytes, ms);
}
