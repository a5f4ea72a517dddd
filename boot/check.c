/*
 * check: a configuration and the files that it names, looked at on the host with the loader's own
 * parsers.
 *
 *   check CONF           prints an error per line, or what the configuration makes
 *   check --files CONF   prints the files that it names and that are there, one per line, for
 * image.py
 *
 * Exit status: 0 fine, 1 the configuration has errors, 2 it cannot be read or the arguments are
 * wrong.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "config.h"
#include "config_files.h"
#include "config_machine.h"
#include "elf.h"

#define PATH_BYTES 4096

static const char *conf_path;

static void report(void *context, uint32_t line, const char *text)
{
	(void)context;
	if (line)
		fprintf(stderr, "%s:%u: %s\n", conf_path, line, text);
	else
		fprintf(stderr, "%s: %s\n", conf_path, text);
}

/* The whole file, or NULL with errno set. The caller frees it. */
static char *read_file(const char *path, size_t *bytes)
{
	struct stat status;
	FILE *file = fopen(path, "rb");
	char *content = NULL;

	if (!file)
		return NULL;
	if (!fstat(fileno(file), &status)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : S_ISREG(status.st_mode) ? 0 : EINVAL;
		if (!errno)
			content = malloc((size_t)status.st_size + 1);
		if (content) {
			*bytes = fread(content, 1, (size_t)status.st_size, file);
			content[*bytes] = 0;
		}
	}
	fclose(file);
	return content;
}

/* Where `path` of the configuration lies on the host: beside the configuration. */
static void host_path(const char *path, char *out)
{
	const char *slash = strrchr(conf_path, '/');
	int folder = slash ? (int)(slash - conf_path) + 1 : 0;

	snprintf(out, PATH_BYTES, "%.*s%s", folder, conf_path, path);
}

static void check_program(struct config *config, const struct config_file *file, const char *content, size_t bytes)
{
	struct config_file as_program = { file->path, file->line, false, true };
	struct boot_program program;
	char error[ELF_ERROR_BYTES];

	if (elf_parse(content, bytes, &elf_native, &program, error))
		config_program_check(config, file->path, elf_end(&program), report, NULL);
	else
		config_file_fail(config, &as_program, error, report, NULL);
}

/* Beside the configuration, where its paths begin. */
static const char *why_unreadable(char *why, size_t bytes)
{
	const char *slash = strrchr(conf_path, '/');
	int folder = slash ? (int)(slash - conf_path) : 1;

	if (errno == ENOENT)
		snprintf(why, bytes, "there is no such file in the folder %.*s", folder, slash ? conf_path : ".");
	else
		snprintf(why, bytes, "it cannot be read: %s", strerror(errno));
	return why;
}

static bool check_file(struct config *config, const struct config_file *file)
{
	char path[PATH_BYTES], why[CONFIG_ERROR_BYTES];
	char *content;
	size_t bytes;

	host_path(file->path, path);
	content = read_file(path, &bytes);
	if (!content) {
		config_file_fail(config, file, why_unreadable(why, sizeof(why)), report, NULL);
		return false;
	}
	if (!bytes)
		config_file_fail(config, file, "the file is empty", report, NULL);
	else if (file->program)
		check_program(config, file, content, bytes);
	free(content);
	return true;
}

static const char *restart_text(const struct config_partition *partition)
{
	static char text[48];
	static const char *const names[] = { "never", "on failure", "always" };

	if (partition->restart == CONFIG_RESTART_NEVER || partition->restart_limit == UINT32_MAX)
		snprintf(text, sizeof(text), "%s", names[partition->restart]);
	else
		snprintf(text, sizeof(text), "%s, %u times", names[partition->restart], partition->restart_limit);
	return text;
}

static void print_partition(const struct config_partition *partition)
{
	char cpus[16 + CONFIG_VCPUS * 4];
	int used = snprintf(cpus, sizeof(cpus), partition->dedicated ? "dedicated" : "shared");

	for (uint32_t i = 0; i < partition->vcpus; i++)
		used += snprintf(cpus + used, sizeof(cpus) - (size_t)used, " %u", partition->cpu[i]);
	printf("%-16s %-7s %-20s %7lluM  %-18s %s\n", partition->name,
	       partition->kind == BH_KIND_GUEST ? "guest" : "native", cpus,
	       (unsigned long long)(partition->memory_bytes >> 20), restart_text(partition),
	       partition->autostart ? "yes" : "no");
}

static void print_table(const struct config *config)
{
	uint32_t cpu = config->machine.services_cpu;
	uint64_t memory = 0;

	printf("%-16s %-7s %-20s %8s  %-18s %s\n", "NAME", "KIND", "CPUS", "MEMORY", "RESTART", "AUTOSTART");
	for (uint32_t i = 0; i < config->partitions; i++) {
		const struct config_partition *partition = &config->partition[i];

		print_partition(partition);
		memory += partition->memory_bytes;
		for (uint32_t v = 0; v < partition->vcpus; v++)
			if (partition->cpu[v] > cpu)
				cpu = partition->cpu[v];
	}
	printf("It needs %u CPU%s and %lluM of memory for its partitions; services run on CPU "
	       "%u.\n",
	       cpu + 1, cpu ? "s" : "", (unsigned long long)(memory >> 20), config->machine.services_cpu);
}

static const char *nic_text(const struct config_device *nic)
{
	static char text[32];

	if (nic->by == CONFIG_DEVICE_NONE)
		snprintf(text, sizeof(text), "none");
	else if (nic->by == CONFIG_DEVICE_CLASS)
		snprintf(text, sizeof(text), "class %02x:%02x", nic->number >> 8, nic->number & 0xff);
	else
		snprintf(text, sizeof(text), "%04x:%02x:%02x.%x", nic->number >> 16, nic->number >> 8 & 0xff,
			 nic->number >> 3 & 31, nic->number & 7);
	return text;
}

static void print_time_server(const uint8_t *a)
{
	bool named = false;

	for (unsigned i = 0; i < 16; i++)
		named |= a[i] != 0;
	if (!named)
		return;
	if (a[10] == 0xff && a[11] == 0xff && !a[0])
		printf(", time of %u.%u.%u.%u", a[12], a[13], a[14], a[15]);
	else
		printf(", time by IPv6");
}

static void print_console(const struct bh_console_address *console)
{
	const uint8_t *a = console->address;

	if (console->prefix)
		printf(", address %u.%u.%u.%u/%u", a[0], a[1], a[2], a[3], console->prefix);
	else
		printf(", address by DHCP");
	if (console->prefix6)
		printf(", and for IPv6");
	printf(", host name %s", console->hostname);
	print_time_server(console->time_server);
}

static void print_port(const struct bh_port *port, const struct bh_console_address *console)
{
	const uint8_t *mac = port->mac;

	printf("  %-18s %02x:%02x:%02x:%02x:%02x:%02x", port->name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	if (port->vlan)
		printf(", VLAN %u", port->vlan);
	if (port->flags & BH_PORT_TRUNK)
		printf(", all VLANs");
	if (port->flags & BH_PORT_TRUSTED)
		printf(", may send from any address");
	if (port->rate)
		printf(", %llu bytes a second and %llu at once", (unsigned long long)port->rate,
		       (unsigned long long)port->burst);
	if (port->queues > 1)
		printf(", %u queues", port->queues);
	if (port->partition == BH_PORT_OF_CONSOLE)
		print_console(console);
	printf("\n");
}

static void print_networks(const struct config *config)
{
	const struct bh_network_records *records = &config->network;

	if (records->networks)
		printf("%-20s %-14s %5s  %s\n", "NETWORK", "NIC", "MTU", "BROADCASTS");
	for (uint32_t i = 0; i < records->networks; i++) {
		const struct bh_network *network = &records->network[i];

		printf("%-20s %-14s %5u  ", network->name, nic_text(&config->nic[i]), network->mtu);
		if (network->broadcasts)
			printf("%u a second\n", network->broadcasts);
		else
			printf("unlimited\n");
		for (uint32_t p = 0; p < records->ports; p++)
			if (records->port[p].network == i)
				print_port(&records->port[p], &records->console);
	}
}

static int run(bool files, struct config *config)
{
	static struct config_file list[CONFIG_FILES];
	size_t bytes = 0;
	char *text = read_file(conf_path, &bytes);
	uint32_t count;

	if (!text) {
		fprintf(stderr, "%s cannot be read: %s\n", conf_path, strerror(errno));
		return 2;
	}
	config_parse(text, bytes, config, report, NULL);
	free(text);
	count = config_files(config, list);
	for (uint32_t i = 0; i < count; i++)
		if (check_file(config, &list[i]) && files)
			printf("%s\n", list[i].path);
	if (config->errors) {
		fprintf(stderr, "%s: %u error%s\n", conf_path, config->errors, config->errors == 1 ? "" : "s");
	} else if (!files) {
		print_table(config);
		print_networks(config);
	}
	return config->errors != 0;
}

int main(int argc, char **argv)
{
	bool files = argc == 3 && !strcmp(argv[1], "--files");
	struct config *config;
	int status;

	if (argc != 2 && !files) {
		fprintf(stderr, "usage: check [--files] CONF\n");
		return 2;
	}
	conf_path = argv[argc - 1];
	config = malloc(sizeof(*config));
	if (!config) {
		fprintf(stderr, "check: out of memory\n");
		return 2;
	}
	status = run(files, config);
	free(config);
	return status;
}
