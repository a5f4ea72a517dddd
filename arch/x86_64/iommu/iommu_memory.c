/*
 * Memory of the units' tables. It is not of the pool, which is measured without them: most machines have none or use
 * little of it. Frames of the kernel's are taken as they are needed, and mapped for good.
 */
#include <guests/lib/bh_string.h>
#include "address_space.h"
#include "frame.h"
#include "iommu_unit.h"
#include "panic.h"

#define FRAMES 16u

static struct {
	uint64_t physical;
	uint8_t *address;
	uint32_t used;
} frame[FRAMES];
static unsigned frames;

static bool add_frame(void)
{
	uint64_t physical = frames < FRAMES ? frame_take(1, 1, FRAME_KERNEL) : 0;
	uint8_t *address = physical ? mmio_map(physical, FRAME_BYTES, PAGING_WB) : NULL;

	if (!address)
		return false;
	memset(address, 0, FRAME_BYTES);
	frame[frames].physical = physical;
	frame[frames++].address = address;
	return true;
}

void *iommu_pages(unsigned pages)
{
	uint32_t bytes = pages * PAGE_BYTES;

	if ((!frames || frame[frames - 1].used + bytes > FRAME_BYTES) && !add_frame())
		return NULL;
	frame[frames - 1].used += bytes;
	return frame[frames - 1].address + frame[frames - 1].used - bytes;
}

uint64_t iommu_physical(const void *address)
{
	for (unsigned i = 0; i < frames; i++) {
		uint64_t offset = (uint64_t)address - (uint64_t)frame[i].address;

		if (offset < FRAME_BYTES)
			return frame[i].physical + offset;
	}
	panic("iommu: %p is not in its tables", address);
}

void *iommu_virtual(uint64_t physical)
{
	for (unsigned i = 0; i < frames; i++) {
		if (physical - frame[i].physical < FRAME_BYTES)
			return frame[i].address + (physical - frame[i].physical);
	}
	panic("iommu: 0x%lx is not in its tables", physical);
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

static void write_back(const uint8_t *address, uint64_t bytes)
{
	const uint8_t *line = (const uint8_t *)((uint64_t)address & ~63ull);

	for (; line < address + bytes; line += 64)
		__asm__ volatile("clflush %0" : : "m"(*line) : "memory");
}

void iommu_write_back(const void *address, uint64_t bytes)
{
	for (unsigned i = 0; !iommu.coherent && !bytes && i < frames; i++)
		write_back(frame[i].address, frame[i].used);
	if (!iommu.coherent && bytes)
		write_back(address, bytes);
	__asm__ volatile("mfence" : : : "memory");
}
