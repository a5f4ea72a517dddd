#include "memory_map.h"

#define PAGE_BYTES 4096ull

/* UEFI 2.10, tables 7-6 and 7-10. */
enum {
	EFI_LOADER_CODE = 1,
	EFI_BOOT_DATA = 4,
	EFI_RUNTIME_CODE = 5,
	EFI_RUNTIME_DATA = 6,
	EFI_CONVENTIONAL = 7,
	EFI_ACPI_RECLAIM = 9,
	EFI_ACPI_NVS = 10,
	EFI_MMIO = 11,
	EFI_MMIO_PORTS = 12,
};
#define EFI_ATTRIBUTE_WB      0x8ull
#define EFI_ATTRIBUTE_SPECIAL 0x40000ull	    /* set aside for a purpose */
#define EFI_ATTRIBUTE_RUNTIME 0x8000000000000000ull /* firmware wants it mapped later on */

static uint32_t type_of(const struct memory_descriptor *descriptor)
{
	uint32_t type = descriptor->type;

	if (type == EFI_RUNTIME_CODE)
		return BOOT_MEMORY_FIRMWARE_CODE;
	if (type == EFI_RUNTIME_DATA)
		return BOOT_MEMORY_FIRMWARE_DATA;
	if (type == EFI_ACPI_RECLAIM || type == EFI_ACPI_NVS)
		return BOOT_MEMORY_ACPI;
	if (type == EFI_MMIO || type == EFI_MMIO_PORTS)
		return BOOT_MEMORY_MMIO;
	if (type != EFI_CONVENTIONAL && (type < EFI_LOADER_CODE || type > EFI_BOOT_DATA))
		return BOOT_MEMORY_RESERVED;
	if (descriptor->attributes & EFI_ATTRIBUTE_RUNTIME)
		return BOOT_MEMORY_FIRMWARE_DATA;
	if (!(descriptor->attributes & EFI_ATTRIBUTE_WB) || (descriptor->attributes & EFI_ATTRIBUTE_SPECIAL))
		return BOOT_MEMORY_RESERVED;
	return BOOT_MEMORY_FREE;
}

static void remove_at(struct memory_map *map, uint32_t index, uint32_t count)
{
	map->ranges -= count;
	for (uint32_t i = index; i < map->ranges; i++)
		map->range[i] = map->range[i + count];
}

/* When the list is full the range is lost, which is safe: what is not in the list is used by
 * nobody. */
static void insert_at(struct memory_map *map, uint32_t index, struct boot_range range)
{
	if (map->ranges == MEMORY_MAP_RANGES)
		return;
	for (uint32_t i = map->ranges++; i > index; i--)
		map->range[i] = map->range[i - 1];
	map->range[index] = range;
}

static uint64_t end_of(const struct boot_range *range) { return range->base + range->bytes; }

/* Takes [base, end) out of the list; returns the index where it would stand. */
static uint32_t carve(struct memory_map *map, uint64_t base, uint64_t end)
{
	uint32_t i = 0;

	while (i < map->ranges && end_of(&map->range[i]) <= base)
		i++;
	if (i < map->ranges && map->range[i].base < base) {
		struct boot_range tail = map->range[i];

		map->range[i].bytes = base - map->range[i].base;
		i++;
		if (end_of(&tail) > end) {
			tail.bytes = end_of(&tail) - end;
			tail.base = end;
			insert_at(map, i, tail);
			return i;
		}
	}
	while (i < map->ranges && end_of(&map->range[i]) <= end)
		remove_at(map, i, 1);
	if (i < map->ranges && map->range[i].base < end) {
		map->range[i].bytes = end_of(&map->range[i]) - end;
		map->range[i].base = end;
	}
	return i;
}

static void merge_with_next(struct memory_map *map, uint32_t index)
{
	struct boot_range *range = &map->range[index];

	if (index + 1 >= map->ranges || range[0].type != range[1].type || end_of(&range[0]) != range[1].base)
		return;
	range->bytes += range[1].bytes;
	remove_at(map, index + 1, 1);
}

void memory_map_set(struct memory_map *map, uint64_t base, uint64_t bytes, uint32_t type)
{
	struct boot_range range = { base, bytes, type, 0 };
	uint32_t index;

	if (!bytes)
		return;
	index = carve(map, base, base + bytes);
	insert_at(map, index, range);
	merge_with_next(map, index);
	if (index)
		merge_with_next(map, index - 1);
}

void memory_map_read(struct memory_map *map, const void *descriptors, uint64_t bytes, uint64_t stride)
{
	struct memory_descriptor descriptor;

	map->ranges = 0;
	if (stride < sizeof(descriptor))
		return;
	/* Free ranges first, so that the others overrule them. */
	for (int pass = 0; pass < 2; pass++) {
		for (uint64_t at = 0; at + stride <= bytes; at += stride) {
			__builtin_memcpy(&descriptor, (const uint8_t *)descriptors + at, sizeof(descriptor));
			if ((type_of(&descriptor) == BOOT_MEMORY_FREE) != (pass == 0))
				continue;
			/* Nonsense, which would wrap around. */
			if (descriptor.physical % PAGE_BYTES || descriptor.pages >> 40 || descriptor.physical >> 52)
				continue;
			memory_map_set(map, descriptor.physical, descriptor.pages * PAGE_BYTES, type_of(&descriptor));
		}
	}
}

static uint32_t smallest_free(const struct memory_map *map)
{
	uint32_t smallest = map->ranges - 1;
	uint64_t bytes = UINT64_MAX;

	for (uint32_t i = 0; i < map->ranges; i++) {
		if (map->range[i].type != BOOT_MEMORY_FREE || map->range[i].bytes >= bytes)
			continue;
		smallest = i;
		bytes = map->range[i].bytes;
	}
	return smallest;
}

uint32_t memory_map_write(struct memory_map *map, struct boot_range *out, uint32_t room)
{
	while (map->ranges > room)
		remove_at(map, smallest_free(map), 1);
	for (uint32_t i = 0; i < map->ranges; i++)
		out[i] = map->range[i];
	return map->ranges;
}

uint64_t memory_map_end(const struct memory_map *map)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < map->ranges; i++)
		if (map->range[i].type == BOOT_MEMORY_FREE)
			end = end_of(&map->range[i]);
	return end;
}

uint64_t memory_map_free(const struct memory_map *map)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < map->ranges; i++)
		if (map->range[i].type == BOOT_MEMORY_FREE)
			bytes += map->range[i].bytes;
	return bytes;
}
