/* load.h: brings the files that a configuration names into memory, and the programs of the
 * services. */
#pragma once
#include "boot_info.h"
#include "memory_map.h"

#define LOAD_FOLDER "bulkhead/" /* kernel.elf and the services' programs on the volume */

/*
 * Loads every file that info->config names, each once, and LOAD_FOLDER's monitor.elf, console.elf and, if there are
 * networks, net.elf: fills info's image[] and program[]. What is missing or broken marks the partitions
 * that need it, by `report`. False when there is no console (the firmware's console has been told
 * why): nothing can be managed without.
 */
bool load_all(struct boot_info *info, config_error report, void *context);

/* Marks in `map` what load_all has taken. */
void load_mark(const struct boot_info *info, struct memory_map *map);

/* The whole of a file in new memory (4 KiB pages); NULL with `*wrong` set. Not for images. */
void *load_file(const char *path, uint64_t *bytes, const char **wrong);
