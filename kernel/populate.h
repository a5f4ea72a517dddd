/* populate.h: what a partition's memory holds when it starts. On the CPU of its first vCPU. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct partition;

/* Wipes the next 2 MiB of the leader's memory, then of its monitor's; true when all is wiped. */
bool populate_wipe_slice(struct partition *leader);

/* Copies a native program's (or monitor's) segments into its wiped memory and writes its bh_info.
 */
void populate(struct partition *native);

/* The console or the net service, whose handles have changed: its records anew. On its CPU, while it is in a call. */
void populate_tell(const struct partition *native);

/* The frame's byte at `offset` into the partition's memory; 0 past its end. */
uint64_t populate_physical(const struct partition *partition, uint64_t offset);

/*
 * The rights that `address` of a partition's memory is mapped with (MAP_*), and where the run
 * of equal rights ends.
 */
unsigned populate_rights(const struct partition *native, uint64_t address, uint64_t *end);
