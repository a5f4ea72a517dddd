/*
 * Memory of the units' tables. It is not of the pool, which is measured without them, as most machines have none: a few
 * frames are taken where there are units, and mapped for good.
 */
#include <guests/lib/bh_string.h>
#include "address_space.h"
#include "frame.h"
#include "iommu_unit.h"
#include "panic.h"

/* AMD's device table is one of them. A holder's tables need a page for each GiB where units have large pages. */
#define FRAMES 4u

static uint64_t physical;
static uint8_t *memory; /* NULL: not taken yet */
static uint64_t used;

static void take(void)
{
	physical = frame_take(FRAMES, 1, FRAME_KERNEL);
	memory = physical ? mmio_map(physical, FRAMES * FRAME_BYTES, PAGING_WB) : NULL;
	if (!memory)
		panic("iommu: no %llu MiB of memory for tables", FRAMES * FRAME_BYTES >> 20);
	memset(memory, 0, FRAMES * FRAME_BYTES);
}

void *iommu_pages(unsigned pages)
{
	if (!memory)
		take();
	if (used + pages * PAGE_BYTES > FRAMES * FRAME_BYTES)
		return NULL;
	used += pages * PAGE_BYTES;
	return memory + used - pages * PAGE_BYTES;
}

uint64_t iommu_physical(const void *address)
{
	uint64_t offset = (uint64_t)((const uint8_t *)address - memory);

	panic_unless(offset < used);
	return physical + offset;
}

void *iommu_virtual(uint64_t address)
{
	panic_unless(address - physical < used);
	return memory + (address - physical);
}

static uint64_t allocate(void)
{
	void *page = iommu_pages(1);

	return page ? iommu_physical(page) : 0;
}

/* Tables are built once; one that was begun in vain stays unused. */
static void release(uint64_t table) { (void)table; }

static uint64_t *access(uint64_t table) { return iommu_virtual(table); }

const struct paging_memory iommu_memory = { allocate, release, access };

void iommu_write_back(const void *address, uint64_t bytes)
{
	const uint8_t *line = (const uint8_t *)((uint64_t)address & ~63ull), *end = (const uint8_t *)address + bytes;

	for (; !iommu.coherent && line < end; line += 64)
		__asm__ volatile("clflush %0" : : "m"(*line) : "memory");
	__asm__ volatile("mfence" : : : "memory");
}

void iommu_write_back_all(void) { iommu_write_back(memory, used); }
