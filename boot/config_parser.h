/*
 * config_parser.h: the state that the parts of the configuration's parser share. For config*.c
 * only.
 *
 * config.c reads lines, config_section.c those of sections, config_keys.c has the table of keys, config_values.c and
 * config_path.c read their values, config_grants.c reads and checks grants, config_device.c PCI devices,
 * config_network.c networks, config_ports.c the ports of guests on them and config_console.c the console's,
 * config_check.c and config_network_check.c check what no line shows alone, config_report.c keeps errors.
 */
#pragma once
#include "config.h"
#include "text.h"

#define CONFIG_REPORTS	50 /* errors told one by one; the rest are only counted */
#define CONFIG_KEYS_MAX 32

enum config_section {
	CONFIG_SECTION_NONE = 0, /* before the first, or in one that is unknown */
	CONFIG_SECTION_MACHINE = 1,
	CONFIG_SECTION_GUEST = 2,
	CONFIG_SECTION_NATIVE = 4,
	CONFIG_SECTION_CHANNEL = 8,
	CONFIG_SECTION_NETWORK = 16,
};

struct config_report {
	uint32_t line;
	char text[CONFIG_ERROR_BYTES];
};

/* A channel or network of the file, in the order of their sections. */
struct config_entry {
	char name[BH_NAME_BYTES];
	uint32_t line;
	bool broken; /* it had an error: it is dropped at the end */
};

/* Whom a channel joins while only names are known. */
struct config_ends {
	char name[2][BH_NAME_BYTES];
	uint32_t line;
};

struct config_parser {
	struct config *config;
	uint32_t line; /* the one being read */

	uint32_t section; /* enum config_section */
	uint32_t section_line, machine_line;
	struct config_partition *partition; /* GUEST, NATIVE: in config, or `spare` */
	struct config_channel *channel;	    /* CHANNEL: in config, or `spare_channel` */
	struct config_ends *end;	    /* of `channel` */
	struct bh_network *network;	    /* NETWORK: in config, or `spare_network` */
	struct config_device *nic;	    /* of `network` */
	struct config_entry *entry;	    /* CHANNEL, NETWORK: its entry, or `spare_entry` */
	uint32_t seen[CONFIG_KEYS_MAX];	    /* line of each key of this section, 0: not yet */

	/* Sections that have no place in config are parsed into these, for their errors' sake. */
	struct config_partition spare;
	struct config_channel spare_channel;
	struct config_ends spare_end;
	struct bh_network spare_network;
	struct config_device spare_nic;
	struct bh_port spare_port;
	struct config_entry spare_entry;

	struct config_ends ends[CONFIG_CHANNELS];
	struct config_entry channel_entry[CONFIG_CHANNELS];
	struct config_entry network_entry[BH_NETWORKS];
	char port_network[BH_PORTS + 1][BH_NAME_BYTES]; /* the network of each port, while only its name is known */
	bool net_trusted;				/* [machine] trusts the net service for DMA */
	bool no_cpus[CONFIG_PARTITIONS];		/* its `cpus` clash: it holds none of them */
	bool noise;					/* a line that is no text has been reported */
	uint32_t headless;				/* lines before the first section */
	uint32_t reports;
	struct config_report report[CONFIG_REPORTS];
};

struct config_key {
	const char *name;
	const char *example;
	uint8_t sections; /* enum config_section, a mask */
	uint8_t required; /* the same */
	bool raw;	  /* the value is the rest of the line, # included, and may be empty */
	void (*set)(struct config_parser *parser, const char *key, struct text value);
};

/* ---- config_report.c ---- */

/* Notes an error of `line`; `partition` (may be NULL) is marked with its first. Later passes may
 * use NULL too. */
void config_fail(struct config_parser *parser, struct config_partition *partition, uint32_t line, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));

/* The same for the line being read: its section's partition is marked, or its channel is dropped
 * later. */
void config_fail_here(struct config_parser *parser, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Marks `partition` with "line N: text" unless it is marked already. */
void config_mark(struct config_partition *partition, uint32_t line, const char *text);

/* Hands the errors to `report` by order of line. */
void config_report_all(struct config_parser *parser, config_error report, void *context);

/* ---- config_section.c ---- */

/* `text` is a line "[kind name]": the section that it opens is being read from now on. */
void config_section_line(struct config_parser *parser, struct text text);
void config_section_close(struct config_parser *parser);

/* Whether `name` may be a partition's, a channel's or a network's; NULL, or what is wrong. */
const char *config_name_error(struct text name);

/* Index of the partition called `name`, or UINT32_MAX. */
uint32_t config_find(const struct config *config, const char *name);

/* A new partition with the defaults of its kind. */
void config_partition_init(struct config_partition *partition, uint32_t kind, struct text name, uint32_t line);

/* ---- config_keys.c ---- */

/* `text` is a line "key = value" of the section being read. */
void config_key_line(struct config_parser *parser, struct text text);

/* Reports the required keys that the section being read has not had. */
void config_key_missing(struct config_parser *parser);

/* Cuts a comment off: from a # at the start or after a blank. */
struct text config_uncomment(struct text text);

/* ---- config_values.c, _path.c, _grants.c, _network.c, _ports.c, _console.c: one function per key ---- */

void config_set_services_cpu(struct config_parser *parser, const char *key, struct text value);
void config_set_services_weight(struct config_parser *parser, const char *key, struct text value);
void config_set_slice(struct config_parser *parser, const char *key, struct text value);
void config_set_panic(struct config_parser *parser, const char *key, struct text value);
void config_set_image(struct config_parser *parser, const char *key, struct text value);
void config_set_initrd(struct config_parser *parser, const char *key, struct text value);
void config_set_command(struct config_parser *parser, const char *key, struct text value);
void config_set_memory(struct config_parser *parser, const char *key, struct text value);
void config_set_cpus(struct config_parser *parser, const char *key, struct text value);
void config_set_weight(struct config_parser *parser, const char *key, struct text value);
void config_set_cap(struct config_parser *parser, const char *key, struct text value);
void config_set_restart(struct config_parser *parser, const char *key, struct text value);
void config_set_autostart(struct config_parser *parser, const char *key, struct text value);
void config_set_grants(struct config_parser *parser, const char *key, struct text value);
void config_set_between(struct config_parser *parser, const char *key, struct text value);
void config_set_trusted(struct config_parser *parser, const char *key, struct text value);
void config_set_trusted_services(struct config_parser *parser, const char *key, struct text value);
void config_set_nic(struct config_parser *parser, const char *key, struct text value);
void config_set_mtu(struct config_parser *parser, const char *key, struct text value);
void config_set_broadcasts(struct config_parser *parser, const char *key, struct text value);
void config_set_networks(struct config_parser *parser, const char *key, struct text value);
void config_set_console(struct config_parser *parser, const char *key, struct text value);
void config_set_console_file(struct config_parser *parser, const char *key, struct text value);
void config_set_size(struct config_parser *parser, const char *key, struct text value);

/* Reads a number within first..last; reports what would be right and returns false otherwise. */
bool config_number(struct config_parser *parser, const char *key, struct text value, uint64_t first, uint64_t last,
		   uint64_t *number);

/*
 * Reads a size within limits[0]..limits[1] that is a multiple of limits[2]; reports what would be right and returns
 * false otherwise.
 */
bool config_size(struct config_parser *parser, const char *key, struct text value, const uint64_t limits[3],
		 uint64_t *bytes);

/* Reads the path of a file on the volume, or reports what is wrong with it. */
bool config_path(struct config_parser *parser, const char *key, struct text value, char *path);

/* ---- config_ports.c ---- */

/* Options of a port, with what follows them; false, with a report, if that is wrong. */
bool config_port_mac(struct config_parser *parser, struct bh_port *port, struct text value);
bool config_port_vlan(struct config_parser *parser, struct bh_port *port, struct text value);

/* ---- config_device.c ---- */

/* Reads "00:1f.6", "0000:00:1f.6" (segment in front) or "class 02:00"; false: it is none of these. */
bool config_device_read(struct text value, struct config_device *device);

/* Reports every PCI device that is named twice by its address: the later owner in the file goes without. */
void config_check_devices(struct config_parser *parser);

/* ---- config_check.c, config_grants.c, config_network_check.c ---- */

/* What shows only when all sections are known: CPUs, grants, channels, networks. */
void config_check(struct config_parser *parser);
void config_check_grants(struct config_parser *parser);
void config_check_networks(struct config_parser *parser);
