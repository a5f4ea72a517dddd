#include "network_words.h"
#include "peers.h"
#include "screen.h"
#include "shell.h"

#define SERVICE "net"

bool network_words_ready(void)
{
	if (!network_count)
		screen_printf("There are no networks; [network NAME] in bulkhead.conf makes one.\n");
	else if (network_state() == NETWORK_NO_CHANNEL)
		screen_printf("The console has no channel to the net service.\n");
	else
		return true;
	return false;
}

bool network_words_running(void)
{
	const struct peer *peer = peers_find(SERVICE);

	if (network_state() == NETWORK_RUNS)
		return true;
	screen_printf("The net service does not run");
	if (peer)
		screen_printf(": it is %s; `report %s` may say why",
			      peer_state_words((uint64_t)peer_stat(peer, BH_STAT_STATE, 0),
					       (uint64_t)peer_stat(peer, BH_STAT_CAUSE, 0)),
			      peer->name);
	screen_printf(".\n");
	return false;
}

bool network_words_done(enum network_outcome outcome)
{
	switch (outcome) {
	case NETWORK_DONE: return true;
	case NETWORK_REFUSED: screen_printf("The net service refused.\n"); break;
	case NETWORK_SILENT: screen_printf("The net service runs, but does not answer; it may still do it.\n"); break;
	case NETWORK_INTERRUPTED: screen_printf("The net service had not answered; it may still do it.\n"); break;
	case NETWORK_GONE:
		/* It may have come back just now. */
		if (network_words_running())
			screen_printf("The net service was started anew; try again.\n");
		break;
	}
	return false;
}

static unsigned network_names(const char **names)
{
	for (unsigned i = 0; i < network_count; i++)
		names[i] = networks[i].name;
	return network_count;
}

static unsigned port_names(const char **names)
{
	for (unsigned i = 0; i < network_port_count; i++)
		names[i] = network_ports[i].name;
	return network_port_count;
}

int network_words_network(const char *typed)
{
	const char *names[BH_NETWORKS];
	int found = network_find(typed);

	if (found < 0)
		shell_no_such("network", typed, names, network_names(names));
	return found;
}

/* Those that `typed` names, itself or as their guest; the first to `*first`. */
static unsigned ports_called(const char *typed, const struct network_port **first)
{
	unsigned count = 0;

	for (unsigned i = network_port_count; i--;) {
		if (!network_port_is(&network_ports[i], typed))
			continue;
		*first = &network_ports[i];
		count++;
	}
	return count;
}

const struct network_port *network_words_port(const char *typed)
{
	const char *names[BH_PORT_NUMBERS];
	const struct network_port *port = NULL;
	unsigned count = ports_called(typed, &port), named = 0;

	if (count == 1)
		return port;
	if (count == 0) {
		shell_no_such("port", typed, names, port_names(names));
		return NULL;
	}
	screen_printf("%s has %u ports:", typed, count);
	for (unsigned i = 0; i < network_port_count; i++)
		if (network_port_is(&network_ports[i], typed))
			screen_printf("%s %s", named++ ? "," : "", network_ports[i].name);
	screen_printf(".\n");
	return NULL;
}

bool network_words_any(const char *typed)
{
	const char *names[BH_NETWORKS + BH_PORT_NUMBERS];
	const struct network_port *port;
	unsigned count;

	if (network_find(typed) >= 0 || ports_called(typed, &port))
		return true;
	count = network_names(names);
	count += port_names(names + count);
	shell_no_such("network or port", typed, names, count);
	return false;
}
