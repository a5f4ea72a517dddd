/*
 * share.h: who may fill how much of a ring that several ports write to.
 *
 * Dynamic thresholds (Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998): a source may hold at most twice what stays free
 * beside it. One alone gets half of the ring for large segments and more for small frames, two that flood leave a fifth
 * to the third, and there is always something for who comes next. What is held is weight, not bytes, unless one is
 * alone: the reader takes records in order, so of its time, too, each source gets what it holds of the ring.
 *
 * TCP reacts to loss. A source of which much is refused in one window after the other does not: as long as it is not
 * alone there, its share is halved with each window, and doubled again with each in which it behaves.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>

#define SHARE_RECORDS	1024u /* in the ring at once */
#define SHARE_LEVELS	5     /* times that a share can be halved */
#define SHARE_WINDOW_MS 10
#define SHARE_LOSS	16 /* refused in a window: so many, and a quarter of what passed, are nothing to worry about */

struct share {
	uint64_t window, until; /* ticks; TSC at which the present one ends */
	uint32_t oldest, records;
	uint32_t held[BH_PORT_NUMBERS], sum; /* by source, and of all */
	uint32_t passed[BH_PORT_NUMBERS], refused[BH_PORT_NUMBERS];
	uint8_t level[BH_PORT_NUMBERS]; /* how often its share is halved */
	struct share_record {
		uint32_t end; /* position */
		uint32_t weight : 26, source : 6;
	} record[SHARE_RECORDS];
};
_Static_assert(BH_PORT_NUMBERS <= 64, "a source has 6 bits");

/* An account of a ring in which nobody holds anything. `ticks_per_ms` of the TSC. */
void share_start(struct share *share, uint64_t ticks_per_ms);

/* Ends the window when it is over. */
void share_judge(struct share *share, uint64_t now);
static inline void share_look(struct share *share, uint64_t now)
{
	if (now >= share->until)
		share_judge(share, now);
}

/*
 * May `source` write records of `bytes` in all that weigh `weight`? They would start at `position`, and `free` is what
 * the ring has. Nothing is booked yet.
 */
bool share_allows(struct share *share, unsigned source, uint32_t position, uint32_t free, uint32_t bytes,
		  uint32_t weight);

/* Books it: it is written now, and the next record would start at `end`. */
void share_take(struct share *share, unsigned source, uint32_t end, uint32_t weight);

/* It was dropped. */
static inline void share_refuse(struct share *share, unsigned source) { share->refused[source]++; }

/* Its share is not whole at present. */
static inline bool share_is_cut(const struct share *share, unsigned source) { return share->level[source]; }
