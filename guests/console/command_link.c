/* command_link.c: the link of a port, up or down, as if its cable were pulled. */
#include "commands.h"
#include "network.h"
#include "network_words.h"
#include "screen.h"
#include "users/journal.h"

/* A NIC may have no cable, whatever is wanted here. */
static void tell(const struct network_port *port, bool up)
{
	struct bh_port_stat stat;

	if (!up)
		screen_printf("%s: link taken down.\n", port->name);
	else if (network_port_stat(port->number, &stat) && stat.link)
		screen_printf("%s: link up.\n", port->name);
	else
		screen_printf("%s: no longer taken down, but its link is down.\n", port->name);
}

void command_link(const struct arguments *arguments)
{
	bool up = !strcmp(arguments->state, "up");
	const struct network_port *port;

	if (!up && strcmp(arguments->state, "down")) {
		screen_printf("A link goes up or down, not ");
		screen_text(arguments->state, strlen(arguments->state));
		screen_printf(".\n");
		return;
	}
	if (!network_words_ready())
		return;
	port = network_words_port(arguments->word);
	if (!port || !network_words_running())
		return;
	journal_actor("serial line", "");
	if (network_words_done(network_request(BH_NETWORK_LINK, port->number, up ? 1 : 0))) {
		journal_add("done", "link %s %s", port->name, arguments->state);
		tell(port, up);
	}
}
