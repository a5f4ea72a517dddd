/* The loader's memory map and the size of the kernel region. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "boot/memory_map.h"
#include "boot/region.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define WB  8ull

static struct memory_map map;

static void expect(uint32_t index, uint64_t base, uint64_t bytes, uint32_t type)
{
	assert_true(index < map.ranges);
	assert_int_equal(map.range[index].base, base);
	assert_int_equal(map.range[index].bytes, bytes);
	assert_int_equal(map.range[index].type, type);
}

static void test_read(void **state)
{
	/* Out of order, as firmware may; the stride is larger than the descriptor, as it is on all.
	 */
	static const struct {
		struct memory_descriptor d;
		uint64_t more;
	} list[] = {
		{ { 7, 0, 0x100000, 0, 16, WB }, 0 },
		{ { 1, 0, 0x0, 0, 16, WB }, 0 },
		{ { 4, 0, 0x10000, 0, 16, WB | 4 }, 0 },
		{ { 5, 0, 0x110000, 0, 1, WB | 1ull << 63 }, 0 },
		{ { 6, 0, 0x111000, 0, 1, WB | 1ull << 63 }, 0 },
		{ { 9, 0, 0x112000, 0, 1, WB }, 0 },
		{ { 10, 0, 0x113000, 0, 1, WB }, 0 },
		{ { 11, 0, 0xfec00000, 0, 1, 1 }, 0 },
		{ { 7, 0, 0x200000, 0, 1, 1 }, 0 },
		{ { 0, 0, 0x300000, 0, 1, WB }, 0 },
		{ { 0x80000001, 0, 0x301000, 0, 1, WB }, 0 },
		{ { 7, 0, 0x400000, 0, 1, WB | 0x40000 }, 0 },
		{ { 7, 0, 0x500001, 0, 1, WB }, 0 },
		{ { 7, 0, 0x600000, 0, UINT64_MAX, WB }, 0 },
		{ { 7, 0, 0x700000, 0, 0, WB }, 0 },
	};

	(void)state;
	memory_map_read(&map, list, sizeof(list), sizeof(list[0]));
	assert_int_equal(map.ranges, 9);
	expect(0, 0, 0x20000, BOOT_MEMORY_FREE);
	expect(1, 0x100000, 0x10000, BOOT_MEMORY_FREE);
	expect(2, 0x110000, 0x1000, BOOT_MEMORY_FIRMWARE_CODE);
	expect(3, 0x111000, 0x1000, BOOT_MEMORY_FIRMWARE_DATA);
	expect(4, 0x112000, 0x2000, BOOT_MEMORY_ACPI);
	expect(5, 0x200000, 0x1000, BOOT_MEMORY_RESERVED);
	expect(6, 0x300000, 0x2000, BOOT_MEMORY_RESERVED);
	expect(7, 0x400000, 0x1000, BOOT_MEMORY_RESERVED);
	expect(8, 0xfec00000, 0x1000, BOOT_MEMORY_MMIO);
	assert_int_equal(memory_map_end(&map), 0x110000);
	assert_int_equal(memory_map_free(&map), 0x30000);
}

static void test_overlap(void **state)
{
	/* Whichever comes first: what is not free wins. */
	static const struct memory_descriptor list[] = {
		{ 5, 0, 0x102000, 0, 2, WB },
		{ 7, 0, 0x100000, 0, 8, WB },
		{ 7, 0, 0x104000, 0, 8, WB },
	};

	(void)state;
	memory_map_read(&map, list, sizeof(list), sizeof(list[0]));
	assert_int_equal(map.ranges, 3);
	expect(0, 0x100000, 0x2000, BOOT_MEMORY_FREE);
	expect(1, 0x102000, 0x2000, BOOT_MEMORY_FIRMWARE_CODE);
	expect(2, 0x104000, 0x8000, BOOT_MEMORY_FREE);
	memory_map_read(&map, list, sizeof(list), 8);
	assert_int_equal(map.ranges, 0);
	memory_map_read(&map, list, sizeof(list) - 1, sizeof(list[0]));
	expect(1, 0x102000, 0x2000, BOOT_MEMORY_FIRMWARE_CODE);
	assert_int_equal(map.ranges, 3);
}

static void test_set(void **state)
{
	(void)state;
	map.ranges = 0;
	memory_map_set(&map, 0, 100 * MIB, BOOT_MEMORY_FREE);
	memory_map_set(&map, 10 * MIB, 10 * MIB, BOOT_MEMORY_IMAGE);
	assert_int_equal(map.ranges, 3);
	memory_map_set(&map, 20 * MIB, 10 * MIB, BOOT_MEMORY_IMAGE);
	assert_int_equal(map.ranges, 3);
	expect(1, 10 * MIB, 20 * MIB, BOOT_MEMORY_IMAGE);
	memory_map_set(&map, 5 * MIB, 40 * MIB, BOOT_MEMORY_KERNEL);
	assert_int_equal(map.ranges, 3);
	expect(0, 0, 5 * MIB, BOOT_MEMORY_FREE);
	expect(1, 5 * MIB, 40 * MIB, BOOT_MEMORY_KERNEL);
	expect(2, 45 * MIB, 55 * MIB, BOOT_MEMORY_FREE);
	memory_map_set(&map, 5 * MIB, 0, BOOT_MEMORY_MMIO);
	assert_int_equal(map.ranges, 3);
	memory_map_set(&map, 0, 200 * MIB, BOOT_MEMORY_FREE);
	assert_int_equal(map.ranges, 1);
	expect(0, 0, 200 * MIB, BOOT_MEMORY_FREE);
}

/* Random changes against a plain array of pages. */
static void test_set_random(void **state)
{
	static uint8_t page[256];

	(void)state;
	srand(1);
	memset(page, 0, sizeof(page));
	map.ranges = 0;
	for (int round = 0; round < 20000; round++) {
		unsigned base = (unsigned)rand() % 256, pages = 1 + (unsigned)rand() % 64;
		uint8_t type = (uint8_t)(1 + rand() % 4);

		if (base + pages > 256)
			pages = 256 - base;
		memory_map_set(&map, base * 4096, pages * 4096, type);
		memset(page + base, type, pages);
		for (unsigned i = 0, at = 0; i < map.ranges; i++) {
			assert_true(map.range[i].bytes && map.range[i].base >= at * 4096ull);
			if (i && map.range[i].base == at * 4096ull)
				assert_int_not_equal(map.range[i].type, map.range[i - 1].type);
			for (; at < map.range[i].base / 4096; at++)
				assert_int_equal(page[at], 0);
			for (; at < (map.range[i].base + map.range[i].bytes) / 4096; at++)
				assert_int_equal(page[at], map.range[i].type);
		}
	}
}

static void test_write(void **state)
{
	static struct boot_range out[BOOT_RANGES];

	(void)state;
	map.ranges = 0;
	for (uint64_t i = 0; i < 2 * BOOT_RANGES; i++)
		memory_map_set(&map, i * MIB, 4096 * (1 + i % 200), i % 4 ? BOOT_MEMORY_FREE : BOOT_MEMORY_RESERVED);
	assert_int_equal(memory_map_write(&map, out, BOOT_RANGES), BOOT_RANGES);
	for (uint32_t i = 0, reserved = 0; i < BOOT_RANGES; i++) {
		assert_true(!i || out[i].base > out[i - 1].base);
		reserved += out[i].type == BOOT_MEMORY_RESERVED;
		if (i == BOOT_RANGES - 1)
			assert_int_equal(reserved, BOOT_RANGES / 2);
	}
	/* A list that is full loses ranges, but never calls free what is not. */
	map.ranges = 0;
	for (uint64_t i = 0; i < 2 * MEMORY_MAP_RANGES; i++)
		memory_map_set(&map, i * MIB, 4096, BOOT_MEMORY_FREE);
	assert_int_equal(map.ranges, MEMORY_MAP_RANGES);
	memory_map_set(&map, 0, 4096, BOOT_MEMORY_IMAGE);
	expect(0, 0, 4096, BOOT_MEMORY_IMAGE);
}

/* The measures of the project: 4 MiB with 1 GiB, 4 CPUs and 8 partitions; 32 MiB with 256 GiB. */
static void test_region(void **state)
{
	static struct config config;
	struct region_counts counts;

	(void)state;
	config.partitions = 8;
	for (int i = 0; i < 8; i++) {
		config.partition[i].kind = i < 4 ? BH_KIND_GUEST : BH_KIND_NATIVE;
		config.partition[i].vcpus = i < 4 ? 2 : 1;
	}
	counts = region_count(&config, 4);
	assert_int_equal(counts.cpus, 4);
	assert_int_equal(counts.partitions, 8 + 4 + 1);
	assert_int_equal(counts.vcpus, 4 * (2 + 3) + 4 + 1);
	assert_true(boot_region_bytes(1 * GIB, &counts, 512 << 10) <= 4 * MIB);
	assert_true(boot_region_bytes(256 * GIB, &counts, 512 << 10) <= 32 * MIB);
	assert_true(boot_region_bytes(256 * GIB, &counts, 0) > boot_region_bytes(1 * GIB, &counts, 0));
	assert_int_equal(boot_region_bytes(3 * GIB + 5, &counts, 12345) % (2 * MIB), 0);
	assert_true(region_fixed_bytes(1) >= 4096 + sizeof(struct boot_info));
	/* Firmware that does not say how many CPUs there are: room for several. */
	assert_int_equal(region_count(&config, 0).cpus, REGION_UNKNOWN_CPUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),	   cmocka_unit_test(test_overlap), cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_random), cmocka_unit_test(test_write),   cmocka_unit_test(test_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
