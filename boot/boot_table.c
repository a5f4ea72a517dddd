#include "boot_table.h"
#include "text.h"

const struct boot_image *boot_image_named(const struct boot_info *info, const char *path)
{
	for (uint32_t i = 0; i < info->images; i++)
		if (text_same(info->image[i].path, path))
			return &info->image[i];
	return NULL;
}

const struct boot_program *boot_program_named(const struct boot_info *info, const char *path)
{
	for (uint32_t i = 0; i < info->programs; i++)
		if (text_same(info->program[i].path, path))
			return &info->program[i];
	return NULL;
}

bool boot_path_is_consoles(const struct config *config, const char *path)
{
	const struct bh_console_file *file = config->network.file;

	for (size_t i = 0; i < BH_CONSOLE_FILES; i++)
		if (file[i].path[0] && text_same(file[i].path, path))
			return true;
	return text_same(path, CONFIG_NAME);
}

bool boot_image_public(const struct boot_info *info, const struct boot_image *image)
{
	return image->path[0] && !boot_path_is_consoles(&info->config, image->path);
}

bool boot_image_used(const struct boot_info *info, const struct boot_image *image)
{
	for (uint32_t i = 0; i < info->config.partitions; i++) {
		const struct config_partition *partition = &info->config.partition[i];

		if (partition->name[0] && !partition->error[0] &&
		    (text_same(partition->image, image->path) || text_same(partition->initrd, image->path)))
			return true;
	}
	return false;
}

struct boot_image *boot_image_place(struct boot_info *info)
{
	for (uint32_t i = 0; i < BOOT_IMAGES; i++) {
		if (info->image[i].path[0])
			continue;
		info->images = i < info->images ? info->images : i + 1;
		return &info->image[i];
	}
	return NULL;
}

bool boot_program_fits(const struct boot_program *program, uint64_t bytes)
{
	for (uint32_t i = 0; i < program->segments; i++)
		if (program->segment[i].address + program->segment[i].memory_bytes > bytes)
			return false;
	return true;
}

static struct bh_port *free_port(struct bh_network_records *records)
{
	for (uint32_t i = 0; i < BH_PORTS; i++)
		if (!records->port[i].name[0])
			return &records->port[i];
	return NULL;
}

static bool place_port(struct bh_network_records *records, const struct bh_port *from, uint32_t partition)
{
	struct bh_port *port = free_port(records);
	uint32_t count = port ? (uint32_t)(port - records->port) + 1 : 0;

	if (!port)
		return false;
	*port = *from;
	port->partition = partition;
	records->ports = records->ports > count ? records->ports : count;
	return true;
}

struct config_partition *boot_creation_place(struct config *config, const struct config_creation *creation)
{
	uint32_t index = 0;

	while (index < CONFIG_PARTITIONS && config->partition[index].name[0])
		index++;
	if (index == CONFIG_PARTITIONS)
		return NULL;
	config->partition[index] = creation->partition;
	config->partition[index].error[0] = 0;
	if (config->partitions <= index)
		config->partitions = index + 1;
	for (uint32_t i = 0; i < creation->ports; i++)
		if (!place_port(&config->network, &creation->port[i], index)) {
			boot_creation_remove(config, &config->partition[index]);
			return NULL;
		}
	return &config->partition[index];
}

void boot_creation_remove(struct config *config, const struct config_partition *partition)
{
	uint32_t index = (uint32_t)(partition - config->partition);

	for (uint32_t i = 0; i < config->network.ports; i++)
		if (config->network.port[i].partition == index)
			__builtin_memset(&config->network.port[i], 0, sizeof(config->network.port[i]));
	__builtin_memset(&config->partition[index], 0, sizeof(config->partition[index]));
}

void boot_network_records(const struct config *config, const struct config_partition *reader,
			  struct bh_network_records *records)
{
	const struct bh_network_records *all = &config->network;
	bool whole = !reader || reader == config_net(config);

	*records = *all;
	if (reader)
		__builtin_memset(records->file, 0, sizeof(records->file));
	if (whole)
		return;
	__builtin_memset(&records->console, 0, sizeof(records->console));
	__builtin_memset(records->port, 0, sizeof(records->port));
	records->ports = 0;
	for (uint32_t i = 0; i < all->ports; i++)
		if (all->port[i].name[0] && &config->partition[all->port[i].partition] == reader)
			records->port[records->ports++] = all->port[i];
}
