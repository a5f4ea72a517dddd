/*
 * shell.h: commands typed at the prompt.
 *
 * A command is a row in the table in commands.c and a function `command_NAME` in the file of its
 * subject (command_*.c). Words are split at spaces; those that begin with '-' and are known as
 * flags of the command are taken out first.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "peers.h"

#define SHELL_PROMPT	   "bulkhead> "
#define SHELL_WORDS	   8
#define SHELL_COMMANDS_MAX 64

struct arguments {
	struct peer *peer;		    /* of the NAME, if the command takes one and it was given */
	const char *number;		    /* of COUNT, as typed; NULL: not given */
	char flag;			    /* the letter given, 0: none */
	const char *word;		    /* of any other word: a network's or a port's name, a command's */
	const char *state;		    /* of the word behind a port's name */
	const char *words[SHELL_WORDS + 1]; /* MAY_TAKE_WORDS: all of them, then NULL */
};

struct command {
	const char *name;
	const char *usage;   /* after the name: "NAME [COUNT]" */
	const char *flags;   /* letters that it takes */
	const char *summary; /* for the list of all */
	const char *help;    /* more, for `help COMMAND` */
	enum {
		TAKES_NOTHING,
		TAKES_NAME,
		MAY_TAKE_NAME,
		MAY_TAKE_COUNT,
		TAKES_NAME_AND_COUNT,
		MAY_TAKE_COMMAND,
		MAY_TAKE_NETWORK, /* or a port */
		TAKES_NETWORK_AND_COUNT,
		TAKES_PORT_AND_STATE,
		MAY_TAKE_WORDS,
	} takes;
	void (*run)(const struct arguments *arguments);
};

extern const struct command shell_commands[];
extern const unsigned shell_command_count;

/* Banner and first prompt. */
void shell_start(void);

/* One typed byte. */
void shell_input(char byte);

/* Tells what partitions did by themselves, without damage to the line being edited, or to what an
 * attached one shows. */
void shell_news(void);

/* Runs one line of text and returns when the command is done. Exported for the tests. */
void shell_run(const char *line);

/* A command asks: `answer` gets the next line that is typed. `question` is shown as the prompt. */
void shell_ask(const char *question, void (*answer)(const char *text));

/* Says that there is no `what` (a word: "port") called `typed`, and which of `names` is meant, or all of them. */
void shell_no_such(const char *what, const char *typed, const char *const *names, unsigned count);

/* The number typed for COUNT, `otherwise` if none was; false, with a message, if it is not one from
 * 1 to `max`. */
bool shell_count(const struct arguments *arguments, uint64_t otherwise, uint64_t max, uint64_t *count);
