#include "region_build.h"
#include "elf.h"
#include "firmware.h"
#include "paging.h"
#include "region.h"

#define PAGE_BYTES 4096ull
#define GIB	   (1ull << 30)

extern char region_enter_end[];

/* Pages for tables, taken from the region's own; firmware has all memory mapped one to one. */
static struct {
	uint64_t next, end;
} table_pages;

static uint64_t allocate_table(void)
{
	uint64_t page = table_pages.next;

	if (page == table_pages.end)
		return 0;
	table_pages.next += PAGE_BYTES;
	__builtin_memset((void *)page, 0, PAGE_BYTES);
	return page;
}

static void release_table(uint64_t table) { (void)table; }

static uint64_t *access_table(uint64_t table) { return (uint64_t *)table; }

static unsigned segment_flags(const struct boot_segment *segment)
{
	return PAGING_READ | (segment->writable ? PAGING_WRITE : 0) | (segment->executable ? PAGING_EXECUTE : 0);
}

static int map_kernel(struct paging *paging, const struct boot_program *kernel, uint64_t image_base)
{
	for (uint32_t i = 0; i < kernel->segments; i++) {
		const struct boot_segment *segment = &kernel->segment[i];
		uint64_t bytes = (segment->memory_bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
		int error = paging_map(paging, segment->address, image_base + segment->address - KERNEL_BASE, bytes,
				       segment_flags(segment));

		if (error)
			return error;
	}
	return PAGING_OK;
}

/* Low memory for the loader's last instructions, and these themselves should they lie higher. */
static int map_loader(struct paging *paging)
{
	unsigned flags = PAGING_READ | PAGING_WRITE | PAGING_EXECUTE;
	uint64_t code = (uint64_t)region_enter & ~(PAGE_BYTES - 1);
	uint64_t end = ((uint64_t)region_enter_end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	int error = paging_map(paging, 0, 0, 4 * GIB, flags);

	if (!error && code >= 4 * GIB)
		error = paging_map(paging, code, code, end - code, flags);
	return error;
}

static const char *build_tables(struct region *region, const struct boot_program *kernel, const struct boot_info *info,
				uint64_t pages)
{
	static const struct paging_memory memory = { allocate_table, release_table, access_table };
	struct paging paging;

	table_pages.next = pages;
	table_pages.end = pages + REGION_TABLE_PAGES * PAGE_BYTES;
	if (paging_create(&paging, &paging_host, &memory) || map_loader(&paging) ||
	    map_kernel(&paging, kernel, info->image_base) ||
	    paging_map(&paging, POOL_BASE, info->region_base, info->region_bytes, PAGING_READ | PAGING_WRITE))
		return "its page tables need more room than they have";
	region->tables = paging.root;
	return NULL;
}

static void copy_kernel(const struct boot_program *kernel, const void *file, uint64_t image_base)
{
	for (uint32_t i = 0; i < kernel->segments; i++) {
		const struct boot_segment *segment = &kernel->segment[i];

		__builtin_memcpy((void *)(image_base + segment->address - KERNEL_BASE),
				 (const uint8_t *)file + segment->physical, segment->file_bytes);
	}
}

/* Where each part of the region stands; `info` gets the fields that the kernel reads. */
static uint64_t lay_out(struct region *region, struct boot_info *info, uint64_t image_bytes)
{
	uint64_t at = info->region_base;
	uint64_t info_bytes = (sizeof(*info) + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	uint64_t tables;

	info->image_base = at;
	info->image_bytes = image_bytes;
	at += image_bytes;
	region->info = (struct boot_info *)at;
	region->info_address = POOL_BASE + (at - info->region_base);
	at += info_bytes + REGION_STACK_BYTES;
	region->stack = POOL_BASE + (at - info->region_base);
	tables = at;
	at += REGION_TABLE_PAGES * PAGE_BYTES;
	info->pool_base = at;
	info->pool_bytes = info->region_base + info->region_bytes - at;
	return tables;
}

const char *region_build(struct region *region, const struct boot_info *source, const struct boot_program *kernel,
			 const void *file, uint64_t ram_bytes)
{
	struct region_counts counts = region_count(&source->config, source->cpus);
	uint64_t image_bytes = elf_end(kernel) - KERNEL_BASE;
	uint64_t bytes = boot_region_bytes(ram_bytes, &counts, image_bytes);
	uint64_t base = firmware_allocate_frames(bytes, true), tables;
	struct boot_info *info;

	if (!base)
		base = firmware_allocate_frames(bytes, false);
	if (!base)
		return "memory is too small for it";
	/* The kernel zeroes the pool's pages itself, when it gives them out. */
	__builtin_memset((void *)base, 0, region_fixed_bytes(image_bytes));
	region->entry = kernel->entry;
	info = (struct boot_info *)(base + image_bytes);
	*info = *source;
	info->region_base = base;
	info->region_bytes = bytes;
	info->region_bytes_256g = boot_region_bytes(256 * GIB, &counts, image_bytes);
	tables = lay_out(region, info, image_bytes);
	copy_kernel(kernel, file, base);
	return build_tables(region, kernel, info, tables);
}
