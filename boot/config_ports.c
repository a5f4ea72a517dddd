/* A guest's key `networks`: its ports, each the name of a network and options behind it. */
#include "config_parser.h"

#define KIB 1024ull

static bool read_mac(struct text value, uint8_t *mac)
{
	struct text rest = value;
	uint64_t byte;

	for (unsigned i = 0; i < 6; i++) {
		if (!text_hex(text_until(&rest, ':'), 2, 2, &byte))
			return false;
		mac[i] = (uint8_t)byte;
	}
	return value.bytes == 17;
}

/* One station's address: not a group's (IEEE 802-2014, 8.2: the first bit sent), nor none. */
bool config_port_mac(struct config_parser *parser, struct bh_port *port, struct text value)
{
	uint8_t any = 0;

	if (read_mac(value, port->mac))
		for (unsigned i = 0; i < 6; i++)
			any |= port->mac[i];
	if (any && !(port->mac[0] & 1))
		return true;
	config_fail_here(parser,
			 "`mac` is followed by the address of one station: for example `mac 52:54:00:12:34:56`");
	return false;
}

bool config_port_vlan(struct config_parser *parser, struct bh_port *port, struct text value)
{
	uint64_t vlan;

	if (!config_number(parser, "vlan", value, 1, BH_VLAN_MAX, &vlan))
		return false;
	port->vlan = (uint16_t)vlan;
	return true;
}

static bool set_rate(struct config_parser *parser, struct bh_port *port, struct text value)
{
	static const uint64_t limits[] = { KIB, 1024 * KIB * KIB * KIB, 1 };

	return config_size(parser, "rate", value, limits, &port->rate);
}

#define BURST_MIN (64 * KIB)

static bool set_burst(struct config_parser *parser, struct bh_port *port, struct text value)
{
	static const uint64_t limits[] = { BURST_MIN, KIB * KIB * KIB, 1 };

	return config_size(parser, "burst", value, limits, &port->burst);
}

static bool set_queues(struct config_parser *parser, struct bh_port *port, struct text value)
{
	uint64_t queues;

	if (!config_number(parser, "queues", value, 1, BH_QUEUE_PAIRS_MAX, &queues))
		return false;
	port->queues = (uint8_t)queues;
	return true;
}

static const struct option {
	const char *name;
	uint8_t flag; /* or 0: a value follows, for: */
	bool (*set)(struct config_parser *parser, struct bh_port *port, struct text value);
} options[] = {
	{ "mac", 0, config_port_mac },	      { "vlan", 0, config_port_vlan }, { "trunk", BH_PORT_TRUNK, NULL },
	{ "trusted", BH_PORT_TRUSTED, NULL }, { "rate", 0, set_rate },	       { "burst", 0, set_burst },
	{ "queues", 0, set_queues },
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

static bool unknown_option(struct config_parser *parser, struct text word)
{
	if (word.bytes > 40)
		word.bytes = 40;
	config_fail_here(parser,
			 "there is no option `%.*s`: mac ADDRESS, vlan NUMBER, trunk, trusted, rate SIZE, burst SIZE "
			 "and queues NUMBER are known, and a comma stands before the next network",
			 TEXT_ARGUMENTS(word));
	return false;
}

/* Reads the option `word` and takes its value off `rest`; `seen` has a bit for each option. */
static bool read_option(struct config_parser *parser, struct bh_port *port, struct text word, struct text *rest,
			uint32_t *seen)
{
	uint32_t i = 0;

	while (i < OPTIONS && !text_equal(word, options[i].name))
		i++;
	if (i == OPTIONS)
		return unknown_option(parser, word);
	if (*seen & 1u << i) {
		config_fail_here(parser, "`%s` is there twice for one network: remove one of the two", options[i].name);
		return false;
	}
	*seen |= 1u << i;
	port->flags |= options[i].flag;
	return options[i].flag || options[i].set(parser, port, text_word(rest));
}

/* What the options make together. */
static bool finish_port(struct config_parser *parser, struct bh_port *port)
{
	if (port->vlan && (port->flags & BH_PORT_TRUNK)) {
		config_fail_here(parser,
				 "`vlan` and `trunk` exclude each other: one VLAN without tags, or all with theirs");
		return false;
	}
	if (port->burst && !port->rate) {
		config_fail_here(parser, "`burst` goes with `rate`: for example `rate 10M burst 1M`");
		return false;
	}
	if (port->rate && !port->burst)
		port->burst = port->rate / 10 > BURST_MIN ? port->rate / 10 : BURST_MIN;
	return true;
}

static bool read_port(struct config_parser *parser, struct bh_port *port, char *network, struct text text)
{
	struct text name = text_word(&text), word;
	const char *wrong = config_name_error(name);
	uint32_t seen = 0;

	if (wrong) {
		config_fail_here(parser, "a network's name begins each part of `networks`: %s", wrong);
		return false;
	}
	text_copy(name, network, BH_NAME_BYTES);
	for (word = text_word(&text); word.bytes; word = text_word(&text))
		if (!read_option(parser, port, word, &text, &seen))
			return false;
	return finish_port(parser, port);
}

/* A port's place in the list, or `spare_port`; `network` is where its network's name is kept until all are known. */
static struct bh_port *place_port(struct config_parser *parser, uint32_t index, char **network)
{
	struct bh_network_records *records = &parser->config->network;
	bool spare = parser->partition == &parser->spare;
	struct bh_port *port = &records->port[records->ports];

	*network = parser->port_network[spare ? BH_PORTS : records->ports];
	if (spare)
		port = &parser->spare_port;
	__builtin_memset(port, 0, sizeof(*port));
	port->partition = (uint32_t)(parser->partition - parser->config->partition);
	port->line = parser->line;
	port->queues = 1;
	text_format(port->name, sizeof(port->name), "%s.%u", parser->partition->name, index);
	return port;
}

/* Whether the guest may have its port `index`. */
static bool may_have(struct config_parser *parser, const char *key, uint32_t index)
{
	if (text_of(parser->partition->name).bytes + 2 >= BH_NAME_BYTES) {
		config_fail_here(parser,
				 "a guest with `%s` has a name of %u characters at most, since its ports have it too",
				 key, BH_NAME_BYTES - 3);
		return false;
	}
	if (index == BH_PORTS_PER_GUEST) {
		config_fail_here(parser, "`%s` names too many: a guest has %u ports at most", key, BH_PORTS_PER_GUEST);
		return false;
	}
	if (parser->config->network.ports == BH_PORTS) {
		config_fail_here(parser, "`%s` makes one port too many: all guests have %u at most", key, BH_PORTS);
		return false;
	}
	return true;
}

void config_set_networks(struct config_parser *parser, const char *key, struct text value)
{
	for (uint32_t index = 0; value.bytes && may_have(parser, key, index); index++) {
		struct text text = text_until(&value, ',');
		char *network;
		struct bh_port *port = place_port(parser, index, &network);

		if (read_port(parser, port, network, text) && port != &parser->spare_port)
			parser->config->network.ports++;
	}
}
