/* share.c: what each source holds of a ring. */
#include "share.h"
#include "guests/lib/bh_string.h"

static uint32_t slot_of(uint32_t position) { return position >> SHARE_SLOT_SHIFT; }

void share_start(struct share *share, uint32_t position)
{
	memset(share, 0, sizeof(*share));
	share->oldest = slot_of(position);
}

static void give_back(struct share *share, unsigned slot)
{
	for (; share->sources[slot]; share->sources[slot] &= share->sources[slot] - 1) {
		unsigned source = (unsigned)__builtin_ctzll(share->sources[slot]);

		share->held[source] -= share->part[slot][source];
		share->part[slot][source] = 0;
	}
}

bool share_allows(struct share *share, unsigned source, uint32_t position, uint32_t free, uint32_t bytes,
		  uint32_t weight)
{
	uint32_t reader = slot_of(position - (BH_FRAMES_BYTES - free));

	/* A reader that lies may have gone back: then all is given back once. */
	for (unsigned i = 0; share->oldest != reader && i < SHARE_SLOTS; i++) {
		give_back(share, share->oldest % SHARE_SLOTS);
		share->oldest = slot_of((share->oldest + 1) << SHARE_SLOT_SHIFT);
	}
	share->oldest = reader;
	return bytes <= free && share->held[source] + weight <= 2 * (free - bytes);
}

void share_take(struct share *share, unsigned source, uint32_t position, uint32_t weight)
{
	unsigned slot = slot_of(position) % SHARE_SLOTS;

	share->held[source] += weight;
	share->sources[slot] |= 1ull << source;
	share->part[slot][source] += weight;
}
