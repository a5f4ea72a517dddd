/* config_files.h: the files that a configuration names, each once, and what becomes of partitions
 * without them. */
#pragma once
#include "config.h"

#define CONFIG_FILES (CONFIG_PARTITIONS * (2 + CONFIG_GRANTS) + BH_CONSOLE_FILES)

struct config_file {
	const char *path; /* in the configuration, as it is written there */
	uint32_t line;	  /* of its first mention */
	bool image;	  /* a kernel, an initrd, granted as an image, or for the console */
	bool program;	  /* a native's program; may be both */
};

/* Fills `list` (room for CONFIG_FILES) in the order of first mention; the services' programs are not among
 * them. Returns the number of different files. */
uint32_t config_files(const struct config *config, struct config_file *list);

/*
 * Marks every partition that needs `path` as `image` or as `program` (one may be false), and the console's file, counts
 * and reports an error for each: "PATH: why".
 */
void config_file_fail(struct config *config, const struct config_file *file, const char *why, config_error report,
		      void *context);

/* Marks `partition`, and counts and reports the error of `line`. */
void config_partition_fail(struct config *config, struct config_partition *partition, uint32_t line,
			   config_error report, void *context, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
