#include "config_record.h"
#include "boot_table.h"
#include "text.h"

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool is_printable(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!text[i])
			return true;
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	}
	return false;
}

bool config_image_name(const char name[BH_IMAGE_NAME_BYTES])
{
	size_t length = 0;

	for (; length < BH_IMAGE_NAME_BYTES && name[length]; length++) {
		char c = name[length];

		if (!is_letter(c) && !text_is_digit(c) && c != '-' && c != '_' && (c != '.' || !length))
			return false;
	}
	return length && length < BH_IMAGE_NAME_BYTES && name[length - 1] != '.';
}

bool config_image_new(const struct boot_info *info, const char name[BH_IMAGE_NAME_BYTES])
{
	return config_image_name(name) && !boot_image_named(info, name) && !boot_path_is_consoles(&info->config, name);
}

static bool is_name(const char *name)
{
	if (!is_letter(name[0]) || !is_printable(name, BH_NAME_BYTES))
		return false;
	for (size_t i = 1; name[i]; i++)
		if (!is_letter(name[i]) && !text_is_digit(name[i]) && name[i] != '-' && name[i] != '_')
			return false;
	return !text_same(name, "machine") && !text_same(name, "console") && !text_same(name, "monitor") &&
	       !text_same(name, "all");
}

static bool is_taken(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->partitions; i++)
		if (text_same(config->partition[i].name, name))
			return true;
	return false;
}

/* ---- CPUs -------------------------------------------------------------------------------------- */

static bool has_cpu(const struct config_partition *partition, uint32_t vcpus, uint32_t cpu)
{
	for (uint32_t i = 0; i < vcpus; i++)
		if (partition->cpu[i] == cpu)
			return true;
	return false;
}

static const char *cpu_wrong(const struct config *config, const struct config_partition *record, uint32_t index)
{
	uint32_t cpu = record->cpu[index];

	if (record->dedicated && cpu == config->machine.services_cpu)
		return "the services' CPU cannot be dedicated";
	if (record->dedicated && has_cpu(record, index, cpu))
		return "a dedicated CPU runs one vCPU";
	for (uint32_t i = 0; i < config->partitions; i++) {
		const struct config_partition *other = &config->partition[i];

		if (other->name[0] && !other->error[0] && (record->dedicated || other->dedicated) &&
		    has_cpu(other, other->vcpus, cpu))
			return "one of its CPUs is dedicated to another partition, or cannot be dedicated, as another "
			       "shares it";
	}
	return NULL;
}

static const char *cpus_wrong(const struct config *config, const struct config_partition *record, uint32_t cpus)
{
	const char *wrong = NULL;

	if (!record->vcpus || record->vcpus > CONFIG_VCPUS || record->dedicated > 1)
		return "a partition has 1 to 16 vCPUs";
	for (uint32_t i = 0; i < record->vcpus && !wrong; i++)
		wrong = record->cpu[i] < cpus ? cpu_wrong(config, record, i) : "the machine has fewer CPUs";
	return wrong;
}

/* ---- ports ------------------------------------------------------------------------------------- */

static bool port_name_is(const char *port, const char *partition, uint32_t index)
{
	char name[BH_NAME_BYTES + 4];

	text_format(name, sizeof(name), "%s.%u", partition, index);
	return is_printable(port, BH_NAME_BYTES) && text_same(port, name);
}

static const char *port_wrong(const struct config *config, const struct bh_port *port)
{
	const struct bh_network_records *records = &config->network;

	if (port->network >= records->networks)
		return "there is no such network";
	if (port->mtu != records->network[port->network].mtu || port->flags & ~(BH_PORT_TRUSTED | BH_PORT_TRUNK) ||
	    !port->queues || port->queues > BH_QUEUE_PAIRS_MAX || port->vlan > BH_VLAN_MAX || port->mac[0] & 1)
		return "one of its ports is none that a configuration can make";
	for (uint32_t i = 0; i < records->ports; i++)
		if (records->port[i].name[0] && records->port[i].network == port->network &&
		    !__builtin_memcmp(records->port[i].mac, port->mac, 6))
			return "the address of one of its ports is another port's already";
	return NULL;
}

static const char *ports_wrong(const struct config *config, const struct config_creation *creation)
{
	const char *wrong = NULL;

	if (creation->ports > (creation->partition.kind == BH_KIND_GUEST ? BH_PORTS_PER_GUEST : 0))
		return "a guest has 4 ports at most, and a native has none";
	for (uint32_t i = 0; i < creation->ports && !wrong; i++)
		wrong = port_name_is(creation->port[i].name, creation->partition.name, i)
				? port_wrong(config, &creation->port[i])
				: "a port is called NAME.NUMBER";
	return wrong;
}

/* ---- what it is made of ------------------------------------------------------------------------- */

static const char *image_wrong(const struct boot_info *info, const char *path)
{
	const struct boot_image *image = boot_image_named(info, path);

	if (!image || !boot_image_public(info, image))
		return "there is no such image";
	return image->missing ? "its image is not complete" : NULL;
}

static const char *guest_wrong(const struct boot_info *info, const struct config_partition *record)
{
	const char *wrong = image_wrong(info, record->image);

	if (!boot_program_named(info, "monitor.elf"))
		return "no guest can be made: monitor.elf was not loaded at boot";
	return wrong || !record->initrd[0] ? wrong : image_wrong(info, record->initrd);
}

static const char *native_wrong(const struct boot_info *info, const struct config_partition *record)
{
	const struct boot_program *program = boot_program_named(info, record->image);

	if (!program)
		return "there is no such program: a native is made of one that the boot has loaded";
	return boot_program_fits(program, record->memory_bytes) ? NULL : "its program does not fit into its memory";
}

/* ---- all ---------------------------------------------------------------------------------------- */

static bool texts_end(const struct config_partition *record)
{
	return is_printable(record->image, CONFIG_PATH_BYTES) && is_printable(record->initrd, CONFIG_PATH_BYTES) &&
	       is_printable(record->command, BH_COMMAND_BYTES);
}

static bool numbers_fit(const struct config_partition *record)
{
	return (record->kind == BH_KIND_GUEST || record->kind == BH_KIND_NATIVE) && record->memory_bytes &&
	       record->memory_bytes % (2u << 20) == 0 && record->memory_bytes <= 1ull << 46 && record->autostart <= 1 &&
	       record->restart <= CONFIG_RESTART_ALWAYS && record->weight >= 1 && record->weight <= 10000 &&
	       record->cap_percent >= 1 && record->cap_percent <= 100;
}

const char *config_record_wrong(const struct boot_info *info, const struct config_creation *creation, uint32_t cpus)
{
	const struct config_partition *record = &creation->partition;
	const struct config *config = &info->config;
	const char *wrong;

	if (!is_name(record->name))
		return "a name has letters, digits, - and _ and starts with a letter";
	if (is_taken(config, record->name))
		return "the name is taken";
	if (!texts_end(record) || !numbers_fit(record))
		return "this record is none that a configuration can make";
	if (record->grants || record->trusted_for_dma)
		return "grants are given at boot only";
	wrong = record->kind == BH_KIND_GUEST ? guest_wrong(info, record) : native_wrong(info, record);
	if (wrong)
		return wrong;
	wrong = cpus_wrong(config, record, cpus);
	return wrong ? wrong : ports_wrong(config, creation);
}
