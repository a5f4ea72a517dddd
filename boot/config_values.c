/* The values of the keys: each function reads one, stores it, or says what would be right. */
#include "config_parser.h"

#define MIB (1ull << 20)

#define GUEST_MEMORY_MIN  (32 * MIB) /* less does not hold a Linux kernel and its decompressor */
#define GUEST_MEMORY_MAX  (1024 * 1024 * MIB)
#define NATIVE_MEMORY_MIN (2 * MIB)
#define NATIVE_MEMORY_MAX (1024 * MIB) /* what lies above is taken: BH_GPA_MESSAGES */

bool config_number(struct config_parser *parser, const char *key, struct text value, uint64_t first, uint64_t last,
		   uint64_t *number)
{
	if (text_number(value, number) && *number >= first && *number <= last)
		return true;
	if (value.bytes > 40)
		value.bytes = 40;
	config_fail_here(parser, "`%s`: `%.*s` is not a number from %llu to %llu", key, TEXT_ARGUMENTS(value),
			 (unsigned long long)first, (unsigned long long)last);
	return false;
}

static void set_number(struct config_parser *parser, const char *key, struct text value, uint64_t first, uint64_t last,
		       uint32_t *out)
{
	uint64_t number;

	if (config_number(parser, key, value, first, last, &number))
		*out = (uint32_t)number;
}

void config_set_services_cpu(struct config_parser *parser, const char *key, struct text value)
{
	set_number(parser, key, value, 0, CONFIG_MACHINE_CPUS - 1, &parser->config->machine.services_cpu);
}

void config_set_services_weight(struct config_parser *parser, const char *key, struct text value)
{
	set_number(parser, key, value, 1, 10000, &parser->config->machine.services_weight);
}

void config_set_weight(struct config_parser *parser, const char *key, struct text value)
{
	set_number(parser, key, value, 1, 10000, &parser->partition->weight);
}

void config_set_slice(struct config_parser *parser, const char *key, struct text value)
{
	uint64_t number, scale = 0;
	struct text unit;

	if (text_number_unit(value, &number, &unit) && number <= 1000000) {
		if (text_equal(unit, "us"))
			scale = 1;
		else if (text_equal(unit, "ms"))
			scale = 1000;
		else if (text_equal(unit, "s"))
			scale = 1000000;
	}
	if (scale && number * scale >= 100 && number * scale <= 1000000)
		parser->config->machine.slice_microseconds = (uint32_t)(number * scale);
	else
		config_fail_here(parser, "`%s` is a time from 100us to 1s with its unit: for example 5ms", key);
}

void config_set_panic(struct config_parser *parser, const char *key, struct text value)
{
	if (text_equal(value, "halt"))
		parser->config->machine.panic = CONFIG_PANIC_HALT;
	else if (text_equal(value, "reset"))
		parser->config->machine.panic = CONFIG_PANIC_RESET;
	else
		config_fail_here(parser, "`%s` is `halt` or `reset`", key);
}

void config_set_command(struct config_parser *parser, const char *key, struct text value)
{
	if (!text_copy(value, parser->partition->command, BH_COMMAND_BYTES))
		config_fail_here(parser, "`%s` has %llu characters: %u at most", key, (unsigned long long)value.bytes,
				 BH_COMMAND_BYTES - 1);
}

/* A number with K, M or G behind it, in bytes. */
static bool read_size(struct text value, uint64_t *bytes)
{
	struct text unit;

	if (!text_number_unit(value, bytes, &unit) || unit.bytes != 1 || *bytes >= 1ull << 32)
		return false;
	if (unit.at[0] == 'K')
		*bytes <<= 10;
	else if (unit.at[0] == 'M')
		*bytes <<= 20;
	else if (unit.at[0] == 'G')
		*bytes <<= 30;
	else
		return false;
	return true;
}

bool config_size(struct config_parser *parser, const char *key, struct text value, const uint64_t limits[3],
		 uint64_t *out)
{
	uint64_t least = limits[0], most = limits[1], step = limits[2], bytes;
	char a[24], b[24], c[24];

	if (!read_size(value, &bytes)) {
		if (value.bytes > 40)
			value.bytes = 40;
		config_fail_here(parser, "`%s = %.*s`: a size is a number and K, M or G: for example %s", key,
				 TEXT_ARGUMENTS(value), text_size(a, least));
	} else if (bytes < least || bytes > most) {
		config_fail_here(parser, "`%s = %s` is out of range: %s to %s", key, text_size(c, bytes),
				 text_size(a, least), text_size(b, most));
	} else if (bytes % step) {
		config_fail_here(parser, "`%s = %s` is not a multiple of %s: %s or %s would be", key,
				 text_size((char[24]){ 0 }, bytes), text_size(c, step),
				 text_size(a, bytes - bytes % step), text_size(b, bytes - bytes % step + step));
	} else {
		*out = bytes;
		return true;
	}
	return false;
}

void config_set_memory(struct config_parser *parser, const char *key, struct text value)
{
	static const uint64_t guest[] = { GUEST_MEMORY_MIN, GUEST_MEMORY_MAX, 2 * MIB };
	static const uint64_t native[] = { NATIVE_MEMORY_MIN, NATIVE_MEMORY_MAX, 2 * MIB };

	parser->partition->memory_line = parser->line;
	config_size(parser, key, value, parser->section == CONFIG_SECTION_GUEST ? guest : native,
		    &parser->partition->memory_bytes);
}

void config_set_size(struct config_parser *parser, const char *key, struct text value)
{
	static const uint64_t limits[] = { 4096, 16 * MIB, 4096 };

	config_size(parser, key, value, limits, &parser->channel->bytes);
}

void config_set_cpus(struct config_parser *parser, const char *key, struct text value)
{
	struct config_partition *partition = parser->partition;
	struct text how = text_word(&value), word = text_word(&value);
	uint64_t cpu;

	partition->cpus_line = parser->line;
	partition->dedicated = text_equal(how, "dedicated");
	if ((!partition->dedicated && !text_equal(how, "shared")) || !word.bytes) {
		config_fail_here(parser,
				 "`%s` is `shared` or `dedicated` and the number of a CPU "
				 "for each vCPU: for example `dedicated 2 3`",
				 key);
		partition->dedicated = 0;
		return;
	}
	for (; word.bytes; word = text_word(&value)) {
		if (partition->vcpus == CONFIG_VCPUS) {
			config_fail_here(parser,
					 "`%s` has too many numbers: a partition has "
					 "%u vCPUs at most",
					 key, CONFIG_VCPUS);
			return;
		}
		if (!config_number(parser, key, word, 0, CONFIG_MACHINE_CPUS - 1, &cpu))
			return;
		partition->cpu[partition->vcpus++] = (uint16_t)cpu;
	}
}

void config_set_cap(struct config_parser *parser, const char *key, struct text value)
{
	uint64_t number;
	struct text unit;

	if (text_number_unit(value, &number, &unit) && text_equal(unit, "%") && number >= 1 && number <= 100)
		parser->partition->cap_percent = (uint32_t)number;
	else
		config_fail_here(parser,
				 "`%s` is a part of a CPU from 1%% to 100%%: "
				 "for example 50%%",
				 key);
}

void config_set_restart(struct config_parser *parser, const char *key, struct text value)
{
	struct config_partition *partition = parser->partition;
	struct text how = text_word(&value), limit = text_trim(value);

	if (text_equal(how, "never") && !limit.bytes)
		partition->restart = CONFIG_RESTART_NEVER;
	else if (text_equal(how, "on-failure"))
		partition->restart = CONFIG_RESTART_ON_FAILURE;
	else if (text_equal(how, "always"))
		partition->restart = CONFIG_RESTART_ALWAYS;
	else {
		config_fail_here(parser,
				 "`%s` is `never`, `on-failure` or `always`, the last two "
				 "with the restarts at most behind them or without a limit",
				 key);
		return;
	}
	if (limit.bytes)
		set_number(parser, key, limit, 1, 1000000, &partition->restart_limit);
}

static void set_yes_or_no(struct config_parser *parser, const char *key, struct text value, uint8_t *out)
{
	if (text_equal(value, "yes"))
		*out = 1;
	else if (text_equal(value, "no"))
		*out = 0;
	else
		config_fail_here(parser, "`%s` is `yes` or `no`", key);
}

void config_set_autostart(struct config_parser *parser, const char *key, struct text value)
{
	set_yes_or_no(parser, key, value, &parser->partition->autostart);
}

void config_set_trusted(struct config_parser *parser, const char *key, struct text value)
{
	set_yes_or_no(parser, key, value, &parser->partition->trusted_for_dma);
}
