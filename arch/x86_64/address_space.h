/*
 * address_space.h: the kernel's own address space.
 *
 *   POOL_BASE    the kernel region (without the kernel's image), RW, no execute
 *   WINDOW_BASE  32 GiB: 64 windows of 2 MiB for each CPU (window.h)
 *   MMIO_BASE    device registers and the framebuffer
 *   KERNEL_BASE  the kernel's image: text RX, constants R, data RW
 *
 * Nothing else: no identity mapping, and no partition's memory but in a window.
 */
#pragma once
#include <boot/boot_info.h>
#include "paging.h"

#define WINDOW_BASE (POOL_BASE + 0x4000000000ull)
#define MMIO_BASE   (POOL_BASE + 0x5000000000ull)
#define MMIO_BYTES  0x1000000000ull

extern struct paging kernel_paging;

/* Builds the tables from the pool and loads them. Boot CPU, once, after pool_init. Panics when it
 * cannot. */
void address_space_init(const struct boot_info *info);

/* Loads them on another CPU. */
void address_space_load(void);

/*
 * Maps [physical, physical + bytes) for good, RW, type PAGING_UC or PAGING_WC or PAGING_WB; not
 * aligned is fine. NULL when out of tables or addresses. Boot CPU, before the others run.
 */
void *mmio_map(uint64_t physical, uint64_t bytes, unsigned type);

/* Ends a mapping of mmio_map; its addresses are not used again. Before other CPUs have touched it.
 */
void mmio_unmap(const void *address, uint64_t bytes);

/*
 * Unmaps the page at `page`, below a stack in the pool or in the image, for good: an overflow is
 * then a fault. False when out of tables. Boot CPU, before another has touched it.
 */
bool address_space_guard(const void *page);

/* Physical address of something in the kernel's image or in the pool. */
uint64_t address_physical(const void *address);

/*
 * Runs with tables that map the trampoline page and the firmware's runtime regions one to one
 * besides the kernel: physical address of their root, for CR3. Some of it is writable and
 * executable: for starting CPUs and for ResetSystem only.
 */
uint64_t address_space_identity(void);
