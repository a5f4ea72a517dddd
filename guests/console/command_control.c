/* command_control.c: start, stop, pause, resume, restart; each waits until it is so. */
#include "commands.h"
#include "pump.h"
#include "report.h"
#include "screen.h"
#include "serial.h"
#include "watch.h"
#include "words.h"

#define PATIENCE_MS 30000 /* wiping 64 GiB takes longer; then the watch tells the end of it */
#define STEP_MS	    20

struct wish {
	enum bh_control control;
	enum bh_state state; /* when it is fulfilled */
	bool anew;	     /* and only by a start that was not there before */
	const char *refused; /* why the kernel refuses it */
};

struct snapshot {
	uint64_t state, cause, started;
};

static struct snapshot look(const struct peer *peer)
{
	return (struct snapshot){ (uint64_t)peer_stat(peer, BH_STAT_STATE, 0),
				  (uint64_t)peer_stat(peer, BH_STAT_CAUSE, 0),
				  (uint64_t)peer_stat(peer, BH_STAT_STARTED, 0) };
}

static bool at_rest(uint64_t state) { return state == BH_STATE_STOPPED || state == BH_STATE_FAILED_CONFIG; }

enum outcome { FULFILLED, ENDED, INTERRUPTED, TOO_LONG };

/* Waits until the wish is fulfilled, or the partition is at rest otherwise, or Ctrl-C. */
static enum outcome wait_for(const struct peer *peer, const struct wish *wish, const struct snapshot *before)
{
	uint64_t start = bh_rdtsc(), limit = start + bh_ticks_ms(PATIENCE_MS);
	bool moved = false;

	while (bh_rdtsc() < limit) {
		struct snapshot now = look(peer);

		moved = moved || now.started != before->started || (now.state != before->state && !at_rest(now.state));
		if (now.state == (uint64_t)wish->state && (!wish->anew || now.started != before->started))
			return FULFILLED;
		if (moved && wish->state != BH_STATE_STOPPED && at_rest(now.state) && now.cause != BH_CAUSE_STOPPED)
			return ENDED;
		if (serial_interrupted())
			return INTERRUPTED;
		pump_wait(bh_rdtsc() + bh_ticks_ms(STEP_MS));
	}
	return TOO_LONG;
}

static void refuse(const struct peer *peer, const struct wish *wish, int64_t error)
{
	struct snapshot now = look(peer);

	if (peer->guest) {
		screen_printf("A monitor lives with its guest: use %s.\n", peer->guest->name);
		return;
	}
	if (error == -BH_EPERM) {
		screen_printf("The console has no right to control %s.\n", peer->name);
		return;
	}
	if (now.state == BH_STATE_FAILED_CONFIG) {
		screen_printf("%s cannot run, its configuration is wrong:\n", peer->name);
		report_print(peer);
		return;
	}
	screen_printf("%s is %s: %s.\n", peer->name, peer_state_words(now.state, now.cause), wish->refused);
}

static void tell(struct peer *peer, enum outcome outcome, uint64_t ticks)
{
	struct snapshot now = look(peer);
	const char *words = peer_state_words(now.state, now.cause);
	char time[WORDS_BYTES];

	words_ticks(time, ticks, bh_info()->tsc_hz);
	switch (outcome) {
	case FULFILLED: screen_printf("%s: %s (after %s).\n", peer->name, words, time); break;
	case ENDED:
		screen_printf("%s: %s.\n", peer->name, words);
		if (now.cause == BH_CAUSE_FAILED)
			report_print(peer);
		break;
	case INTERRUPTED:
	case TOO_LONG:
		screen_printf("%s: %s after %s; it goes on, and you will be told.\n", peer->name, words, time);
		break;
	}
	watch_seen(peer);
}

static void control(struct peer *peer, const struct wish *wish)
{
	struct snapshot before = look(peer);
	uint64_t start = bh_rdtsc();
	int64_t error = bh_call2(BH_PARTITION_CONTROL, peer->partition, wish->control);

	if (error) {
		refuse(peer, wish, error);
		return;
	}

	enum outcome outcome = wait_for(peer, wish, &before);

	tell(peer, outcome, bh_rdtsc() - start);
}

void command_start(const struct arguments *arguments)
{
	static const struct wish wish = { BH_START, BH_STATE_RUNNING, true, "only one that is stopped can be started" };

	control(arguments->peer, &wish);
}

void command_stop(const struct arguments *arguments)
{
	static const struct wish wish = { BH_STOP, BH_STATE_STOPPED, false, "there is nothing to stop" };

	control(arguments->peer, &wish);
}

void command_pause(const struct arguments *arguments)
{
	static const struct wish wish = { BH_PAUSE, BH_STATE_PAUSED, false, "only one that is running can be paused" };

	control(arguments->peer, &wish);
}

void command_resume(const struct arguments *arguments)
{
	static const struct wish wish = { BH_RESUME, BH_STATE_RUNNING, false,
					  "only one that is paused can be resumed" };

	control(arguments->peer, &wish);
}

void command_restart(const struct arguments *arguments)
{
	static const struct wish wish = { BH_RESTART, BH_STATE_RUNNING, true, "it cannot be restarted now" };

	control(arguments->peer, &wish);
}
