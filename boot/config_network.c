/* The keys of a [network NAME] section, and what [machine] says of the net service. */
#include "config_parser.h"

#define ETHERNET 0x0200 /* class and subclass of Ethernet controllers */

void config_set_nic(struct config_parser *parser, const char *key, struct text value)
{
	struct config_device *nic = parser->nic;

	nic->line = parser->line;
	parser->network->uplink = 1;
	if (text_equal(value, "ethernet")) {
		nic->by = CONFIG_DEVICE_CLASS;
		nic->number = ETHERNET;
	} else if (!config_device_read(value, nic)) {
		nic->by = CONFIG_DEVICE_NONE;
		config_fail_here(parser,
				 "`%s` is `ethernet`, for the first network card that nobody else has, or a card's "
				 "address: for example `00:1f.6`",
				 key);
	}
}

void config_set_mtu(struct config_parser *parser, const char *key, struct text value)
{
	uint64_t mtu;

	if (config_number(parser, key, value, 576, BH_MTU_MAX, &mtu))
		parser->network->mtu = (uint32_t)mtu;
}

void config_set_broadcasts(struct config_parser *parser, const char *key, struct text value)
{
	uint64_t number;

	if (text_equal(value, "unlimited"))
		parser->network->broadcasts = 0;
	else if (text_number(value, &number) && number >= 1 && number <= 1000000)
		parser->network->broadcasts = (uint32_t)number;
	else
		config_fail_here(parser,
				 "`%s` is how many frames to many a guest may send in a second, 1 to 1000000, or "
				 "`unlimited`",
				 key);
}

void config_set_trusted_services(struct config_parser *parser, const char *key, struct text value)
{
	while (value.bytes) {
		struct text name = text_until(&value, ',');

		if (text_equal(name, CONFIG_NET_NAME)) {
			parser->net_trusted = true;
			continue;
		}
		if (name.bytes > 40)
			name.bytes = 40;
		config_fail_here(parser,
				 "`%s`: `%.*s` is no service that has devices: only `net` is. A native has a key "
				 "of this name in its own section",
				 key, TEXT_ARGUMENTS(name));
	}
}
