/* Tables for the walker from the kernel's pool. */
#include "paging.h"
#include "pool.h"

static uint64_t allocate(void)
{
	void *table = pool_alloc(1);

	return table ? pool_physical(table) : 0;
}

static void release(uint64_t table) { pool_free(pool_virtual(table), 1); }

static uint64_t *access(uint64_t table) { return pool_virtual(table); }

const struct paging_memory paging_pool = { allocate, release, access };
