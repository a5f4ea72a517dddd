/* command_link.c: the link of a port, up or down, as if its cable were pulled. */
#include "commands.h"
#include "network.h"
#include "network_words.h"
#include "screen.h"

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
	if (port && network_words_running() &&
	    network_words_done(network_request(BH_NETWORK_LINK, port->number, up ? 1 : 0)))
		screen_printf("%s: link %s.\n", port->name, up ? "up" : "taken down");
}
