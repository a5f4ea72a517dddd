/* Tables for the walker from the kernel's pool. */
#include <stddef.h>
#include "paging.h"
#include "pool.h"

static uint64_t allocate(void *context)
{
	void *table = pool_alloc(1);

	(void)context;
	return table ? pool_physical(table) : 0;
}

static void release(void *context, uint64_t table)
{
	(void)context;
	pool_free(pool_virtual(table), 1);
}

static uint64_t *access(void *context, uint64_t table)
{
	(void)context;
	return pool_virtual(table);
}

const struct paging_memory paging_pool = { allocate, release, access, NULL };
