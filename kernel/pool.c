#include "pool.h"
#include <stdbool.h>
#include <stddef.h>
#include <guests/lib/bh_string.h>
#include "panic.h"
#include "spinlock.h"

static struct spinlock lock = SPINLOCK_INIT;
static uint8_t *pool_base;
static uint64_t pool_physical_base;
static uint64_t pages_total, pages_free;
static uint64_t search_from; /* no free page below it */
static uint8_t *bitmap;	     /* a bit per page, set: in use. It stands in the first pages */

static bool page_used(uint64_t page) { return bitmap[page / 8] & 1u << page % 8; }

static void mark(uint64_t page, uint64_t count, bool used)
{
	for (; count; count--, page++) {
		if (used)
			bitmap[page / 8] |= (uint8_t)(1u << page % 8);
		else
			bitmap[page / 8] &= (uint8_t) ~(1u << page % 8);
	}
}

void pool_init(void *base, uint64_t physical, uint64_t bytes)
{
	uint64_t bitmap_pages;

	pool_base = base;
	pool_physical_base = physical;
	pages_total = bytes / PAGE_BYTES;
	bitmap_pages = (pages_total / 8 + PAGE_BYTES) / PAGE_BYTES;
	panic_unless(bitmap_pages < pages_total);
	bitmap = pool_base;
	memset(bitmap, 0, bitmap_pages * PAGE_BYTES);
	mark(0, bitmap_pages, true);
	search_from = bitmap_pages;
	pages_free = pages_total - bitmap_pages;
}

/* The first of `count` free pages together; pages_total: there are none. */
static uint64_t find(uint64_t count)
{
	uint64_t run = 0;

	for (uint64_t page = search_from; page < pages_total; page++) {
		run = page_used(page) ? 0 : run + 1;
		if (run == count)
			return page + 1 - count;
	}
	return pages_total;
}

void *pool_alloc(unsigned pages)
{
	uint64_t page;
	void *address;

	panic_unless(pages > 0);
	spin_lock(&lock);
	page = find(pages);
	if (page < pages_total) {
		mark(page, pages, true);
		pages_free -= pages;
		if (page == search_from)
			search_from = page + pages;
	}
	spin_unlock(&lock);
	if (page == pages_total)
		return NULL;

	address = pool_base + page * PAGE_BYTES;
	memset(address, 0, pages * PAGE_BYTES);
	return address;
}

void pool_free(void *address, unsigned pages)
{
	uint64_t page = (pool_physical(address) - pool_physical_base) / PAGE_BYTES;

	panic_unless((uintptr_t)address % PAGE_BYTES == 0 && page + pages <= pages_total);
	spin_lock(&lock);
	for (uint64_t i = page; i < page + pages; i++) {
		if (!page_used(i))
			panic("pool_free: %p, %u pages: free already", address, pages);
	}
	mark(page, pages, false);
	pages_free += pages;
	if (page < search_from)
		search_from = page;
	spin_unlock(&lock);
}

uint64_t pool_physical(const void *address)
{
	uint64_t offset = (uint64_t)((uintptr_t)address - (uintptr_t)pool_base);

	if (offset >= pages_total * PAGE_BYTES)
		panic("pool_physical: %p is not in the pool", address);
	return pool_physical_base + offset;
}

void *pool_virtual(uint64_t physical)
{
	uint64_t offset = physical - pool_physical_base;

	if (offset >= pages_total * PAGE_BYTES)
		panic("pool_virtual: 0x%lx is not in the pool", physical);
	return pool_base + offset;
}

uint64_t pool_free_bytes(void) { return pages_free * PAGE_BYTES; }
