/* region_build.h: the kernel region in memory: image, boot_info, stack, page tables, pool, in this
 * order. */
#pragma once
#include "boot_info.h"

struct region {
	struct boot_info *info;	      /* in the region; its kernel fields are filled */
	uint64_t tables;	      /* physical address of the root of the page tables */
	uint64_t stack;		      /* top, virtual */
	uint64_t entry, info_address; /* virtual */
};

/*
 * Takes the region's memory, lays out `kernel` (whose segments' `physical` are offsets in `file`),
 * and builds the page tables that boot_info.h describes. NULL, or what is wrong.
 */
const char *region_build(struct region *region, const struct boot_info *info, const struct boot_program *kernel,
			 const void *file, uint64_t ram_bytes);

/* enter.S: loads the tables and the stack and jumps to `entry` with RDI = `info`. */
_Noreturn void region_enter(uint64_t tables, uint64_t stack, uint64_t entry, uint64_t info);
