/* share.c: what each source holds of a ring. */
#include "share.h"
#include "guests/lib/bh_string.h"

#define RECORD_BYTES (BH_FRAMES_BYTES / SHARE_RECORDS) /* of the ring, for one of the account */

void share_start(struct share *share, uint64_t ticks_per_ms)
{
	memset(share, 0, sizeof(*share));
	share->window = ticks_per_ms * SHARE_WINDOW_MS;
}

/* ---- how long it may be ------------------------------------------------------------------------- */

static bool overruns(const struct share *share, unsigned source)
{
	return share->refused[source] > SHARE_LOSS + share->passed[source] / 4;
}

/* The window that has ended, and `quiet` ones behind it in which nobody came. */
static void set_level(struct share *share, unsigned source, bool alone, uint64_t quiet)
{
	uint8_t *level = &share->level[source];

	if (!alone && overruns(share, source))
		*level += *level < SHARE_LEVELS;
	else
		quiet++;
	*level = *level < quiet ? 0 : (uint8_t)(*level - quiet);
}

void share_judge(struct share *share, uint64_t now)
{
	uint64_t quiet = (now - share->until) / share->window;
	unsigned active = 0;

	for (unsigned source = 0; source < BH_PORT_NUMBERS; source++)
		active += share->passed[source] || share->refused[source];
	for (unsigned source = 0; source < BH_PORT_NUMBERS; source++)
		set_level(share, source, active < 2, quiet);
	memset(share->passed, 0, sizeof(share->passed));
	memset(share->refused, 0, sizeof(share->refused));
	share->until = now + share->window;
}

/* ---- what it is --------------------------------------------------------------------------------- */

/* A reader that lies may have gone back: what was given back stays so. */
static void give_back(struct share *share, uint32_t position, uint32_t used)
{
	while (share->records) {
		const struct share_record *record = &share->record[share->oldest % SHARE_RECORDS];

		if (position - record->end < used)
			return;
		share->held[record->source] -= record->weight;
		share->sum -= record->weight;
		share->oldest++;
		share->records--;
	}
}

bool share_allows(struct share *share, unsigned source, uint32_t position, uint32_t free, uint32_t bytes,
		  uint32_t weight)
{
	uint32_t used = BH_FRAMES_BYTES - free, left, records, held;

	give_back(share, position, used);
	records = (SHARE_RECORDS - share->records) * RECORD_BYTES;
	if (bytes > free || !records)
		return false;
	left = 2 * (free - bytes < records ? free - bytes : records);
	held = share->held[source];
	/* What is heavy by its many pieces may pass if nothing else is there. */
	if (!held)
		return bytes <= left;
	if (held == share->sum && !share->level[source])
		return used + share->records * RECORD_BYTES + bytes <= left;
	return held + weight <= left >> share->level[source];
}

void share_take(struct share *share, unsigned source, uint32_t end, uint32_t weight)
{
	share->record[(share->oldest + share->records++) % SHARE_RECORDS] =
		(struct share_record){ end, weight, source };
	share->held[source] += weight;
	share->sum += weight;
	share->passed[source]++;
}
