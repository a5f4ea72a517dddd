/* Sections: their names, and the place in the configuration that each one fills. */
#include "config_parser.h"

const char *config_name_error(struct text name)
{
	static const char *const reserved[] = { "machine", "console", "monitor", "all" };

	if (!name.bytes)
		return "the name is missing";
	if (name.bytes >= BH_NAME_BYTES)
		return "the name is too long: 31 characters at most";
	for (size_t i = 0; i < name.bytes; i++) {
		char c = name.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && (!i || (!text_is_digit(c) && c != '-' && c != '_')))
			return "a name has letters, digits, - and _ and starts with a letter";
	}
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (text_equal(name, reserved[i]))
			return "the names machine, console, monitor and all are reserved: "
			       "choose another";
	return NULL;
}

uint32_t config_find(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->partitions; i++)
		if (text_same(config->partition[i].name, name))
			return i;
	return UINT32_MAX;
}

void config_section_close(struct config_parser *parser)
{
	if (parser->section != CONFIG_SECTION_NONE)
		config_key_missing(parser);
	parser->section = CONFIG_SECTION_NONE;
	parser->partition = NULL;
	parser->entry = NULL;
	__builtin_memset(parser->seen, 0, sizeof(parser->seen));
}

static void open_machine(struct config_parser *parser, struct text name)
{
	if (name.bytes)
		config_fail(parser, NULL, parser->line, "[machine] has no name: write `[machine]`");
	else if (parser->machine_line)
		config_fail(parser, NULL, parser->line, "[machine] was opened in line %u already: put its keys there",
			    parser->machine_line);
	else
		parser->machine_line = parser->line;
	parser->section = CONFIG_SECTION_MACHINE;
}

/* The place of a new partition in the configuration, or `spare` where it must not be in the list.
 */
static struct config_partition *place_partition(struct config_parser *parser, struct text name)
{
	struct config *config = parser->config;
	const char *wrong = config_name_error(name);
	char copy[BH_NAME_BYTES];
	uint32_t other;

	if (wrong) {
		config_fail(parser, NULL, parser->line, "%s, for example `[guest linux1]`", wrong);
		return &parser->spare;
	}
	text_copy(name, copy, sizeof(copy));
	other = config_find(config, copy);
	if (other != UINT32_MAX) {
		/* Nobody can tell which of the two was meant, so the first is not started either.
		 */
		config_fail(parser, &config->partition[other], parser->line,
			    "the name %s is used twice, in line %u and in line %u: "
			    "give one of them another",
			    copy, config->partition[other].line, parser->line);
		return &parser->spare;
	}
	if (config->partitions == CONFIG_PARTITIONS) {
		config_fail(parser, NULL, parser->line, "%s is one partition too many: %u at most", copy,
			    CONFIG_PARTITIONS);
		return &parser->spare;
	}
	return &config->partition[config->partitions++];
}

void config_partition_init(struct config_partition *partition, uint32_t kind, struct text name, uint32_t line)
{
	__builtin_memset(partition, 0, sizeof(*partition));
	text_copy(name, partition->name, sizeof(partition->name));
	partition->kind = kind;
	partition->line = line;
	partition->image_line = partition->initrd_line = line;
	partition->memory_line = partition->cpus_line = line;
	partition->autostart = 1;
	partition->restart_limit = UINT32_MAX;
	partition->weight = 100;
	partition->cap_percent = 100;
	if (kind == BH_KIND_NATIVE)
		partition->memory_bytes = 2u << 20;
}

static void open_partition(struct config_parser *parser, uint32_t kind, struct text name)
{
	parser->partition = place_partition(parser, name);
	config_partition_init(parser->partition, kind, name, parser->line);
	parser->section = kind == BH_KIND_GUEST ? CONFIG_SECTION_GUEST : CONFIG_SECTION_NATIVE;
}

/*
 * Whether a new section of a kind that has `count` entries, `most` at most, gets a place. Its entry is list[count]
 * then, and `spare_entry` otherwise. Of two with one name nobody can tell which was meant: the first is broken as well.
 */
static bool place_entry(struct config_parser *parser, const char *kind, struct text name, struct config_entry *list,
			uint32_t count, uint32_t most)
{
	const char *wrong = config_name_error(name);
	struct config_entry *entry = &parser->spare_entry;

	if (wrong)
		config_fail(parser, NULL, parser->line, "%s, for example `[%s first]`", wrong, kind);
	for (uint32_t i = 0; i < count && !wrong; i++) {
		if (!text_equal(name, list[i].name))
			continue;
		list[i].broken = true;
		config_fail(parser, NULL, parser->line,
			    "the %s %s is there twice, in line %u and in line %u: give one of them another name", kind,
			    list[i].name, list[i].line, parser->line);
		wrong = "twice";
	}
	if (!wrong && count == most)
		config_fail(parser, NULL, parser->line, "%.*s is one %s too many: %u at most", TEXT_ARGUMENTS(name),
			    kind, most);
	else if (!wrong)
		entry = &list[count];
	parser->entry = entry;
	text_copy(name, entry->name, sizeof(entry->name));
	entry->line = parser->line;
	entry->broken = false;
	return entry != &parser->spare_entry;
}

static void open_channel(struct config_parser *parser, struct text name)
{
	struct config *config = parser->config;

	parser->channel = &parser->spare_channel;
	parser->end = &parser->spare_end;
	if (place_entry(parser, "channel", name, parser->channel_entry, config->channels, CONFIG_CHANNELS)) {
		parser->channel = &config->channel[config->channels];
		parser->end = &parser->ends[config->channels++];
	}
	__builtin_memset(parser->channel, 0, sizeof(*parser->channel));
	__builtin_memset(parser->end, 0, sizeof(*parser->end));
	text_copy(name, parser->channel->name, sizeof(parser->channel->name));
	parser->channel->line = parser->line;
	parser->channel->bytes = 65536;
	parser->section = CONFIG_SECTION_CHANNEL;
}

static void open_network(struct config_parser *parser, struct text name)
{
	struct bh_network_records *records = &parser->config->network;

	parser->network = &parser->spare_network;
	parser->nic = &parser->spare_nic;
	if (place_entry(parser, "network", name, parser->network_entry, records->networks, BH_NETWORKS)) {
		parser->nic = &parser->config->nic[records->networks];
		parser->network = &records->network[records->networks++];
	}
	__builtin_memset(parser->network, 0, sizeof(*parser->network));
	__builtin_memset(parser->nic, 0, sizeof(*parser->nic));
	text_copy(name, parser->network->name, sizeof(parser->network->name));
	parser->network->line = parser->line;
	parser->network->mtu = BH_MTU_USUAL;
	parser->network->broadcasts = 1000;
	parser->section = CONFIG_SECTION_NETWORK;
}

void config_section_line(struct config_parser *parser, struct text text)
{
	struct text name, kind;

	config_section_close(parser);
	parser->section_line = parser->line;
	text = config_uncomment(text);
	if (text.at[text.bytes - 1] != ']') {
		config_fail(parser, NULL, parser->line,
			    "a section begins with `[` and ends with `]`: for example `[machine]`");
		return;
	}
	name = text_trim((struct text){ text.at + 1, text.bytes - 2 });
	kind = text_word(&name);
	name = text_trim(name);
	if (text_equal(kind, "machine"))
		open_machine(parser, name);
	else if (text_equal(kind, "guest"))
		open_partition(parser, BH_KIND_GUEST, name);
	else if (text_equal(kind, "native"))
		open_partition(parser, BH_KIND_NATIVE, name);
	else if (text_equal(kind, "channel"))
		open_channel(parser, name);
	else if (text_equal(kind, "network"))
		open_network(parser, name);
	else
		config_fail(parser, NULL, parser->line,
			    "there is no such section: [machine], [guest NAME], [native NAME], "
			    "[channel NAME] and [network NAME] are known");
}
