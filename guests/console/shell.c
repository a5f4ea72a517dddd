/* shell.c: the table of commands, and from a line of text to a call. */
#include "shell.h"
#include "attach.h"
#include "commands.h"
#include "line.h"
#include "machine.h"
#include "screen.h"
#include "watch.h"
#include "words.h"

const struct command shell_commands[] = {
	{ "help", "[COMMAND]", "", "lists the commands, or explains one", "", MAY_TAKE_COMMAND, command_help },
	{ "list", "", "", "lists the partitions, their states and CPUs",
	  "VCPUS@CPUS: how many, and the physical CPU of each; d: the partition's own, s: shared.\n"
	  "A monitor is the service that makes a guest's virtual PC; it lives and dies with it.\n",
	  TAKES_NOTHING, command_list },
	{ "attach", "[-a] NAME", "a", "connects the line to a partition's terminal",
	  "Shows the last 4 KiB of what it printed, then what comes; -a: all that was kept (64 "
	  "KiB).\n"
	  "Ctrl-] comes back to the shell. Ctrl-] once more, as the next key, sends a Ctrl-] to "
	  "it.\n",
	  TAKES_NAME, command_attach },
	{ "start", "NAME", "", "starts a partition that does not run", "", TAKES_NAME, command_start },
	{ "stop", "NAME", "", "stops a partition at once and wipes its memory",
	  "It is not asked: to shut a guest down in order, use its own means.\n", TAKES_NAME, command_stop },
	{ "pause", "NAME", "", "stops a partition's vCPUs where they are",
	  "Its time goes on meanwhile. `resume` lets it go on.\n", TAKES_NAME, command_pause },
	{ "resume", "NAME", "", "lets a paused partition go on", "", TAKES_NAME, command_resume },
	{ "restart", "NAME", "", "stops a partition and starts it anew", "", TAKES_NAME, command_restart },
	{ "log", "[COUNT]", "", "the last lines of the kernel's log (24)", "", MAY_TAKE_COUNT, command_log },
	{ "stat", "[-k] [NAME]", "k", "what a partition, or each CPU, did so far",
	  "ran: in the partition; kernel: in the kernel for it; monitor: in its monitor;\n"
	  "outside: the share of kernel and monitor in the sum. -k: a key and a number per line.\n",
	  MAY_TAKE_NAME, command_stat },
	{ "mem", "", "", "who has how much memory", "", TAKES_NOTHING, command_mem },
	{ "caps", "", "", "what the CPUs can do, and what is made of it", "", TAKES_NOTHING, command_caps },
	{ "trace", "NAME [COUNT]", "", "the last exits of a partition (20)",
	  "Time (seconds since power-on), vCPU, reason, detail, and how long the kernel (and the\n"
	  "monitor) took. The rings hold the last 1024 exits of each CPU.\n",
	  TAKES_NAME_AND_COUNT, command_trace },
	{ "report", "NAME", "", "why a partition ended, in the words of the kernel", "", TAKES_NAME, command_report },
	{ "audit", "", "", "checks every mapping against the record of owners", "", TAKES_NOTHING, command_audit },
	{ "reboot", "[-f]", "f", "resets the machine", "-f: without asking.\n", TAKES_NOTHING, command_reboot },
	{ "poweroff", "[-f]", "f", "switches the machine off", "-f: without asking.\n", TAKES_NOTHING,
	  command_poweroff },
};
const unsigned shell_command_count = sizeof(shell_commands) / sizeof(shell_commands[0]);

static struct line line;
static void (*answer)(const char *text);
static struct peer *last_attached; /* while Ctrl-] may still be sent to it */

/* ---- what is wrong with a line ------------------------------------------------------------------
 */

static void usage(const struct command *command)
{
	screen_printf("Usage: %s%s%s\n", command->name, command->usage[0] ? " " : "", command->usage);
}

static void no_such_peer(const char *name)
{
	const char *names[PEERS_MAX];

	for (unsigned i = 0; i < peer_count; i++)
		names[i] = peers[i].name;

	int near = words_nearest(name, names, peer_count);

	screen_printf("There is no partition ");
	screen_text(name, strlen(name));
	if (near >= 0) {
		screen_printf(". Did you mean %s?\n", names[near]);
		return;
	}
	screen_printf(". There %s", peer_count == 1 ? "is" : "are");
	for (unsigned i = 0; i < peer_count; i++)
		screen_printf("%s %s", i ? "," : "", names[i]);
	screen_printf("%s.\n", peer_count ? "" : " none");
}

static void no_such_command(const char *name)
{
	const char *names[sizeof(shell_commands) / sizeof(shell_commands[0])];

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

static bool wrong_count(const struct command *command, unsigned plain)
{
	unsigned least = command->takes == TAKES_NAME || command->takes == TAKES_NAME_AND_COUNT;
	unsigned most = command->takes == TAKES_NOTHING ? 0 : command->takes == TAKES_NAME_AND_COUNT ? 2 : 1;

	if (plain >= least && plain <= most)
		return false;
	screen_printf("%s takes %s. ", command->name,
		      plain > most ? (most ? "fewer words" : "no words") : "a partition's name");
	usage(command);
	return true;
}

static bool parse(const struct command *command, char **words, unsigned count, struct arguments *arguments)
{
	const char *plain[SHELL_WORDS];
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
	case TAKES_NAME_AND_COUNT:
		arguments->number = plains == 2 ? plain[1] : NULL;
		return take_name(plain[0], arguments);
	case TAKES_NAME:
	case MAY_TAKE_NAME: return !plains || take_name(plain[0], arguments);
	case MAY_TAKE_COUNT: arguments->number = plains ? plain[0] : NULL; return true;
	default: arguments->word = plains ? plain[0] : NULL; return true;
	}
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

static unsigned complete(const char *text, size_t start, size_t end, const char **candidates, unsigned max)
{
	bool first = true, names_commands;
	unsigned count = 0;

	for (size_t i = 0; i < start; i++)
		first = first && text[i] == ' ';
	while (*text == ' ' && start) {
		text++;
		start--;
		end--;
	}
	names_commands = first || !strncmp(text, "help ", 5);

	for (unsigned i = 0; count < max && i < shell_command_count && names_commands; i++)
		if (!strncmp(shell_commands[i].name, text + start, end - start))
			candidates[count++] = shell_commands[i].name;
	for (unsigned i = 0; count < max && i < peer_count && !names_commands; i++)
		if (!strncmp(peers[i].name, text + start, end - start))
			candidates[count++] = peers[i].name;
	return count;
}

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
	if (byte == ATTACH_ESCAPE && last_attached) {
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

void shell_news(void)
{
	char text[WATCH_TEXT_BYTES];
	bool hidden = false;

	while (watch_next(text)) {
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
	line_start(&line, SHELL_PROMPT, put, complete);
	watch_start();
	banner();
	line_show(&line);
}
