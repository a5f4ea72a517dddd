/* police.c: the numbers of a token bucket. */
#include "police.h"

/* Together with BUCKET_TAKE_MAX less than 2^64. */
#define UNIT_MAX (1ull << 46)

void bucket_start(struct bucket *bucket, uint64_t rate, uint64_t burst, uint64_t hz)
{
	*bucket = (struct bucket){ 0 };
	if (!rate)
		return;
	bucket->unit = (hz << BUCKET_SHIFT) / rate;
	if (!bucket->unit)
		bucket->unit = 1;
	if (bucket->unit > UNIT_MAX)
		bucket->unit = UNIT_MAX;
	bucket->depth = (burst > UINT64_MAX / bucket->unit ? UINT64_MAX : burst * bucket->unit) >> BUCKET_SHIFT;
}
