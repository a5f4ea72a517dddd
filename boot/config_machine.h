/*
 * config_machine.h: a parsed configuration against the machine that it meets.
 *
 * Pure functions on records: the kernel calls this at boot with what it found, and tests call it on
 * the host.
 */
#pragma once
#include "config.h"

struct config_facts {
	uint32_t cpus; /* CPUs 0 to cpus-1 came up; 0: not known, not checked */
	bool memory_known;
	uint64_t memory_bytes;	  /* free in whole 2 MiB frames, for partitions and channels */
	uint64_t monitor_bytes;	  /* what one monitor takes beside its guest's memory */
	uint64_t partition_bytes; /* what else each partition takes (its console channel and the
				     like) */
};

/*
 * Finds what the machine cannot give: CPUs that are not there, memory that does not fit. Memory is given to channels,
 * the net service, and then in the order of the file, so the partitions that no longer fit fail and the earlier ones do
 * not. Partitions that have an error already take nothing. A services-cpu that is not there becomes 0 (an error without
 * a partition). Each error is counted, reported, and marks its partition. Returns the number of new errors.
 */
uint32_t config_machine_check(struct config *config, const struct config_facts *facts, config_error report,
			      void *context);

/*
 * Fails the natives that run `path`, whose memory ends at `end` (elf_end), and have less memory
 * than that. Reports as above.
 */
void config_program_check(struct config *config, const char *path, uint64_t end, config_error report, void *context);
