/* memory.c: page tables above 4 GiB, and memory that is given out once. */
#include "bh.h"

#define PRESENT	 0x1u
#define TABLE	 0x23u /* present, writable, accessed */
#define PAGE_2M	 0xe3u /* and dirty, large */
#define ADDRESS	 0x000ffffffffff000ull
#define BYTES_2M (1ull << 21)
#define FIRST	 (1ull << 32) /* what lies below is mapped from the start */
#define END	 (1ull << 47)

extern uint64_t bh_pagetables[];
extern char bh_image_end[];

static struct bh_lock alloc_lock, map_lock;
static uint64_t next_free;

void *bh_alloc(size_t bytes, size_t align)
{
	uint64_t end = bh_info()->memory_bytes;
	void *result = NULL;

	if (end > BH_GPA_CHANNELS)
		end = BH_GPA_CHANNELS;

	bh_lock(&alloc_lock);
	if (!next_free)
		next_free = (uint64_t)bh_image_end;

	uint64_t start = (next_free + align - 1) & ~(uint64_t)(align - 1);

	if (start <= end && bytes <= end - start) {
		/* The kernel wipes memory before a start, and nothing comes back to be given twice.
		 */
		result = (void *)start;
		next_free = start + bytes;
	}
	bh_unlock(&alloc_lock);
	return result;
}

/* The table that `entry` points to, made if it is not there; NULL when no memory is left. */
static uint64_t *next_table(uint64_t *entry)
{
	if (!(*entry & PRESENT)) {
		void *table = bh_alloc(4096, 4096);

		if (!table)
			return NULL;
		*entry = (uint64_t)table | TABLE;
	}
	return (uint64_t *)(*entry & ADDRESS);
}

static bool map_2m(uint64_t gpa)
{
	uint64_t *pdpt = next_table(&bh_pagetables[gpa >> 39 & 511]);
	uint64_t *pd = pdpt ? next_table(&pdpt[gpa >> 30 & 511]) : NULL;

	if (!pd)
		return false;
	/* An entry that was absent is in no TLB (SDM vol. 3, 4.10.4.3): nothing to flush. */
	pd[gpa >> 21 & 511] = gpa | PAGE_2M;
	return true;
}

bool bh_map(uint64_t gpa, uint64_t bytes)
{
	if (gpa + bytes < gpa || gpa + bytes > END)
		return false;

	uint64_t at = (gpa < FIRST ? FIRST : gpa) & ~(BYTES_2M - 1);
	bool done = true;

	bh_lock(&map_lock);
	for (; done && at < gpa + bytes; at += BYTES_2M)
		done = map_2m(at);
	bh_unlock(&map_lock);
	return done;
}
