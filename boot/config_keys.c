/*
 * The keys of bulkhead.conf: a new one is a line here, a function in config_values.c, and a line in
 * the README.
 */
#include "config_parser.h"

#define MACHINE	  CONFIG_SECTION_MACHINE
#define GUEST	  CONFIG_SECTION_GUEST
#define NATIVE	  CONFIG_SECTION_NATIVE
#define CHANNEL	  CONFIG_SECTION_CHANNEL
#define NETWORK	  CONFIG_SECTION_NETWORK
#define PARTITION (GUEST | NATIVE)

static const struct config_key keys[] = {
	{ "services-cpu", "0", MACHINE, 0, false, config_set_services_cpu },
	{ "services-weight", "200", MACHINE, 0, false, config_set_services_weight },
	{ "slice", "5ms", MACHINE, 0, false, config_set_slice },
	{ "panic", "halt", MACHINE, 0, false, config_set_panic },
	{ "trusted-for-dma", "net", MACHINE, 0, false, config_set_trusted_services },
	{ "console", "lan", MACHINE, 0, false, config_set_console },
	{ "tokens", "tokens.txt", MACHINE, 0, false, config_set_console_file },
	{ "certificate", "console.pem", MACHINE, 0, false, config_set_console_file },
	{ "key", "console.key", MACHINE, 0, false, config_set_console_file },
	{ "kernel", "vmlinuz", GUEST, GUEST, false, config_set_image },
	{ "initrd", "initramfs.img", GUEST, 0, false, config_set_initrd },
	{ "command-line", "console=ttyS0", GUEST, 0, true, config_set_command },
	{ "program", "hello.elf", NATIVE, NATIVE, false, config_set_image },
	{ "arguments", "fast", NATIVE, 0, true, config_set_command },
	{ "memory", "128M", PARTITION, GUEST, false, config_set_memory },
	{ "cpus", "shared 0", PARTITION, 0, false, config_set_cpus },
	{ "weight", "100", PARTITION, 0, false, config_set_weight },
	{ "cap", "50%", PARTITION, 0, false, config_set_cap },
	{ "restart", "on-failure 3", PARTITION, 0, false, config_set_restart },
	{ "autostart", "yes", PARTITION, 0, false, config_set_autostart },
	{ "grants", "inspect NAME", PARTITION, 0, false, config_set_grants },
	{ "networks", "lan", GUEST, 0, false, config_set_networks },
	{ "trusted-for-dma", "no", NATIVE, 0, false, config_set_trusted },
	{ "between", "ping, pong", CHANNEL, CHANNEL, false, config_set_between },
	{ "size", "64K", CHANNEL, 0, false, config_set_size },
	{ "nic", "ethernet", NETWORK, 0, false, config_set_nic },
	{ "mtu", "1500", NETWORK, 0, false, config_set_mtu },
	{ "broadcasts", "1000", NETWORK, 0, false, config_set_broadcasts },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

_Static_assert(KEYS <= CONFIG_KEYS_MAX, "each key has its place in config_parser.seen");

struct text config_uncomment(struct text text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		if (text.at[i] == '#' && (!i || text_is_blank(text.at[i - 1]))) {
			text.bytes = i;
			break;
		}
	}
	return text_trim(text);
}

static const char *section_name(uint32_t section)
{
	switch (section) {
	case CONFIG_SECTION_MACHINE: return "the machine";
	case CONFIG_SECTION_GUEST: return "a guest";
	case CONFIG_SECTION_NATIVE: return "a native";
	case CONFIG_SECTION_NETWORK: return "a network";
	default: return "a channel";
	}
}

static void unknown_key(struct config_parser *parser, struct text name)
{
	const struct config_key *nearest = NULL;
	unsigned nearest_distance = 3;
	char list[128];
	size_t used = 0;

	for (const struct config_key *key = keys; key < keys + KEYS; key++) {
		unsigned distance = text_distance(name, key->name);

		if (!(key->sections & parser->section))
			continue;
		used += text_format(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", key->name);
		if (distance < nearest_distance) {
			nearest = key;
			nearest_distance = distance;
		}
	}
	if (name.bytes > 40)
		name.bytes = 40;
	config_fail_here(parser, "unknown key `%.*s`%s%s%s keys of %s are %s", TEXT_ARGUMENTS(name),
			 nearest ? ": did you mean `" : "", nearest ? nearest->name : "", nearest ? "`? The" : "; the",
			 section_name(parser->section), list);
}

static const struct config_key *find_key(uint32_t section, struct text name)
{
	for (const struct config_key *key = keys; key < keys + KEYS; key++)
		if ((key->sections & section) && text_equal(name, key->name))
			return key;
	return NULL;
}

static bool is_ascii(struct text text)
{
	for (size_t i = 0; i < text.bytes; i++)
		if ((unsigned char)text.at[i] >= 0x80)
			return false;
	return true;
}

/* A required key that is there but wrong has been reported: it is not missing as well. */
static bool note_key(struct config_parser *parser, const struct config_key *key)
{
	uint32_t *seen = &parser->seen[key - keys];

	if (*seen) {
		config_fail_here(parser, "`%s` was given in line %u already: remove one of the two", key->name, *seen);
		return false;
	}
	*seen = parser->line;
	return true;
}

void config_key_line(struct config_parser *parser, struct text text)
{
	const struct config_key *key;
	struct text value = text, name = text_until(&value, '=');

	if (name.bytes + value.bytes == text.bytes) {
		if (text.bytes > 40)
			text.bytes = 40;
		config_fail_here(parser, "`%.*s` is neither `key = value` nor a [section]", TEXT_ARGUMENTS(text));
		return;
	}
	key = find_key(parser->section, name);
	if (!is_ascii(name) || (!key && name.bytes == 0)) {
		config_fail_here(parser, "there is no key before the `=`: write `key = value`");
		return;
	}
	if (!key) {
		unknown_key(parser, name);
		return;
	}
	if (!note_key(parser, key))
		return;
	value = key->raw ? text_trim(value) : config_uncomment(value);
	if (!is_ascii(value))
		config_fail_here(parser, "the value of `%s` has characters that are not ASCII", key->name);
	else if (!value.bytes && !key->raw)
		config_fail_here(parser, "`%s` has no value: for example `%s = %s`", key->name, key->name,
				 key->example);
	else
		key->set(parser, key->name, value);
}

void config_key_missing(struct config_parser *parser)
{
	for (const struct config_key *key = keys; key < keys + KEYS; key++) {
		if (!(key->required & parser->section) || parser->seen[key - keys])
			continue;
		if (parser->entry)
			parser->entry->broken = true;
		config_fail(parser, parser->partition, parser->section_line, "%s needs `%s`: for example `%s = %s`",
			    section_name(parser->section), key->name, key->name, key->example);
	}
}
