#include "complete.h"
#include "networks.h"
#include "peers.h"
#include "shell.h"

/* What is typed of the word, and those found that it may become. */
struct search {
	const char *typed;
	size_t length;
	const char **found;
	unsigned count, max;
};

static void consider(struct search *search, const char *name)
{
	if (name[0] && search->count < search->max && !strncmp(name, search->typed, search->length))
		search->found[search->count++] = name;
}

static void consider_commands(struct search *search)
{
	for (unsigned i = 0; i < shell_command_count; i++)
		consider(search, shell_commands[i].name);
}

static void consider_peers(struct search *search)
{
	for (unsigned i = 0; i < peer_count; i++)
		consider(search, peers[i].name);
}

static void consider_networks(struct search *search)
{
	for (unsigned i = 0; i < network_count; i++)
		consider(search, networks[i].name);
}

static void consider_ports(struct search *search)
{
	for (unsigned i = 0; i < network_port_count; i++)
		consider(search, network_ports[i].name);
}

static void consider_states(struct search *search)
{
	consider(search, "up");
	consider(search, "down");
}

/* The words before the one at `start` that are no options; the first is the command. */
static unsigned words_before(const char *text, size_t start)
{
	unsigned words = 0;

	for (size_t i = 0; i < start; i++)
		words += text[i] != ' ' && text[i] != '-' && (!i || text[i - 1] == ' ');
	return words;
}

static const struct command *command_of(const char *text)
{
	while (*text == ' ')
		text++;
	for (unsigned i = 0; i < shell_command_count; i++) {
		size_t length = strlen(shell_commands[i].name);

		if (!strncmp(shell_commands[i].name, text, length) && text[length] == ' ')
			return &shell_commands[i];
	}
	return NULL;
}

unsigned complete_word(const char *text, size_t start, size_t end, const char **candidates, unsigned max)
{
	struct search search = { text + start, end - start, candidates, 0, max };
	unsigned before = words_before(text, start);
	const struct command *command = before ? command_of(text) : NULL;

	if (!before)
		consider_commands(&search);
	else if (!command)
		consider_peers(&search);
	else if (command->takes == MAY_TAKE_COMMAND)
		consider_commands(&search);
	else if (command->takes == TAKES_PORT_AND_STATE && before > 1)
		consider_states(&search);
	else if (command->takes == TAKES_PORT_AND_STATE)
		consider_ports(&search);
	else if (command->takes == TAKES_NETWORK_AND_COUNT)
		consider_networks(&search);
	else if (command->takes == MAY_TAKE_NETWORK) {
		consider_networks(&search);
		consider_ports(&search);
	} else
		consider_peers(&search);
	return search.count;
}
