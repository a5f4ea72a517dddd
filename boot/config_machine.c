#include "config_machine.h"
#include "config_files.h"
#include "text.h"

#define FRAME (2ull << 20)

static uint64_t frames_of(uint64_t bytes) { return (bytes + FRAME - 1) / FRAME; }

static void check_services_cpu(struct config *config, const struct config_facts *facts, config_error report,
			       void *context)
{
	char text[CONFIG_ERROR_BYTES];

	if (config->machine.services_cpu < facts->cpus)
		return;
	text_format(text, sizeof(text), "`services-cpu = %u` is not there: the machine has CPUs 0 to %u; CPU 0 is used",
		    config->machine.services_cpu, facts->cpus - 1);
	config->errors++;
	config->machine.services_cpu = 0;
	if (report)
		report(context, 0, text);
}

static void check_cpus(struct config *config, struct config_partition *partition, const struct config_facts *facts,
		       config_error report, void *context)
{
	for (uint32_t i = 0; i < partition->vcpus; i++) {
		uint32_t cpu = partition->cpu[i];

		if (cpu >= facts->cpus) {
			config_partition_fail(config, partition, partition->cpus_line, report, context,
					      "%s wants CPU %u: the machine has CPUs 0 to %u", partition->name, cpu,
					      facts->cpus - 1);
			return;
		}
		/* Only after services-cpu has moved to CPU 0: the parser has seen to the rest. */
		if (partition->dedicated && cpu == config->machine.services_cpu) {
			config_partition_fail(config, partition, partition->cpus_line, report, context,
					      "CPU %u runs the services, so it cannot be dedicated to %s: "
					      "choose another",
					      cpu, partition->name);
			return;
		}
	}
}

static uint64_t frames_beside(const struct config_partition *partition, const struct config_facts *facts)
{
	uint64_t bytes = facts->partition_bytes;

	if (partition->kind == BH_KIND_GUEST)
		bytes += facts->monitor_bytes;
	return frames_of(bytes);
}

static void take_memory(struct config *config, struct config_partition *partition, const struct config_facts *facts,
			uint64_t *frames, config_error report, void *context)
{
	uint64_t beside = frames_beside(partition, facts);
	uint64_t need = frames_of(partition->memory_bytes) + beside;
	char wanted[24], fits[24], beside_text[24];

	if (need <= *frames) {
		*frames -= need;
		return;
	}
	text_size(wanted, partition->memory_bytes);
	text_size(beside_text, beside * FRAME);
	if (*frames <= beside)
		config_partition_fail(config, partition, partition->memory_line, report, context,
				      "%s: `memory = %s` does not fit: no memory is left, give the "
				      "partitions before it less",
				      partition->name, wanted);
	else
		config_partition_fail(config, partition, partition->memory_line, report, context,
				      "%s: `memory = %s` does not fit: %s would (and %s beside it)", partition->name,
				      wanted, text_size(fits, (*frames - beside) * FRAME), beside_text);
}

#define PORTS_PER_FRAME (FRAME / BH_PORT_CHANNEL_BYTES)

/* Whoever has an error gets no channel; the console has none. */
static bool port_is_there(const struct config *config, const struct bh_port *port)
{
	return port->partition == BH_PORT_OF_CONSOLE || !config->partition[port->partition].error[0];
}

/* What the channels take: those of the file, and those of the ports and of the net service. */
static uint64_t channel_frames(const struct config *config)
{
	uint64_t bytes = config->network.networks ? BH_NETWORK_CHANNEL_BYTES : 0, ports = 0;

	for (uint32_t i = 0; i < config->channels; i++)
		bytes += config->channel[i].bytes;
	for (uint32_t i = 0; i < config->network.ports; i++)
		ports += port_is_there(config, &config->network.port[i]);
	return frames_of(bytes) + (ports + PORTS_PER_FRAME - 1) / PORTS_PER_FRAME;
}

static void check_partition(struct config *config, uint32_t index, const struct config_facts *facts, uint64_t *frames,
			    config_error report, void *context)
{
	struct config_partition *partition = &config->partition[index];

	if (!partition->error[0] && facts->cpus)
		check_cpus(config, partition, facts, report, context);
	if (!partition->error[0] && facts->memory_known)
		take_memory(config, partition, facts, frames, report, context);
}

uint32_t config_machine_check(struct config *config, const struct config_facts *facts, config_error report,
			      void *context)
{
	uint32_t before = config->errors;
	uint64_t frames = facts->memory_bytes / FRAME, channels = channel_frames(config);

	frames = frames > channels ? frames - channels : 0;
	if (facts->cpus)
		check_services_cpu(config, facts, report, context);
	if (config->network.networks) {
		config->partition[config->net].cpu[0] = (uint16_t)config->machine.services_cpu;
		check_partition(config, config->net, facts, &frames, report, context);
	}
	for (uint32_t i = 0; i < config->partitions; i++)
		if (!config_is_net(config, i))
			check_partition(config, i, facts, &frames, report, context);
	return config->errors - before;
}

void config_program_check(struct config *config, const char *path, uint64_t end, config_error report, void *context)
{
	char wanted[24], needed[24];

	for (uint32_t i = 0; i < config->partitions; i++) {
		struct config_partition *partition = &config->partition[i];

		if (partition->kind != BH_KIND_NATIVE || !text_same(partition->image, path) ||
		    end <= partition->memory_bytes)
			continue;
		config_partition_fail(config, partition, partition->memory_line, report, context,
				      "%s: `memory = %s` does not hold %s: %s would", partition->name,
				      text_size(wanted, partition->memory_bytes), path,
				      text_size(needed, frames_of(end) * FRAME));
	}
}
