#include "address_space.h"
#include <stddef.h>
#include "instructions.h"
#include "log.h"
#include "panic.h"
#include "pool.h"
#include "window.h"

#define WINDOW_TABLES (CPU_MAX * WINDOW_SLOTS / 512)

struct paging kernel_paging;
uint64_t *window_entry;

static struct paging identity;
static uint64_t image_physical, image_end;
static uint64_t mmio_next = MMIO_BASE;

extern const char boot_stack_guard[]; /* entry.S */
/* linker.ld */
extern const char kernel_text_start[], kernel_text_end[], kernel_rodata_end[], kernel_data_end[];

static void map_kernel(uint64_t address, uint64_t physical, uint64_t bytes, unsigned flags)
{
	int error = bytes ? paging_map(&kernel_paging, address, physical, bytes, flags) : 0;

	if (error)
		panic("mapping 0x%lx bytes at 0x%lx for the kernel: error %d", bytes, address, error);
}

bool address_space_guard(const void *page)
{
	if (paging_unmap(&kernel_paging, (uint64_t)page, PAGING_4K))
		return false;
	invlpg(page);
	return true;
}

/* From one linker symbol to the next. */
static void map_segment(const char *start, const char *end, unsigned flags)
{
	map_kernel((uint64_t)start, address_physical(start), (uint64_t)(end - start), flags);
}

/* The kernel region, but not its image: nothing may be writable here and executable there. */
static void map_region(const struct boot_info *info)
{
	uint64_t end = info->region_base + info->region_bytes;
	uint64_t image = info->image_base;
	uint64_t after = (image + info->image_bytes + PAGING_4K - 1) & ~(PAGING_4K - 1);

	panic_unless(image >= info->region_base && after <= end && image % PAGING_4K == 0);
	map_kernel(POOL_BASE, info->region_base, image - info->region_base, PAGING_READ | PAGING_WRITE);
	map_kernel(POOL_BASE + after - info->region_base, after, end - after, PAGING_READ | PAGING_WRITE);
}

/*
 * The walker makes the tables that lead to the windows' page directories, which stand in one piece; what is in them
 * belongs to the window functions from then on. A page is mapped there for a moment, to have the table above made and
 * to find it.
 */
static void create_windows(void)
{
	uint64_t *root = pool_virtual(kernel_paging.root), *above;

	map_kernel(WINDOW_BASE, 0, PAGING_2M, PAGING_READ);
	above = pool_virtual(paging_physical(root[WINDOW_BASE >> 39 & 511], 4));
	above += WINDOW_BASE >> 30 & 511;
	window_entry = pool_alloc(WINDOW_TABLES);
	if (!window_entry)
		panic("no memory for the windows' page tables");
	for (unsigned i = 1; i < WINDOW_TABLES; i++)
		above[i] = above[0];
	for (unsigned i = 0; i < WINDOW_TABLES; i++)
		above[i] = (above[i] & (PAGING_4K - 1)) | pool_physical((uint8_t *)window_entry + i * PAGING_4K);
}

static void map_identity(uint64_t physical, uint64_t bytes, unsigned flags)
{
	if (paging_map(&identity, physical, physical, bytes, flags))
		log_printf("cannot map 0x%lx bytes at 0x%lx for the firmware", bytes, physical);
}

/* What firmware may want of each kind of memory; it writes to its own code. */
static const unsigned firmware_flags[] = {
	[BOOT_MEMORY_FIRMWARE_CODE] = PAGING_READ | PAGING_WRITE | PAGING_EXECUTE,
	[BOOT_MEMORY_FIRMWARE_DATA] = PAGING_READ | PAGING_WRITE | PAGING_EXECUTE,
	[BOOT_MEMORY_ACPI] = PAGING_READ | PAGING_WRITE,
	[BOOT_MEMORY_MMIO] = PAGING_READ | PAGING_WRITE | PAGING_UC,
};

static void create_identity(const struct boot_info *info)
{
	uint64_t *root, *kernel_root = pool_virtual(kernel_paging.root);

	if (paging_create(&identity, kernel_paging.format, &paging_pool))
		panic("no memory for the firmware's page tables");
	for (uint32_t i = 0; i < info->ranges; i++) {
		const struct boot_range *range = &info->range[i];

		if (range->type < sizeof(firmware_flags) / sizeof(firmware_flags[0]) && firmware_flags[range->type])
			map_identity(range->base, range->bytes, firmware_flags[range->type]);
	}
	if (info->trampoline)
		map_identity(info->trampoline, PAGING_4K, PAGING_READ | PAGING_EXECUTE);
	/* The kernel's half: its tables are shared from the level below the root on. */
	root = pool_virtual(identity.root);
	for (unsigned i = 256; i < 512; i++)
		root[i] = kernel_root[i];
}

void address_space_init(const struct boot_info *info)
{
	bool has_1g = cpuid(0x80000001, 0).edx & 1u << 26;

	image_physical = info->image_base;
	image_end = (uint64_t)kernel_data_end;
	if (paging_create(&kernel_paging, has_1g ? &paging_host_1g : &paging_host, &paging_pool))
		panic("no memory for the kernel's page tables");
	map_segment(kernel_text_start, kernel_text_end, PAGING_READ | PAGING_EXECUTE);
	map_segment(kernel_text_end, kernel_rodata_end, PAGING_READ);
	map_segment(kernel_rodata_end, kernel_data_end, PAGING_READ | PAGING_WRITE);
	map_region(info);
	panic_unless(address_space_guard(boot_stack_guard));
	create_windows();
	create_identity(info);
	address_space_load();
}

void address_space_load(void) { write_cr3(kernel_paging.root); }

uint64_t address_space_identity(void) { return identity.root; }

void *mmio_map(uint64_t physical, uint64_t bytes, unsigned type)
{
	uint64_t offset = physical % PAGING_4K, address;

	bytes = (offset + bytes + PAGING_4K - 1) & ~(PAGING_4K - 1);
	physical -= offset;
	/* Same offset within 2 MiB, so that large pages fit a framebuffer. */
	address = ((mmio_next + PAGING_2M - 1) & ~(PAGING_2M - 1)) + physical % PAGING_2M;
	if (bytes > MMIO_BYTES || address + bytes > MMIO_BASE + MMIO_BYTES ||
	    paging_map(&kernel_paging, address, physical, bytes, PAGING_READ | PAGING_WRITE | type))
		return NULL;
	mmio_next = address + bytes;
	return (uint8_t *)address + offset;
}

void mmio_unmap(const void *address, uint64_t bytes)
{
	uint64_t first = (uint64_t)address & ~(PAGING_4K - 1), end = (uint64_t)address + bytes;

	paging_unmap(&kernel_paging, first, (end - first + PAGING_4K - 1) & ~(PAGING_4K - 1));
	for (; first < end; first += PAGING_4K)
		invlpg((void *)first);
}

uint64_t address_physical(const void *address)
{
	uint64_t a = (uint64_t)address;

	if (a >= KERNEL_BASE && a < image_end)
		return image_physical + (a - KERNEL_BASE);
	return pool_physical(address);
}
