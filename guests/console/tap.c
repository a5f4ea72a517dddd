#include "tap.h"
#include "guests/lib/bh.h"

#define RECORD	    ((uint32_t)sizeof(struct bh_tap_record))
#define ROUND_UP(n) (((n) + 15u) & ~15u)

enum network_outcome tap_start(struct tap *tap, unsigned network)
{
	enum network_outcome outcome;

	*tap = (struct tap){ .network = network, .life = network_life() };
	if (network_state() != NETWORK_RUNS)
		return NETWORK_GONE;
	tap->position = network_tap_written();
	tap->lost = network_tap_lost();
	network_tap_release(tap->position);
	outcome = network_request(BH_NETWORK_TAP, network, 1);
	if (outcome != NETWORK_DONE)
		network_amend(BH_NETWORK_TAP, 0);
	return outcome;
}

/* Empties the ring: its writer is broken, or was started badly. */
static void skip_all(struct tap *tap, uint32_t written)
{
	tap->broken++;
	tap->position = written;
	network_tap_release(written);
}

static bool possible(const struct bh_tap_record *record, uint32_t there)
{
	return record->bytes >= BH_FRAME_MIN && record->bytes <= BH_FRAME_MAX && record->kept <= record->bytes &&
	       RECORD + ROUND_UP(record->kept) <= there;
}

/* The information page says what time it was at some TSC. */
static void set_time(struct tap_frame *frame, uint64_t tsc)
{
	const struct bh_info *info = bh_info();
	uint64_t hz = info->tsc_hz ? info->tsc_hz : 1;
	uint64_t ticks = tsc > info->wall_tsc ? tsc - info->wall_tsc : 0, rest = ticks % hz;

	frame->seconds = info->wall_seconds + ticks / hz;
	/* Below a second: the product fits up to 18 THz. */
	frame->microseconds = (uint32_t)(rest * 1000000 / hz);
}

bool tap_next(struct tap *tap, struct tap_frame *frame)
{
	uint32_t written = network_tap_written(), there = written - tap->position;
	struct bh_tap_record record;

	while (there) {
		if (there < RECORD || there > BH_TAP_BYTES) {
			skip_all(tap, written);
			return false;
		}
		network_tap_copy(&record, tap->position, RECORD);
		if (!possible(&record, there)) {
			skip_all(tap, written);
			return false;
		}
		*frame = (struct tap_frame){ .bytes = record.bytes, .kept = record.kept, .port = record.port };
		set_time(frame, record.tsc);
		if (record.network == tap->network)
			return true;
		/* One of another network, whose tap is still on. */
		tap_done(tap, frame);
		there = written - tap->position;
	}
	return false;
}

void tap_copy(const struct tap *tap, uint32_t offset, void *to, uint32_t bytes)
{
	network_tap_copy(to, tap->position + RECORD + offset, bytes);
}

void tap_done(struct tap *tap, const struct tap_frame *frame)
{
	tap->position += RECORD + ROUND_UP(frame->kept);
	network_tap_release(tap->position);
}

uint64_t tap_lost(struct tap *tap)
{
	uint64_t now = network_tap_lost(), more = now > tap->lost ? now - tap->lost : 0;

	tap->lost = now;
	tap->lost_here += more;
	return more;
}

bool tap_dead(const struct tap *tap) { return network_life() != tap->life; }

enum network_outcome tap_stop(struct tap *tap) { return network_request(BH_NETWORK_TAP, tap->network, 0); }
