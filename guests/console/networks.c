#include "networks.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"

struct bh_network networks[BH_NETWORKS];
unsigned network_count;
struct network_port network_ports[BH_PORT_NUMBERS];
unsigned network_port_count;

static struct bh_port records[BH_PORTS];

static void add_port(unsigned network, unsigned port_number, const struct bh_port *guest)
{
	struct network_port *port = &network_ports[network_port_count++];

	*port = (struct network_port){ .number = port_number, .network = network, .guest = guest };
	if (guest)
		bh_strlcpy(port->name, guest->name, sizeof(port->name));
	else
		bh_snprintf(port->name, sizeof(port->name), "%s.%s", networks[network].name, "nic");
}

static void list_ports(unsigned ports)
{
	network_port_count = 0;
	for (unsigned network = 0; network < network_count; network++) {
		for (unsigned i = 0; i < ports; i++)
			if (records[i].name[0] && records[i].network == network)
				add_port(network, i, &records[i]);
		if (networks[network].uplink)
			add_port(network, BH_PORT_NIC(network), NULL);
	}
}

void networks_start(const struct bh_network_records *from)
{
	unsigned ports = from->ports < BH_PORTS ? from->ports : BH_PORTS;

	network_count = from->networks < BH_NETWORKS ? from->networks : BH_NETWORKS;
	memcpy(networks, from->network, sizeof(networks));
	memcpy(records, from->port, sizeof(records));
	for (unsigned i = 0; i < network_count; i++)
		networks[i].name[BH_NAME_BYTES - 1] = 0;
	for (unsigned i = 0; i < ports; i++)
		records[i].name[BH_NAME_BYTES - 1] = 0;
	list_ports(ports);
}

int network_find(const char *name)
{
	for (unsigned i = 0; i < network_count; i++)
		if (!strcmp(networks[i].name, name))
			return (int)i;
	return -1;
}

const struct network_port *network_port_numbered(unsigned port_number)
{
	for (unsigned i = 0; i < network_port_count; i++)
		if (network_ports[i].number == port_number)
			return &network_ports[i];
	return NULL;
}

bool network_port_is(const struct network_port *port, const char *name)
{
	const char *dot = strrchr(port->name, '.');
	size_t length = dot ? (size_t)(dot - port->name) : 0;

	if (!strcmp(port->name, name))
		return true;
	return port->guest && strlen(name) == length && !strncmp(port->name, name, length);
}
