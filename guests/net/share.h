/*
 * share.h: who may fill how much of a ring that several ports write to.
 *
 * Dynamic thresholds (Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998): a source may hold at most twice what stays free
 * beside it. One alone gets half of the ring for large segments and more for small frames, two that flood leave a fifth
 * to the third, and there is always something for who comes next. What each holds is kept by slots of the ring: it is
 * given back when the reader has left the slot in which the record starts.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>

#define SHARE_SLOT_SHIFT 14
#define SHARE_SLOTS	 32u /* more than the ring has, 17 of which may be in use at once */
_Static_assert((SHARE_SLOTS << SHARE_SLOT_SHIFT) >= 2 * BH_FRAMES_BYTES, "slots in use have different numbers");

struct share {
	uint32_t oldest;		/* slot with something in it, or the present one; counted without end */
	uint32_t held[BH_PORT_NUMBERS]; /* by source */
	uint64_t sources[SHARE_SLOTS];	/* that have something there */
	uint32_t part[SHARE_SLOTS][BH_PORT_NUMBERS];
};

/* An account of a ring in which nobody holds anything and whose next record starts at `position`. */
void share_start(struct share *share, uint32_t position);

/*
 * May `source` write a record of `bytes` that weighs `weight`? It would start at `position`, and `free` is what the
 * ring has. Nothing is booked yet.
 */
bool share_allows(struct share *share, unsigned source, uint32_t position, uint32_t free, uint32_t bytes,
		  uint32_t weight);

/* Books it. */
void share_take(struct share *share, unsigned source, uint32_t position, uint32_t weight);
