#include "watch.h"
#include "report.h"

static void look(const struct peer *peer, uint64_t now[3])
{
	now[0] = (uint64_t)peer_stat(peer, BH_STAT_STATE, 0);
	now[1] = (uint64_t)peer_stat(peer, BH_STAT_CAUSE, 0);
	now[2] = (uint64_t)peer_stat(peer, BH_STAT_STARTED, 0);
}

void watch_seen(struct peer *peer)
{
	uint64_t now[3];

	look(peer, now);
	peer->seen_state = now[0];
	peer->seen_cause = now[1];
	peer->seen_started = now[2];
}

void watch_start(void)
{
	for (unsigned i = 0; i < peer_count; i++)
		watch_seen(&peers[i]);
}

static void describe(const struct peer *peer, char text[WATCH_TEXT_BYTES])
{
	char reason[96] = "";
	const char *words = peer_state_words(peer->seen_state, peer->seen_cause);

	if (peer->seen_state == BH_STATE_RUNNING) {
		bh_snprintf(text, WATCH_TEXT_BYTES, "%s runs (restarts: %d)", peer->name,
			    (int)peer_stat(peer, BH_STAT_RESTARTS, 0));
		return;
	}
	if (peer->seen_state == BH_STATE_STOPPED && peer->seen_cause == BH_CAUSE_FAILED)
		report_first_line(peer, reason, sizeof(reason));
	bh_snprintf(text, WATCH_TEXT_BYTES, "%s %s%s%s", peer->name, words, reason[0] ? ": " : "", reason);
}

struct peer *watch_next(char text[WATCH_TEXT_BYTES])
{
	for (unsigned i = 0; i < peer_count; i++) {
		struct peer *peer = &peers[i];
		uint64_t now[3];

		/* A monitor's state is its guest's. */
		if (peer->guest || !peer->name[0])
			continue;
		look(peer, now);
		if (now[0] == peer->seen_state && now[2] == peer->seen_started)
			continue;
		/* On its way: worth a line when it has arrived. */
		if (now[0] == BH_STATE_BUILDING || now[0] == BH_STATE_DYING)
			continue;
		peer->seen_state = now[0];
		peer->seen_cause = now[1];
		peer->seen_started = now[2];
		describe(peer, text);
		return peer;
	}
	return NULL;
}
