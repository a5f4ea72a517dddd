/*
 * config.h: bulkhead.conf as fixed-size records, and its parser.
 *
 * The same parser runs in the loader and on the host (make check). The kernel takes the records,
 * never the text, and validates them against the machine.
 */
#pragma once
#include <stdint.h>
#include <stdbool.h>
#include <stddef.h>
#include <bulkhead/abi.h>
#include <bulkhead/network.h>

#define CONFIG_NAME	     "bulkhead.conf"
#define CONFIG_MONITOR_BYTES (4ull << 20) /* of memory for each guest's monitor */
#define CONFIG_PARTITIONS    32		  /* guests and natives; monitors and the console follow from them */
_Static_assert(CONFIG_PARTITIONS == BH_PORT_OF_CONSOLE, "the console has the index behind them");

#define CONFIG_CHANNELS	    32
#define CONFIG_VCPUS	    16 /* per partition */
#define CONFIG_GRANTS	    16 /* per partition */
#define CONFIG_PATH_BYTES   128
#define CONFIG_ERROR_BYTES  256
#define CONFIG_TEXT_MAX	    (1u << 20) /* a longer file is refused */
#define CONFIG_MACHINE_CPUS 256

enum config_restart { CONFIG_RESTART_NEVER, CONFIG_RESTART_ON_FAILURE, CONFIG_RESTART_ALWAYS };
enum config_panic { CONFIG_PANIC_HALT, CONFIG_PANIC_RESET };

enum config_grant_type {
	CONFIG_GRANT_CONTROL = 1, /* of a partition: start, stop, ... (includes inspect) */
	CONFIG_GRANT_INSPECT,	  /* of a partition: stat, report, trace */
	CONFIG_GRANT_MACHINE,	  /* the machine: log, caps, audit, reboot */
	CONFIG_GRANT_PORTS,	  /* native only: I/O ports first..last, undivided access */
	CONFIG_GRANT_IRQ,	  /* native only: ISA interrupt number in first */
	CONFIG_GRANT_IMAGE,	  /* native only: a file, read-only */
	CONFIG_GRANT_DEVICE,	  /* native only: a PCI device; `first` says how it is named, `last` is that name */
};

/* How a PCI device is named, and by which number. */
enum config_device_by {
	CONFIG_DEVICE_NONE,
	CONFIG_DEVICE_ADDRESS, /* segment << 16 | bus << 8 | device << 3 | function */
	CONFIG_DEVICE_CLASS,   /* class << 8 | subclass: the first of that class that nobody else has */
};

struct config_device {
	uint32_t by; /* enum config_device_by */
	uint32_t number;
	uint32_t line;
};

struct config_grant {
	uint32_t type; /* enum config_grant_type */
	uint32_t line;
	uint32_t partition;	      /* index into partition[], for CONTROL and INSPECT */
	uint32_t first, last;	      /* PORTS, IRQ, DEVICE */
	char path[CONFIG_PATH_BYTES]; /* IMAGE */
};

struct config_partition {
	char name[BH_NAME_BYTES]; /* letters, digits, - and _; starts with a letter */
	uint32_t kind;		  /* BH_KIND_GUEST or BH_KIND_NATIVE */
	uint32_t line;		  /* of its section */
	uint64_t memory_bytes;	  /* multiple of 2 MiB */
	uint32_t vcpus;
	uint16_t cpu[CONFIG_VCPUS]; /* physical CPU of each vCPU, by index of discovery (0: the boot
				       CPU) */
	uint8_t dedicated;	    /* 1: its CPUs are its own */
	uint8_t autostart;	    /* 1 (default): runs when the machine is up */
	uint8_t restart;	    /* enum config_restart */
	uint8_t trusted_for_dma;    /* 1: may hold devices where there is no IOMMU */
	uint32_t restart_limit;	    /* automatic restarts at most; UINT32_MAX: no limit */
	uint32_t weight;	    /* shared CPUs: 1..10000, default 100 */
	uint32_t cap_percent;	    /* shared CPUs: 1..100 of each CPU; 100: no cap */
	uint32_t grants;
	struct config_grant grant[CONFIG_GRANTS];
	char image[CONFIG_PATH_BYTES];	/* guest: kernel; native: program. Path on the EFI system
					   partition */
	char initrd[CONFIG_PATH_BYTES]; /* guest; empty: none */
	char command[BH_COMMAND_BYTES];
	char error[CONFIG_ERROR_BYTES]; /* not empty: what is wrong and what would be right; it is
					   not started */
	/* Lines of its keys; the section's where the key was left out. For errors that only the
	 * machine shows. */
	uint32_t image_line, initrd_line, memory_line, cpus_line;
};

struct config_channel {
	char name[BH_NAME_BYTES];
	uint32_t line;
	uint32_t end[2]; /* indexes into partition[] */
	uint32_t pad;
	uint64_t bytes; /* multiple of 4 KiB, 4 KiB to 16 MiB */
};

struct config_machine {
	uint32_t services_cpu;	     /* CPU of the console and of the monitors' I/O vCPUs; default 0 */
	uint32_t services_weight;    /* default 200 */
	uint32_t slice_microseconds; /* default 5000; 100..1000000 */
	uint32_t panic;		     /* enum config_panic */
};

/* The net service follows from the networks: a native partition of this name, the last of them, with `net.elf`. */
#define CONFIG_NET_NAME	   "net"
#define CONFIG_NET_PROGRAM "net.elf"

struct config {
	struct config_machine machine;
	uint32_t partitions, channels;
	uint32_t errors; /* all errors found, those of partitions included */
	uint32_t pad;
	struct config_partition partition[CONFIG_PARTITIONS];
	struct config_channel channel[CONFIG_CHANNELS];
	struct bh_network_records network;
	struct config_device nic[BH_NETWORKS]; /* of each network */
	uint32_t net;			       /* index of the net service in partition[]; UINT32_MAX: no networks */
};

/* The record of the net service; NULL: there are no networks. */
static inline const struct config_partition *config_net(const struct config *config)
{
	return config->network.networks && config->net < config->partitions ? &config->partition[config->net] : NULL;
}

/* Whether partition[index] is the net service, which no section of the file names. */
static inline bool config_is_net(const struct config *config, uint32_t index)
{
	return config_net(config) == &config->partition[index];
}

/* A partition that is to be made at run time. Its kernel reads it out of the console's memory, and believes none of it.
 */
struct config_creation {
	struct config_partition partition;
	uint32_t ports, pad;
	struct bh_port port[BH_PORTS_PER_GUEST];
};

/* Called for each error, in the order of the file; `line` 0: the file as a whole. `text` says what
 * is wrong and what would be right. */
typedef void (*config_error)(void *context, uint32_t line, const char *text);

/*
 * Parses `bytes` of `text` (any content; not read at all beyond CONFIG_TEXT_MAX) into `config`,
 * which is overwritten. What belongs to a partition with an error is marked in its `error`; errors
 * outside of sections, or in a section that cannot be named, only reach `report`. Allocates
 * nothing. Returns the number of errors.
 */
uint32_t config_parse(const char *text, size_t bytes, struct config *config, config_error report, void *context);
