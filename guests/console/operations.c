#include "operations.h"
#include "users/journal.h"

static const struct operation operations[] = {
	{ "start", BH_START, BH_STATE_RUNNING, true, "only one that is stopped can be started" },
	{ "stop", BH_STOP, BH_STATE_STOPPED, false, "there is nothing to stop" },
	{ "pause", BH_PAUSE, BH_STATE_PAUSED, false, "only one that is running can be paused" },
	{ "resume", BH_RESUME, BH_STATE_RUNNING, false, "only one that is paused can be resumed" },
	{ "restart", BH_RESTART, BH_STATE_RUNNING, true, "it cannot be restarted now" },
};

const struct operation *operation_named(const char *name)
{
	for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (!strcmp(operations[i].name, name))
			return &operations[i];
	return NULL;
}

static uint64_t stat(const struct peer *peer, enum bh_stat field) { return (uint64_t)peer_stat(peer, field, 0); }

static enum operation_answer refuse(const struct operation *operation, const struct peer *peer, int64_t error,
				    char words[OPERATION_WORDS])
{
	uint64_t state = stat(peer, BH_STAT_STATE);

	if (peer->guest) {
		bh_snprintf(words, OPERATION_WORDS, "A monitor lives with its guest: use %s.", peer->guest->name);
		return OPERATION_OF_MONITOR;
	}
	if (error == -BH_EPERM) {
		bh_snprintf(words, OPERATION_WORDS, "The console has no right to control %s.", peer->name);
		return OPERATION_NO_RIGHT;
	}
	if (state == BH_STATE_FAILED_CONFIG) {
		bh_snprintf(words, OPERATION_WORDS, "%s cannot run, its configuration is wrong.", peer->name);
		return OPERATION_BAD_CONFIG;
	}
	bh_snprintf(words, OPERATION_WORDS, "%s is %s: %s.", peer->name,
		    peer_state_words(state, stat(peer, BH_STAT_CAUSE)), operation->refused);
	return OPERATION_WRONG_STATE;
}

enum operation_answer operation_begin(struct operation_run *run, const struct operation *operation,
				      const struct peer *peer, char words[OPERATION_WORDS])
{
	enum operation_answer answer = OPERATION_BEGUN;
	int64_t error;

	*run = (struct operation_run){ operation, peer, stat(peer, BH_STAT_STATE), stat(peer, BH_STAT_STARTED), false };
	words[0] = 0;
	error = bh_call2(BH_PARTITION_CONTROL, peer->partition, operation->control);
	if (error)
		answer = refuse(operation, peer, error, words);
	journal_add(error ? "refused" : "begun", "%s %s", operation->name, peer->name);
	return answer;
}

static bool at_rest(uint64_t state) { return state == BH_STATE_STOPPED || state == BH_STATE_FAILED_CONFIG; }

enum operation_progress operation_look(struct operation_run *run)
{
	uint64_t state = stat(run->peer, BH_STAT_STATE), started = stat(run->peer, BH_STAT_STARTED);
	const struct operation *operation = run->operation;

	run->moved = run->moved || started != run->started || (state != run->state && !at_rest(state));
	if (state == (uint64_t)operation->state && (!operation->anew || started != run->started))
		return OPERATION_FULFILLED;
	if (run->moved && operation->state != BH_STATE_STOPPED && at_rest(state) &&
	    stat(run->peer, BH_STAT_CAUSE) != BH_CAUSE_STOPPED)
		return OPERATION_ENDED;
	return OPERATION_GOES_ON;
}
