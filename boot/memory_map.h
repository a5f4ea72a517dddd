/* memory_map.h: UEFI's memory map as ranges of boot_info.h: sorted, merged, without overlaps. Pure
 * functions. */
#pragma once
#include "boot_info.h"

/* UEFI 2.10, 7.2.3: EFI_MEMORY_DESCRIPTOR; firmware may append to it. */
struct memory_descriptor {
	uint32_t type, pad;
	uint64_t physical, virtual, pages, attributes;
};

#define MEMORY_MAP_RANGES 1024

struct memory_map {
	uint32_t ranges;
	struct boot_range range[MEMORY_MAP_RANGES];
};

/*
 * Reads `bytes` of descriptors, each `stride` bytes. Where two overlap, what is not free wins.
 * Memory that cannot be cached write-back is not free.
 */
void memory_map_read(struct memory_map *map, const void *descriptors, uint64_t bytes, uint64_t stride);

/* Makes [base, base + bytes) a range of `type`, whatever it was before. Multiples of 4 KiB. */
void memory_map_set(struct memory_map *map, uint64_t base, uint64_t bytes, uint32_t type);

/*
 * Copies at most `room` ranges to `out`, by address, and returns their number. When there are more,
 * the smallest free ones are left out: what is not in the list belongs to nobody.
 */
uint32_t memory_map_write(struct memory_map *map, struct boot_range *out, uint32_t room);

/* The address after the last free range. */
uint64_t memory_map_end(const struct memory_map *map);

/* Bytes of all free ranges. */
uint64_t memory_map_free(const struct memory_map *map);
