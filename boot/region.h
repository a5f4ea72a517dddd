/*
 * region.h: how much memory the kernel gets for itself. The loader takes it in one piece; the
 * kernel never asks for more.
 *
 *   what                                       bytes
 *   fixed: log ring, tables, records           512 KiB
 *   per CPU: stacks, trace ring, tables        64 KiB
 *   per partition: records, console, EPT roots 48 KiB
 *   per vCPU: VMCS, APIC page, XSAVE area      24 KiB
 *   owner of each 2 MiB of RAM                 4
 *   EPT of guest and of its monitor's window   8 + 8 per 2 MiB of RAM
 *   for partitions made at run time            three guests of 4 vCPUs
 *   and the kernel's image, boot_info, the loader's page tables and the first stack
 */
#pragma once
#include "boot_info.h"

#define REGION_STACK_BYTES  16384ull
#define REGION_TABLE_PAGES  32ull /* the loader's page tables */
#define REGION_UNKNOWN_CPUS 16u	  /* when firmware does not say how many there are */

struct region_counts {
	uint32_t cpus;
	uint32_t partitions; /* with monitors and the console */
	uint32_t vcpus;	     /* of all of these */
};

/* What a configuration makes: a guest brings a monitor with one vCPU more; the console has one. */
struct region_counts region_count(const struct config *config, uint32_t cpus);

/* What one partition may take of the pool at most, with its monitor and the tables of its memory. */
uint64_t region_partition_bytes(const struct config_partition *partition);

/* What stands before the pool: image, boot_info, stack, page tables. A multiple of 4 KiB. */
uint64_t region_fixed_bytes(uint64_t kernel_image_bytes);

/* Bytes of the region, a multiple of 2 MiB. `ram_bytes` is the address after the last RAM. */
uint64_t boot_region_bytes(uint64_t ram_bytes, const struct region_counts *counts, uint64_t kernel_image_bytes);
