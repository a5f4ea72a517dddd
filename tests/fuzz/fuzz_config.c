/* Any bytes as bulkhead.conf: the records that come out keep to what config.h promises. */
#include <string.h>
#include "boot/config.h"
#include "boot/config_files.h"
#include "boot/config_machine.h"
#include "tests/fuzz/require.h"

static unsigned reports;

static void report(void *context, uint32_t line, const char *text)
{
	uint32_t *last = context;

	REQUIRE(line >= *last && text[0] && strlen(text) < CONFIG_ERROR_BYTES);
	for (; *text; text++)
		REQUIRE((unsigned char)*text >= 0x20 && (unsigned char)*text < 0x7f);
	*last = line;
	reports++;
}

static void ignore(void *context, uint32_t line, const char *text)
{
	(void)context;
	(void)line;
	REQUIRE(text[0]);
}

static void check_grants(const struct config *config, const struct config_partition *partition)
{
	REQUIRE(partition->grants <= CONFIG_GRANTS);
	for (uint32_t i = 0; i < partition->grants; i++) {
		const struct config_grant *grant = &partition->grant[i];

		REQUIRE(grant->type >= CONFIG_GRANT_CONTROL && grant->type <= CONFIG_GRANT_DEVICE);
		REQUIRE(grant->partition < config->partitions);
		if (grant->type == CONFIG_GRANT_DEVICE)
			REQUIRE(grant->first == CONFIG_DEVICE_ADDRESS ||
				(grant->first == CONFIG_DEVICE_CLASS && grant->last <= 0xffff));
		else
			REQUIRE(grant->first <= grant->last && grant->last <= 0xffff);
		REQUIRE(grant->type != CONFIG_GRANT_IMAGE || grant->path[0]);
		REQUIRE(grant->type == CONFIG_GRANT_IMAGE || !grant->path[0]);
	}
}

static void check_partition(const struct config *config, const struct config_partition *partition)
{
	REQUIRE(partition->name[0] && strnlen(partition->name, BH_NAME_BYTES) < BH_NAME_BYTES);
	REQUIRE(strnlen(partition->image, CONFIG_PATH_BYTES) < CONFIG_PATH_BYTES);
	REQUIRE(strnlen(partition->command, BH_COMMAND_BYTES) < BH_COMMAND_BYTES);
	REQUIRE(partition->vcpus >= 1 && partition->vcpus <= CONFIG_VCPUS);
	for (uint32_t i = 0; i < partition->vcpus; i++)
		REQUIRE(partition->cpu[i] < CONFIG_MACHINE_CPUS);
	REQUIRE(partition->weight >= 1 && partition->weight <= 10000);
	REQUIRE(partition->cap_percent >= 1 && partition->cap_percent <= 100);
	REQUIRE(partition->memory_bytes % (2 << 20) == 0);
	REQUIRE(partition->error[0] || (partition->memory_bytes && partition->image[0]));
	check_grants(config, partition);
}

static void check_port(const struct config *config, const struct bh_port *port)
{
	bool console = port->partition == BH_PORT_OF_CONSOLE;

	REQUIRE(port->network < config->network.networks && (console || port->partition < config->partitions));
	REQUIRE(console == !strcmp(port->name, BH_CONSOLE_PORT));
	REQUIRE(console || config->partition[port->partition].kind == BH_KIND_GUEST);
	REQUIRE(port->name[0] && strnlen(port->name, BH_NAME_BYTES) < BH_NAME_BYTES);
	REQUIRE(!(port->mac[0] & 1) && port->queues >= 1 && port->queues <= BH_QUEUE_PAIRS_MAX);
	REQUIRE(port->mtu == config->network.network[port->network].mtu);
	REQUIRE(port->vlan <= BH_VLAN_MAX && !(port->vlan && (port->flags & BH_PORT_TRUNK)));
	REQUIRE(!port->rate == !port->burst);
	for (const struct bh_port *other = config->network.port; other < port; other++)
		REQUIRE(other->network != port->network || memcmp(other->mac, port->mac, 6));
}

static void check_networks(const struct config *config)
{
	const struct bh_network_records *records = &config->network;

	REQUIRE(records->networks <= BH_NETWORKS && records->ports <= BH_PORTS);
	REQUIRE(!records->networks == (config->net == UINT32_MAX) && (records->networks || !records->ports));
	REQUIRE(!records->networks || !strcmp(config->partition[config->net].image, CONFIG_NET_PROGRAM));
	for (uint32_t i = 0; i < records->networks; i++) {
		const struct bh_network *network = &records->network[i];

		REQUIRE(network->name[0] && network->mtu >= 576 && network->mtu <= BH_MTU_MAX);
		REQUIRE(!network->uplink == (config->nic[i].by == CONFIG_DEVICE_NONE));
	}
	for (uint32_t i = 0; i < records->ports; i++)
		check_port(config, &records->port[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	static struct config_file files[CONFIG_FILES];
	struct config_facts facts = { 4, true, 512u << 20, 4u << 20, 2u << 20 };
	uint32_t last = 0, count;

	reports = 0;
	count = config_parse((const char *)data, size, &config, report, &last);
	REQUIRE(count == config.errors && (count > 0) == (reports > 0) && reports <= 51);
	REQUIRE(config.partitions <= CONFIG_PARTITIONS && config.channels <= CONFIG_CHANNELS);
	for (uint32_t i = 0; i < config.partitions; i++)
		check_partition(&config, &config.partition[i]);
	for (uint32_t i = 0; i < config.channels; i++) {
		REQUIRE(config.channel[i].end[0] < config.partitions);
		REQUIRE(config.channel[i].end[1] < config.partitions);
		REQUIRE(config.channel[i].bytes >= 4096 && config.channel[i].bytes % 4096 == 0);
	}
	check_networks(&config);
	count = config_files(&config, files);
	REQUIRE(count <= CONFIG_FILES);
	for (uint32_t i = 0; i < count; i += 2)
		config_file_fail(&config, &files[i], "missing", ignore, NULL);
	config_machine_check(&config, &facts, ignore, NULL);
	return 0;
}
