/* Networks once all sections are known: the ports' networks and addresses, and the net service that follows from them.
 */
#include "config_parser.h"

#define MIB (1ull << 20)

/* Programs and tables; and for each NIC its driver's rings and buffers. */
#define NET_MEMORY	   (4 * MIB)
#define NET_MEMORY_PER_NIC (4 * MIB)
#define NET_MEMORY_MIN	   (8 * MIB)

/* Whom an error of the port marks: NULL for the console, which runs in any case. */
static struct config_partition *owner_of(struct config_parser *parser, const struct bh_port *port)
{
	return port->partition == BH_PORT_OF_CONSOLE ? NULL : &parser->config->partition[port->partition];
}

static void unknown_network(struct config_parser *parser, const struct bh_port *port, const char *name)
{
	struct config_partition *partition = owner_of(parser, port);
	const char *nearest = NULL;
	unsigned least = 0;

	for (uint32_t i = 0; i < parser->config->network.networks; i++) {
		unsigned distance = text_distance(text_of(name), parser->network_entry[i].name);

		if (nearest && distance >= least)
			continue;
		nearest = parser->network_entry[i].name;
		least = distance;
	}
	if (nearest)
		config_fail(parser, partition, port->line, "there is no network %s: did you mean %s?", name, nearest);
	else
		config_fail(parser, partition, port->line, "there is no network %s: add a section [network %s]", name,
			    name);
}

/* Finds the port's network. False: there is none, or one with an error. */
static bool find_network(struct config_parser *parser, struct bh_port *port, const char *name)
{
	const struct config_entry *entry = parser->network_entry;
	char text[CONFIG_ERROR_BYTES];
	uint32_t i = 0;

	while (i < parser->config->network.networks && !text_same(entry[i].name, name))
		i++;
	if (i == parser->config->network.networks) {
		unknown_network(parser, port, name);
		return false;
	}
	port->network = i;
	port->mtu = (uint16_t)parser->config->network.network[i].mtu;
	if (entry[i].broken && owner_of(parser, port)) {
		text_format(text, sizeof(text), "its network %s has an error: see the log", name);
		config_mark(owner_of(parser, port), port->line, text);
	}
	return !entry[i].broken;
}

static bool has_mac(const struct bh_port *port) { return __builtin_memcmp(port->mac, (uint8_t[6]){ 0 }, 6) != 0; }

/* The first `ports` ports' one with the same address on the same network, or NULL. */
static const struct bh_port *find_mac(const struct bh_network_records *records, uint32_t ports,
				      const struct bh_port *port)
{
	for (uint32_t i = 0; i < ports; i++) {
		const struct bh_port *other = &records->port[i];

		if (other != port && other->network == port->network && !__builtin_memcmp(other->mac, port->mac, 6))
			return other;
	}
	return NULL;
}

static bool check_mac(struct config_parser *parser, uint32_t ports, const struct bh_port *port)
{
	const struct bh_port *other = has_mac(port) ? find_mac(&parser->config->network, ports, port) : NULL;
	const uint8_t *mac = port->mac;

	if (other)
		config_fail(parser, owner_of(parser, port), port->line,
			    "the address %02x:%02x:%02x:%02x:%02x:%02x is %s's already, in line %u: a network has each "
			    "once",
			    mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], other->name, other->line);
	return !other;
}

/* Ports with an error leave the list. */
static void check_ports(struct config_parser *parser)
{
	struct bh_network_records *records = &parser->config->network;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < records->ports; i++) {
		struct bh_port port = records->port[i];

		if (find_network(parser, &port, parser->port_network[i]) && check_mac(parser, kept, &port))
			records->port[kept++] = port;
	}
	__builtin_memset(&records->port[kept], 0, (records->ports - kept) * sizeof(records->port[0]));
	records->ports = kept;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_byte(uint64_t hash, uint8_t byte) { return (hash ^ byte) * 0x100000001b3ull; }

/*
 * An address that stays the same whatever else the file holds: locally administered, and made from the port's name.
 * Only if another port of the network has it, it is hashed on.
 */
static void derive_mac(const struct bh_network_records *records, struct bh_port *port)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (const char *c = port->name; *c; c++)
		hash = hash_byte(hash, (uint8_t)*c);
	do {
		port->mac[0] = 0x02;
		for (unsigned i = 1; i < 6; i++)
			port->mac[i] = (uint8_t)((hash ^ hash >> 40) >> 8 * (5 - i));
		hash = hash_byte(hash, 0);
	} while (find_mac(records, records->ports, port));
}

/* Addresses that the file gives come first, then the others in its order. */
static void derive_macs(struct bh_network_records *records)
{
	for (uint32_t i = 0; i < records->ports; i++)
		if (!has_mac(&records->port[i]))
			derive_mac(records, &records->port[i]);
}

/* Networks with an error leave the list, too: nobody is on them. */
static void drop_networks(struct config_parser *parser)
{
	struct config *config = parser->config;
	struct bh_network_records *records = &config->network;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < records->networks; i++) {
		if (parser->network_entry[i].broken)
			continue;
		for (uint32_t p = 0; p < records->ports; p++)
			if (records->port[p].network == i)
				records->port[p].network = kept;
		config->nic[kept] = config->nic[i];
		records->network[kept++] = records->network[i];
	}
	__builtin_memset(&records->network[kept], 0, (records->networks - kept) * sizeof(records->network[0]));
	__builtin_memset(&config->nic[kept], 0, (records->networks - kept) * sizeof(config->nic[0]));
	records->networks = kept;
}

/* Without a place for the net service there are no networks. */
static void check_place(struct config_parser *parser)
{
	struct config *config = parser->config;
	uint32_t other = config_find(config, CONFIG_NET_NAME), line = parser->network_entry[0].line;

	if (other != UINT32_MAX)
		config_fail(
			parser, &config->partition[other], config->partition[other].line,
			"the name net is the network service's, as there is a [network NAME] section: choose another");
	else if (config->partitions == CONFIG_PARTITIONS)
		config_fail(parser, NULL, line,
			    "networks need a place for their service among the %u partitions: remove one",
			    CONFIG_PARTITIONS);
	else
		return;
	for (uint32_t i = 0; i < config->network.networks; i++)
		parser->network_entry[i].broken = true;
}

static void check_programs(struct config_parser *parser)
{
	for (uint32_t i = 0; i < parser->config->partitions; i++) {
		struct config_partition *partition = &parser->config->partition[i];

		if (partition->kind == BH_KIND_NATIVE && text_same(partition->image, CONFIG_NET_PROGRAM))
			config_fail(parser, partition, partition->image_line,
				    CONFIG_NET_PROGRAM " is the network service's program, as there is a [network "
						       "NAME] section: rename yours");
	}
}

static void add_service(struct config_parser *parser)
{
	struct config *config = parser->config;
	struct config_partition *net = &config->partition[config->partitions];
	uint64_t memory = NET_MEMORY;

	for (uint32_t i = 0; i < config->network.networks; i++)
		memory += config->network.network[i].uplink * NET_MEMORY_PER_NIC;
	config_partition_init(net, BH_KIND_NATIVE, text_of(CONFIG_NET_NAME), config->network.network[0].line);
	text_copy(text_of(CONFIG_NET_PROGRAM), net->image, sizeof(net->image));
	net->memory_bytes = memory > NET_MEMORY_MIN ? memory : NET_MEMORY_MIN;
	net->vcpus = 1;
	net->cpu[0] = (uint16_t)config->machine.services_cpu;
	net->weight = config->machine.services_weight;
	net->restart = CONFIG_RESTART_ALWAYS;
	net->trusted_for_dma = parser->net_trusted;
	config->net = config->partitions++;
}

/* One is of no use without the other. */
static void check_certificate(struct config_parser *parser)
{
	struct bh_console_file *certificate = &parser->config->network.file[BH_FILE_CERTIFICATE];
	struct bh_console_file *key = &parser->config->network.file[BH_FILE_KEY];

	if (!certificate->line == !key->line)
		return;
	config_fail(parser, NULL, certificate->line + key->line,
		    "`certificate` and `key` go together: `%s` names the file of the other, for example `%s`",
		    certificate->line ? "key" : "certificate",
		    certificate->line ? "key = console.key" : "certificate = console.pem");
	certificate->failed = key->failed = 1;
}

void config_check_networks(struct config_parser *parser)
{
	const struct bh_network_records *records = &parser->config->network;

	if (records->networks)
		check_place(parser);
	check_certificate(parser);
	check_ports(parser);
	derive_macs(&parser->config->network);
	drop_networks(parser);
	if (!records->networks)
		return;
	check_programs(parser);
	add_service(parser);
}
