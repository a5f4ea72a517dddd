/*
 * operations.h: what changes a partition: the same for the serial line and for the network, so that they cannot differ.
 * Nothing here waits or prints; each operation that was asked for is in the journal (users/journal.h).
 */
#pragma once
#include <stdbool.h>
#include "peers.h"

#define OPERATION_WORDS 160

struct operation {
	const char *name; /* "start" */
	enum bh_control control;
	enum bh_state state; /* when it is fulfilled */
	bool anew;	     /* and only by a start that was not there before */
	const char *refused; /* why the kernel refuses it */
};

/* NULL: there is none of that name. */
const struct operation *operation_named(const char *name);

enum operation_answer {
	OPERATION_BEGUN,
	OPERATION_OF_MONITOR, /* it lives with its guest */
	OPERATION_NO_RIGHT,
	OPERATION_BAD_CONFIG, /* see its report */
	OPERATION_WRONG_STATE,
};

/* An operation under way, for whoever wants to know what comes of it. */
struct operation_run {
	const struct operation *operation;
	const struct peer *peer;
	uint64_t state, started; /* before */
	bool moved;
};

/* `words`: a sentence that says why not; empty if it was begun. */
enum operation_answer operation_begin(struct operation_run *run, const struct operation *operation,
				      const struct peer *peer, char words[OPERATION_WORDS]);

enum operation_progress { OPERATION_GOES_ON, OPERATION_FULFILLED, OPERATION_ENDED /* at rest, and not as wished */ };
enum operation_progress operation_look(struct operation_run *run);
