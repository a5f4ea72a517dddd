/* command_control.c: start, stop, pause, resume, restart; each waits until it is so. */
#include "commands.h"
#include "operations.h"
#include "pump.h"
#include "report.h"
#include "screen.h"
#include "serial.h"
#include "users/journal.h"
#include "watch.h"
#include "words.h"

#define PATIENCE_MS 30000 /* wiping 64 GiB takes longer; then the watch tells the end of it */
#define STEP_MS	    20

/* Waits until the wish is fulfilled, or the partition is at rest otherwise, or Ctrl-C: then it still goes on. */
static enum operation_progress wait_for(struct operation_run *run)
{
	uint64_t limit = bh_rdtsc() + bh_ticks_ms(PATIENCE_MS);

	while (bh_rdtsc() < limit) {
		enum operation_progress progress = operation_look(run);

		if (progress != OPERATION_GOES_ON)
			return progress;
		if (serial_interrupted())
			break;
		pump_wait(bh_rdtsc() + bh_ticks_ms(STEP_MS));
	}
	return OPERATION_GOES_ON;
}

static void tell(struct peer *peer, enum operation_progress progress, uint64_t ticks)
{
	uint64_t state = (uint64_t)peer_stat(peer, BH_STAT_STATE, 0);
	uint64_t cause = (uint64_t)peer_stat(peer, BH_STAT_CAUSE, 0);
	const char *words = peer_state_words(state, cause);
	char time[WORDS_BYTES];

	words_ticks(time, ticks, bh_info()->tsc_hz);
	switch (progress) {
	case OPERATION_FULFILLED: screen_printf("%s: %s (after %s).\n", peer->name, words, time); break;
	case OPERATION_ENDED:
		screen_printf("%s: %s.\n", peer->name, words);
		if (cause == BH_CAUSE_FAILED)
			report_print(peer);
		break;
	case OPERATION_GOES_ON:
		screen_printf("%s: %s after %s; it goes on, and you will be told.\n", peer->name, words, time);
		break;
	}
	watch_seen(peer);
}

static void control(struct peer *peer, const char *name)
{
	uint64_t start = bh_rdtsc();
	char words[OPERATION_WORDS];
	struct operation_run run;

	journal_actor("serial line", "");
	switch (operation_begin(&run, operation_named(name), peer, words)) {
	case OPERATION_BEGUN: break;
	case OPERATION_BAD_CONFIG:
		screen_printf("%.*s:\n", (int)strlen(words) - 1, words);
		report_print(peer);
		return;
	default: screen_printf("%s\n", words); return;
	}

	enum operation_progress progress = wait_for(&run);

	tell(peer, progress, bh_rdtsc() - start);
}

void command_start(const struct arguments *arguments) { control(arguments->peer, "start"); }
void command_stop(const struct arguments *arguments) { control(arguments->peer, "stop"); }
void command_pause(const struct arguments *arguments) { control(arguments->peer, "pause"); }
void command_resume(const struct arguments *arguments) { control(arguments->peer, "resume"); }
void command_restart(const struct arguments *arguments) { control(arguments->peer, "restart"); }
