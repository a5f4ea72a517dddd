/* Grants and channels: their reading, and the check of the names in them once all sections are
 * known. */
#include "config_parser.h"

static void add_partition(struct config_parser *parser, struct config_grant *grant, struct text name)
{
	/* `path` keeps the name until config_check_grants: the partition may come later in the
	 * file. */
	if (!name.bytes || !text_copy(name, grant->path, BH_NAME_BYTES))
		config_fail_here(parser, "`control` and `inspect` are followed by the name of "
					 "a partition: for example `inspect linux1`");
	else
		parser->partition->grants++;
}

/* What the kernel and the console drive themselves. */
static const struct {
	uint32_t first, last;
} own_ports[] = { { 0x20, 0x21 }, { 0xa0, 0xa1 }, { 0x3f8, 0x3ff }, { 0xcf8, 0xcff } };

static bool touches_own(struct config_parser *parser, uint64_t first, uint64_t last)
{
	for (size_t i = 0; i < sizeof(own_ports) / sizeof(own_ports[0]); i++) {
		if (first > own_ports[i].last || last < own_ports[i].first)
			continue;
		config_fail_here(parser, "ports 0x%x-0x%x are the machine's own: grant what does not touch them",
				 own_ports[i].first, own_ports[i].last);
		return true;
	}
	return false;
}

static void add_ports(struct config_parser *parser, struct config_grant *grant, struct text range)
{
	struct text first = text_until(&range, '-'), last = text_trim(range);
	uint64_t a, b;

	if (!last.bytes)
		last = first;
	if (!text_number(first, &a) || !text_number(last, &b) || a > b || b > 0xffff) {
		config_fail_here(parser, "`ports` is followed by the first and the last port, "
					 "0 to 0xffff: for example `ports 0x60-0x64`");
		return;
	}
	if (touches_own(parser, a, b))
		return;
	grant->first = (uint32_t)a;
	grant->last = (uint32_t)b;
	parser->partition->grants++;
}

static void add_irq(struct config_parser *parser, struct config_grant *grant, struct text number)
{
	uint64_t irq;

	if (!config_number(parser, "irq", number, 0, 15, &irq))
		return;
	if (irq == 2) {
		config_fail_here(parser, "interrupt 2 joins the two interrupt controllers: "
					 "no device has it");
		return;
	}
	if (irq == 4) {
		config_fail_here(parser, "interrupt 4 is the console's, whose UART has it");
		return;
	}
	grant->first = grant->last = (uint32_t)irq;
	parser->partition->grants++;
}

/* The handle's name is the file's name without its folder, so that must fit. */
static void add_image(struct config_parser *parser, struct config_grant *grant, struct text path)
{
	struct text rest = path, name = path;

	if (!path.bytes) {
		config_fail_here(parser, "`image` is followed by a file: for example "
					 "`image data.bin`");
		return;
	}
	while (rest.bytes)
		name = text_until(&rest, '/');
	if (name.bytes >= BH_NAME_BYTES)
		config_fail_here(parser, "the name of a granted image has %u characters at most", BH_NAME_BYTES - 1);
	else if (config_path(parser, "grants = image", path, grant->path))
		parser->partition->grants++;
}

static void add_device(struct config_parser *parser, struct config_grant *grant, struct text name)
{
	struct config_device device = { 0 };

	if (!config_device_read(name, &device)) {
		config_fail_here(parser, "`device` is followed by the address of a PCI device or by its class: "
					 "for example `device 00:1f.2` or `device class 02:00`");
		return;
	}
	grant->first = device.by;
	grant->last = device.number;
	parser->partition->grants++;
}

static void add_grant(struct config_parser *parser, struct text text)
{
	static const struct {
		const char *name;
		uint32_t type;
		bool native_only;
		void (*add)(struct config_parser *, struct config_grant *, struct text);
	} kinds[] = {
		{ "control", CONFIG_GRANT_CONTROL, false, add_partition },
		{ "inspect", CONFIG_GRANT_INSPECT, false, add_partition },
		{ "machine", CONFIG_GRANT_MACHINE, false, NULL },
		{ "ports", CONFIG_GRANT_PORTS, true, add_ports },
		{ "irq", CONFIG_GRANT_IRQ, true, add_irq },
		{ "image", CONFIG_GRANT_IMAGE, true, add_image },
		{ "device", CONFIG_GRANT_DEVICE, true, add_device },
	};
	struct config_partition *partition = parser->partition;
	struct text what = text_word(&text), rest = text_trim(text);
	struct config_grant *grant = &partition->grant[partition->grants];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!text_equal(what, kinds[i].name))
			continue;
		if (partition->grants == CONFIG_GRANTS) {
			config_fail_here(parser, "too many grants: %u at most", CONFIG_GRANTS);
			return;
		}
		if (kinds[i].native_only && partition->kind != BH_KIND_NATIVE) {
			config_fail_here(parser,
					 "only a native can be granted `%s`: a guest has "
					 "the devices of its monitor",
					 kinds[i].name);
			return;
		}
		grant->type = kinds[i].type;
		grant->line = parser->line;
		if (kinds[i].add)
			kinds[i].add(parser, grant, rest);
		else if (rest.bytes)
			config_fail_here(parser, "`%s` takes nothing behind it", kinds[i].name);
		else
			partition->grants++;
		return;
	}
	if (what.bytes > 40)
		what.bytes = 40;
	config_fail_here(parser,
			 "there is no grant `%.*s`: control NAME, inspect NAME, machine, "
			 "ports FIRST-LAST, irq NUMBER, image FILE and device ADDRESS are known",
			 TEXT_ARGUMENTS(what));
}

void config_set_grants(struct config_parser *parser, const char *key, struct text value)
{
	(void)key;
	while (value.bytes)
		add_grant(parser, text_until(&value, ','));
}

void config_set_between(struct config_parser *parser, const char *key, struct text value)
{
	struct text second = value, first = text_until(&second, ',');

	second = text_trim(second);
	parser->end->line = parser->line;
	if (config_name_error(first) || config_name_error(second))
		config_fail_here(parser,
				 "`%s` is the names of two natives with a comma between: "
				 "for example `ping, pong`",
				 key);
	else if (text_copy(first, parser->end->name[0], BH_NAME_BYTES))
		text_copy(second, parser->end->name[1], BH_NAME_BYTES);
}

static void resolve_grant(struct config_parser *parser, struct config_partition *partition, struct config_grant *grant)
{
	const struct config *config = parser->config;
	uint32_t index = config_find(config, grant->path);

	if (index == UINT32_MAX)
		config_fail(parser, partition, grant->line,
			    "the grant names %s, which is no partition: check the spelling, or add "
			    "a [guest %s] or [native %s] section",
			    grant->path, grant->path, grant->path);
	else if (&config->partition[index] == partition)
		config_fail(parser, partition, grant->line, "%s cannot be granted itself: name another partition",
			    grant->path);
	else
		grant->partition = index;
	__builtin_memset(grant->path, 0, sizeof(grant->path));
}

/* Two partitions with one port or interrupt: the later one is not started, the earlier keeps it. */
static void check_device(struct config_parser *parser, uint32_t owner, const struct config_grant *grant)
{
	struct config *config = parser->config;

	for (uint32_t i = 0; i <= owner; i++) {
		const struct config_partition *other = &config->partition[i];

		for (uint32_t g = 0; g < other->grants; g++) {
			const struct config_grant *held = &other->grant[g];

			if (held == grant)
				return;
			if (held->type != grant->type || held->first > grant->last || held->last < grant->first)
				continue;
			if (grant->type == CONFIG_GRANT_IRQ)
				config_fail(parser, &config->partition[owner], grant->line,
					    "irq %u is granted to %s already, in line %u", grant->first, other->name,
					    held->line);
			else
				config_fail(parser, &config->partition[owner], grant->line,
					    "ports 0x%x-0x%x overlap ports 0x%x-0x%x, which %s is "
					    "granted in line %u",
					    grant->first, grant->last, held->first, held->last, other->name,
					    held->line);
			return;
		}
	}
}

void config_check_grants(struct config_parser *parser)
{
	struct config *config = parser->config;

	for (uint32_t i = 0; i < config->partitions; i++) {
		struct config_partition *partition = &config->partition[i];

		for (uint32_t g = 0; g < partition->grants; g++) {
			struct config_grant *grant = &partition->grant[g];

			if (grant->type == CONFIG_GRANT_CONTROL || grant->type == CONFIG_GRANT_INSPECT)
				resolve_grant(parser, partition, grant);
			if (grant->type == CONFIG_GRANT_PORTS || grant->type == CONFIG_GRANT_IRQ)
				check_device(parser, i, grant);
		}
	}
}
