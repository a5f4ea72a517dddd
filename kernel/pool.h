/*
 * pool.h: the page allocator of the kernel region. Pages are 4 KiB.
 *
 * The kernel region is the only memory that the kernel has mapped for good, at POOL_BASE.
 */
#pragma once
#include <stdint.h>

#define PAGE_BYTES 4096ull

/*
 * The pool is `bytes` at `base`, whose physical address is `physical`; both multiples of 4 KiB.
 * Keeps its bitmap in the first pages. Once, at boot.
 */
void pool_init(void *base, uint64_t physical, uint64_t bytes);

/* `pages` (1 and more) contiguous pages, zeroed; NULL when there are not that many together. Any
 * CPU. */
void *pool_alloc(unsigned pages);

/* Gives pages of one pool_alloc back. Freeing what is not allocated is a panic. Any CPU. */
void pool_free(void *address, unsigned pages);

/* Of an address in the pool, and back. Anything else is a panic. */
uint64_t pool_physical(const void *address);
void *pool_virtual(uint64_t physical);

/* Bytes that are free. */
uint64_t pool_free_bytes(void);
