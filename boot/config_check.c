/* What shows only when all sections are known: who has which CPU, and whom a channel joins. */
#include "config_parser.h"

static void default_cpus(struct config *config)
{
	for (uint32_t i = 0; i < config->partitions; i++) {
		struct config_partition *partition = &config->partition[i];

		if (partition->vcpus)
			continue;
		partition->vcpus = 1;
		partition->cpu[0] = (uint16_t)config->machine.services_cpu;
		partition->dedicated = 0;
	}
}

static bool has_cpu(const struct config_partition *partition, uint32_t cpu)
{
	for (uint32_t i = 0; i < partition->vcpus; i++)
		if (partition->cpu[i] == cpu)
			return true;
	return false;
}

/*
 * The first partition of the file keeps a disputed CPU: a later one is told, and not started. One
 * that has been told keeps none, or a single mistake would be told of all its neighbours.
 */
static bool check_cpu(struct config_parser *parser, uint32_t index, uint32_t cpu)
{
	struct config *config = parser->config;
	struct config_partition *partition = &config->partition[index];

	if (partition->dedicated && cpu == config->machine.services_cpu) {
		config_fail(parser, partition, partition->cpus_line,
			    "CPU %u runs the services (`services-cpu`), so it cannot be dedicated "
			    "to %s: choose another, or move the services",
			    cpu, partition->name);
		return false;
	}
	for (uint32_t i = 0; i < index; i++) {
		const struct config_partition *other = &config->partition[i];

		if (parser->no_cpus[i] || !has_cpu(other, cpu) || (!partition->dedicated && !other->dedicated))
			continue;
		config_fail(parser, partition, partition->cpus_line,
			    "CPU %u cannot be %s %s, since %s has it %s (line %u): choose another "
			    "CPU, or make both `shared`",
			    cpu, partition->dedicated ? "dedicated to" : "shared by", partition->name, other->name,
			    other->dedicated ? "dedicated" : "shared", other->cpus_line);
		return false;
	}
	return true;
}

static bool check_cpus(struct config_parser *parser, uint32_t index)
{
	struct config_partition *partition = &parser->config->partition[index];

	for (uint32_t i = 0; i < partition->vcpus; i++) {
		for (uint32_t j = 0; partition->dedicated && j < i; j++) {
			if (partition->cpu[j] != partition->cpu[i])
				continue;
			config_fail(parser, partition, partition->cpus_line,
				    "CPU %u is named twice: a dedicated CPU runs one vCPU", partition->cpu[i]);
			return false;
		}
		if (!check_cpu(parser, index, partition->cpu[i]))
			return false;
	}
	return true;
}

static void check_shares(struct config_parser *parser, struct config_partition *partition)
{
	if (partition->dedicated && (partition->weight != 100 || partition->cap_percent != 100))
		config_fail(parser, partition, partition->cpus_line,
			    "`weight` and `cap` divide shared CPUs, and those of %s are dedicated: "
			    "remove them, or write `cpus = shared ...`",
			    partition->name);
}

static bool resolve_channel(struct config_parser *parser, uint32_t index)
{
	struct config *config = parser->config;
	struct config_channel *channel = &config->channel[index];
	const struct config_ends *ends = &parser->ends[index];
	bool broken = parser->channel_entry[index].broken;

	for (uint32_t i = 0; i < 2; i++) {
		channel->end[i] = config_find(config, ends->name[i]);
		if (broken)
			continue;
		if (channel->end[i] == UINT32_MAX) {
			config_fail(parser, NULL, ends->line,
				    "the channel joins %s, which is no partition: check the "
				    "spelling, or add a [native %s] section",
				    ends->name[i], ends->name[i]);
			return false;
		}
		if (config->partition[channel->end[i]].kind != BH_KIND_NATIVE) {
			config_fail(parser, NULL, ends->line,
				    "the channel joins %s, which is a guest: channels join natives", ends->name[i]);
			return false;
		}
	}
	if (!broken && channel->end[0] == channel->end[1]) {
		config_fail(parser, NULL, ends->line, "the channel joins %s with itself: name two natives",
			    ends->name[0]);
		return false;
	}
	return !broken;
}

/* A partition that was promised a channel is not started without it. */
static void mark_ends(struct config_parser *parser, const struct config_channel *channel,
		      const struct config_ends *ends)
{
	char text[CONFIG_ERROR_BYTES];

	text_format(text, sizeof(text), "its channel %s has an error: see the log", channel->name);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t index = config_find(parser->config, ends->name[i]);

		if (index != UINT32_MAX)
			config_mark(&parser->config->partition[index], channel->line, text);
	}
}

/* Channels with an error leave the list. */
static void check_channels(struct config_parser *parser)
{
	struct config *config = parser->config;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < config->channels; i++) {
		if (resolve_channel(parser, i))
			config->channel[kept++] = config->channel[i];
		else
			mark_ends(parser, &config->channel[i], &parser->ends[i]);
	}
	if (kept < config->channels)
		__builtin_memset(&config->channel[kept], 0, (config->channels - kept) * sizeof(config->channel[0]));
	config->channels = kept;
}

void config_check(struct config_parser *parser)
{
	default_cpus(parser->config);
	for (uint32_t i = 0; i < parser->config->partitions; i++) {
		parser->no_cpus[i] = !check_cpus(parser, i);
		check_shares(parser, &parser->config->partition[i]);
	}
	check_channels(parser);
	config_check_devices(parser);
	config_check_networks(parser);
	config_check_grants(parser);
}
