/* [machine]'s key `console`: the console's port on a network, and its addresses there. */
#include "config_parser.h"

struct console {
	struct bh_port *port;
	struct bh_console_address *address;
};

/* Digits alone: text_number takes hexadecimal as well. */
static bool read_decimal(struct text text, uint64_t last, uint64_t *value)
{
	for (size_t i = 0; i < text.bytes; i++)
		if (!text_is_digit(text.at[i]))
			return false;
	return text.bytes <= 3 && text_number(text, value) && *value <= last;
}

/* Of a station: not "this network", loopback, a group's or reserved (RFC 6890). */
static bool read_address(struct text text, uint8_t *address)
{
	uint64_t number;

	for (unsigned i = 0; i < 4; i++) {
		if (!read_decimal(text_until(&text, '.'), 255, &number))
			return false;
		address[i] = (uint8_t)number;
	}
	return !text.bytes && address[0] && address[0] != 127 && address[0] < 224;
}

/* Groups of 16 bits up to the end or "::", which it takes off `rest`; how many, or -1. */
static int read_groups(struct text *rest, uint8_t *groups, bool *gap)
{
	int count = 0;

	*gap = false;
	while (rest->bytes && count < 8) {
		struct text before = *rest, group = text_until(rest, ':');
		uint64_t number;

		if (!text_hex(group, 1, 4, &number))
			return -1;
		groups[2 * count] = (uint8_t)(number >> 8);
		groups[2 * count++ + 1] = (uint8_t)number;
		/* text_until trims: a colon is the last character of what it took. */
		if (!rest->bytes && before.at[before.bytes - 1] == ':')
			return -1;
		if (rest->bytes && rest->at[0] == ':') {
			rest->at++, rest->bytes--;
			*gap = true;
			break;
		}
	}
	return count;
}

/* RFC 4291, 2.2: eight groups, or fewer with one "::" for those that are 0. Not a group's address, nor none. */
static bool read_address6(struct text text, uint8_t *address)
{
	uint8_t front[16] = { 0 }, back[16] = { 0 };
	int first = 0, second = 0;
	bool gap, again = false;

	if (text.bytes > 1 && text.at[0] == ':' && text.at[1] == ':') {
		gap = true;
		text.at += 2, text.bytes -= 2;
	} else {
		first = read_groups(&text, front, &gap);
	}
	if (first >= 0 && gap)
		second = read_groups(&text, back, &again);
	if (first < 0 || second < 0 || again || text.bytes || (gap ? first + second > 7 : first != 8))
		return false;
	__builtin_memcpy(address, front, 16);
	for (int i = 0; i < 2 * second; i++)
		address[16 - 2 * second + i] = back[i];
	return address[0] != 0xff && first + second > 0;
}

/* Splits "ADDRESS/PREFIX". */
static bool read_prefix(struct text *text, uint64_t last, uint8_t *prefix)
{
	struct text rest = *text;
	uint64_t number;

	*text = text_until(&rest, '/');
	if (!read_decimal(rest, last, &number) || !number)
		return false;
	*prefix = (uint8_t)number;
	return true;
}

static bool set_address(struct config_parser *parser, struct console *console, struct text value)
{
	if (read_prefix(&value, 30, &console->address->prefix) && read_address(value, console->address->address))
		return true;
	config_fail_here(parser, "`console`: behind the network stand its options, or the address of a station and how "
				 "many bits of it are the network's: for example `console = lan 192.168.1.5/24`");
	return false;
}

static bool set_gateway(struct config_parser *parser, struct console *console, struct text value)
{
	if (read_address(value, console->address->gateway))
		return true;
	config_fail_here(parser, "`gw` is followed by a router's address: for example `gw 192.168.1.1`");
	return false;
}

static bool set_address6(struct config_parser *parser, struct console *console, struct text value)
{
	if (read_prefix(&value, 128, &console->address->prefix6) && read_address6(value, console->address->address6))
		return true;
	config_fail_here(parser, "`ip6` is followed by the address of a station and how many bits of it are the "
				 "network's: for example `ip6 fd00::5/64`");
	return false;
}

static bool set_time_server(struct config_parser *parser, struct console *console, struct text value)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t *server = console->address->time_server;

	if (read_address(value, server + sizeof(mapped))) {
		__builtin_memcpy(server, mapped, sizeof(mapped));
		return true;
	}
	if (read_address6(value, server))
		return true;
	config_fail_here(parser, "`ntp` is followed by a time server's address: for example `ntp 192.168.1.1`");
	return false;
}

static bool set_hostname(struct config_parser *parser, struct console *console, struct text value)
{
	const char *wrong = config_name_error(value);

	for (size_t i = 0; i < value.bytes; i++)
		if (value.at[i] == '_')
			wrong = "a host's name has letters, digits and - only";
	if (!wrong)
		return text_copy(value, console->address->hostname, BH_NAME_BYTES);
	config_fail_here(parser, "`hostname`: %s", wrong);
	return false;
}

static bool set_mac(struct config_parser *parser, struct console *console, struct text value)
{
	return config_port_mac(parser, console->port, value);
}

static bool set_vlan(struct config_parser *parser, struct console *console, struct text value)
{
	return config_port_vlan(parser, console->port, value);
}

static const struct option {
	const char *name;
	bool (*set)(struct config_parser *parser, struct console *console, struct text value);
} options[] = {
	{ "", set_address },  { "gw", set_gateway },	    { "ip6", set_address6 },	{ "mac", set_mac },
	{ "vlan", set_vlan }, { "hostname", set_hostname }, { "ntp", set_time_server },
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

static bool read_option(struct config_parser *parser, struct console *console, struct text word, struct text *rest,
			uint32_t *seen)
{
	uint32_t i = 1;

	while (i < OPTIONS && !text_equal(word, options[i].name))
		i++;
	if (i == OPTIONS && word.bytes && text_is_digit(word.at[0]))
		i = 0;
	if (i == OPTIONS) {
		if (word.bytes > 40)
			word.bytes = 40;
		config_fail_here(parser,
				 "`console` has no option `%.*s`: ADDRESS/PREFIX, gw ADDRESS, ip6 ADDRESS/PREFIX, mac "
				 "ADDRESS, vlan NUMBER, hostname NAME and ntp ADDRESS are known",
				 TEXT_ARGUMENTS(word));
		return false;
	}
	if (*seen & 1u << i) {
		config_fail_here(parser, "`console`: %s is there twice: remove one of the two",
				 i ? options[i].name : "the address");
		return false;
	}
	*seen |= 1u << i;
	return options[i].set(parser, console, i ? text_word(rest) : word);
}

static uint32_t number_of(const uint8_t *address)
{
	return (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 | address[3];
}

/* Of a time server, if it is one of IPv4; 0: none. */
static uint32_t time_server_of(const struct bh_console_address *address)
{
	const uint8_t *server = address->time_server;

	return server[10] == 0xff && server[11] == 0xff && !number_of(server) ? number_of(server + 12) : 0;
}

/* What the options make together. */
static bool finish(struct config_parser *parser, const struct bh_console_address *address)
{
	uint32_t own = number_of(address->address), gateway = number_of(address->gateway);
	uint32_t host = own ? UINT32_MAX >> address->prefix : 0, server = time_server_of(address);

	if (own && (!(own & host) || (own & host) == host))
		config_fail_here(parser, "the address of `console` is that of its whole network: choose one within it");
	else if (gateway && !own)
		config_fail_here(parser, "`gw` goes with an address: without one, DHCP tells the router as well");
	else if (gateway && ((gateway ^ own) & ~host || gateway == own))
		config_fail_here(parser,
				 "`gw` is not a neighbour of the console: its first %u bits are to be those of "
				 "the console's address",
				 address->prefix);
	else if (server && server == own)
		config_fail_here(parser, "`ntp` is the console's own address: name a time server's");
	else if (server && own && !gateway && (server ^ own) & ~host)
		config_fail_here(parser, "`ntp` is not a neighbour of the console: add the router to it, `gw ADDRESS`");
	else
		return true;
	return false;
}

static bool read_console(struct config_parser *parser, struct console *console, struct text value)
{
	struct text name = text_word(&value), word;
	const char *wrong = config_name_error(name);
	uint32_t seen = 0;

	if (wrong) {
		config_fail_here(parser, "`console` begins with the name of a network: %s", wrong);
		return false;
	}
	text_copy(name, parser->port_network[parser->config->network.ports], BH_NAME_BYTES);
	for (word = text_word(&value); word.bytes; word = text_word(&value))
		if (!read_option(parser, console, word, &value, &seen))
			return false;
	return finish(parser, console->address);
}

void config_set_console(struct config_parser *parser, const char *key, struct text value)
{
	struct bh_network_records *records = &parser->config->network;
	struct bh_console_address address = { .hostname = "bulkhead" };
	struct bh_port port = { .name = BH_CONSOLE_PORT, .partition = BH_PORT_OF_CONSOLE, .queues = 1 };

	if (records->ports == BH_PORTS) {
		config_fail_here(parser, "`%s` makes one port too many: it and all guests have %u at most", key,
				 BH_PORTS);
		return;
	}
	port.line = parser->line;
	if (!read_console(parser, &(struct console){ &port, &address }, value))
		return;
	records->port[records->ports++] = port;
	records->console = address;
}
