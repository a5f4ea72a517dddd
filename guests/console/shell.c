/* shell.c: from a line of text to a command's call. */
#include "shell.h"
#include "contact.h"
#include "attach.h"
#include "complete.h"
#include "line.h"
#include "machine.h"
#include "screen.h"
#include "watch.h"
#include "words.h"

static struct line line;
static void (*answer)(const char *text);
static struct peer *last_attached; /* while Ctrl-] may still be sent to it */

/* ---- what is wrong with a line ------------------------------------------------------------------
 */

static void usage(const struct command *command)
{
	screen_printf("Usage: %s%s%s\n", command->name, command->usage[0] ? " " : "", command->usage);
}

void shell_no_such(const char *what, const char *typed, const char *const *names, unsigned count)
{
	int near = words_nearest(typed, names, count);

	screen_printf("There is no %s ", what);
	screen_text(typed, strlen(typed));
	if (near >= 0) {
		screen_printf(". Did you mean %s?\n", names[near]);
		return;
	}
	screen_printf(". There %s", count == 1 ? "is" : "are");
	for (unsigned i = 0; i < count; i++)
		screen_printf("%s %s", i ? "," : "", names[i]);
	screen_printf("%s.\n", count ? "" : " none");
}

static void no_such_peer(const char *name)
{
	const char *names[PEERS_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < peer_count; i++)
		if (peers[i].name[0])
			names[count++] = peers[i].name;
	shell_no_such("partition", name, names, count);
}

static void no_such_command(const char *name)
{
	const char *names[SHELL_COMMANDS_MAX];

	for (unsigned i = 0; i < shell_command_count; i++)
		names[i] = shell_commands[i].name;

	int near = words_nearest(name, names, shell_command_count);

	screen_printf("There is no command ");
	screen_text(name, strlen(name));
	if (near >= 0)
		screen_printf(". Did you mean %s?\n", names[near]);
	else
		screen_printf(". `help` lists them.\n");
}

/* ---- from words to arguments
 * --------------------------------------------------------------------- */

static unsigned split(char *text, char *words[SHELL_WORDS + 1])
{
	unsigned count = 0;

	while (count <= SHELL_WORDS) {
		while (*text == ' ')
			*text++ = 0;
		if (!*text)
			break;
		words[count++] = text;
		while (*text && *text != ' ')
			text++;
	}
	return count;
}

static const struct command *find_command(const char *name)
{
	for (unsigned i = 0; i < shell_command_count; i++)
		if (!strcmp(shell_commands[i].name, name))
			return &shell_commands[i];
	return NULL;
}

static bool take_flag(const struct command *command, const char *word, struct arguments *arguments)
{
	if (!word[1] || word[2] || !strchr(command->flags, word[1])) {
		screen_printf("%s has no option ", command->name);
		screen_text(word, strlen(word));
		screen_printf(".\n");
		return false;
	}
	arguments->flag = word[1];
	return true;
}

static bool take_name(const char *word, struct arguments *arguments)
{
	arguments->peer = peers_find(word);
	if (!arguments->peer)
		no_such_peer(word);
	return arguments->peer != NULL;
}

/* How many words a command takes besides options, and what they are. */
static const struct shape {
	unsigned least, most;
	const char *words;
} shapes[] = {
	[TAKES_NOTHING] = { 0, 0, "no words" },
	[TAKES_NAME] = { 1, 1, "a partition's name" },
	[MAY_TAKE_NAME] = { 0, 1, "a partition's name" },
	[MAY_TAKE_COUNT] = { 0, 1, "a number" },
	[TAKES_NAME_AND_COUNT] = { 1, 2, "a partition's name" },
	[MAY_TAKE_COMMAND] = { 0, 1, "a command" },
	[MAY_TAKE_NETWORK] = { 0, 1, "a network's name" },
	[TAKES_NETWORK_AND_COUNT] = { 1, 2, "a network's name" },
	[MAY_TAKE_WORDS] = { 0, SHELL_WORDS - 1, "words" },
	[TAKES_PORT_AND_STATE] = { 2, 2, "a port's name, and up or down" },
};

static bool wrong_count(const struct command *command, unsigned plain)
{
	const struct shape *shape = &shapes[command->takes];

	if (plain >= shape->least && plain <= shape->most)
		return false;
	screen_printf("%s takes %s. ", command->name,
		      plain > shape->most && shape->most ? "fewer words" : shape->words);
	usage(command);
	return true;
}

static bool parse(const struct command *command, char **words, unsigned count, struct arguments *arguments)
{
	const char *plain[SHELL_WORDS] = { NULL };
	unsigned plains = 0;

	for (unsigned i = 1; i < count; i++) {
		if (words[i][0] != '-')
			plain[plains++] = words[i];
		else if (!take_flag(command, words[i], arguments)) {
			usage(command);
			return false;
		}
	}
	if (wrong_count(command, plains))
		return false;
	switch (command->takes) {
	case TAKES_NAME_AND_COUNT: arguments->number = plain[1]; return take_name(plain[0], arguments);
	case TAKES_NAME:
	case MAY_TAKE_NAME: return !plains || take_name(plain[0], arguments);
	case MAY_TAKE_COUNT: arguments->number = plain[0]; return true;
	case MAY_TAKE_WORDS: memcpy(arguments->words, plain, sizeof(plain)); return true;
	case TAKES_PORT_AND_STATE: arguments->state = plain[1]; break;
	case TAKES_NETWORK_AND_COUNT: arguments->number = plain[1]; break;
	default: break;
	}
	arguments->word = plain[0];
	return true;
}

void shell_run(const char *text)
{
	char copy[LINE_BYTES];
	char *words[SHELL_WORDS + 1];
	struct arguments arguments = { 0 };

	bh_strlcpy(copy, text, sizeof(copy));

	unsigned count = split(copy, words);

	if (!count)
		return;

	const struct command *command = find_command(words[0]);

	if (!command)
		no_such_command(words[0]);
	else if (count > SHELL_WORDS)
		screen_printf("Too many words; %s takes fewer.\n", command->name);
	else if (parse(command, words, count, &arguments))
		command->run(&arguments);
}

bool shell_count(const struct arguments *arguments, uint64_t otherwise, uint64_t max, uint64_t *count)
{
	*count = otherwise;
	if (!arguments->number || words_number(arguments->number, max, count))
		return true;
	screen_printf("COUNT is a number from 1 to %u, not ", (unsigned)max);
	screen_text(arguments->number, strlen(arguments->number));
	screen_printf(".\n");
	return false;
}

/* ---- the line
 * -------------------------------------------------------------------------------------- */

void shell_ask(const char *question, void (*function)(const char *text))
{
	line.prompt = question;
	line.secret_history = true;
	answer = function;
}

static void next_line(void)
{
	line_next(&line);
	if (!attach_peer())
		line_show(&line);
}

static void finish_line(void)
{
	char text[LINE_BYTES];
	void (*function)(const char *) = answer;

	memcpy(text, line.text, sizeof(text));
	if (function) {
		answer = NULL;
		line.prompt = SHELL_PROMPT;
		line.secret_history = false;
		function(text);
	} else {
		shell_run(text);
	}
	next_line();
}

void shell_input(char byte)
{
	struct peer *before = attach_peer();

	if (before) {
		if (!attach_input(byte)) {
			last_attached = before;
			next_line();
		}
		return;
	}
	if (byte == ATTACH_ESCAPE && last_attached && last_attached->has_channel) {
		line_hide(&line);
		attach_escape_again(last_attached);
		last_attached = NULL;
		return;
	}
	last_attached = NULL;

	switch (line_input(&line, byte)) {
	case LINE_DONE: finish_line(); break;
	case LINE_DROPPED:
		answer = NULL;
		line.prompt = SHELL_PROMPT;
		line.secret_history = false;
		next_line();
		break;
	case LINE_EDITING: break;
	}
}

static bool next_news(char text[WATCH_TEXT_BYTES])
{
	_Static_assert(CONTACT_TEXT_BYTES <= WATCH_TEXT_BYTES, "either fits");

	/* What the console has to say of itself can wait until the line is its own again. */
	return watch_next(text) || (!attach_peer() && contact_next(text));
}

void shell_news(void)
{
	char text[WATCH_TEXT_BYTES];
	bool hidden = false;

	while (next_news(text)) {
		if (attach_peer()) {
			screen_printf("\n[%s]\n", text);
			continue;
		}
		if (!hidden)
			line_hide(&line);
		hidden = true;
		screen_printf("[%s]\n", text);
	}
	if (hidden)
		line_show(&line);
}

static void put(const char *bytes, size_t count) { screen_raw(bytes, count); }

static void banner(void)
{
	char ram[WORDS_BYTES];
	unsigned all = 0, alive = 0;
	uint64_t cpus = machine_stat(BH_MACHINE_CPUS, 0);

	for (unsigned i = 0; i < peer_count; i++) {
		if (peers[i].guest)
			continue;
		all++;
		alive += peer_alive(&peers[i]);
	}
	screen_printf("\nBulkhead, ABI version %u: %u CPU%s, %s of memory, %u of %u partitions run.\n", BH_ABI_VERSION,
		      (unsigned)cpus, cpus == 1 ? "" : "s", words_size(ram, machine_stat(BH_MACHINE_MEMORY, 0)), alive,
		      all);
	screen_printf("Type help for a list of commands.\n");
}

void shell_start(void)
{
	answer = NULL;
	last_attached = NULL;
	line_start(&line, SHELL_PROMPT, put, complete_word);
	watch_start();
	banner();
	line_show(&line);
}
