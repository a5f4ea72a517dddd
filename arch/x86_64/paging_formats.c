/* The table formats that the walker in paging.c knows. */
#include "paging.h"

/* SDM vol. 3, 4.5. */
#define HOST_WRITE    0x2ull
#define HOST_PWT      0x8ull  /* PAT entry 1: WC (PAT_VALUE in msr.h) */
#define HOST_PCD      0x10ull /* with PWT entry 3: UC */
#define HOST_ACCESSED 0x20ull
#define HOST_DIRTY    0x40ull
#define HOST_NX	      (1ull << 63)

/* Accessed and dirty from the start: the CPU need never write to the tables. */
#define HOST                                                                                        \
	.canonical = true, .table = HOST_WRITE | HOST_ACCESSED, .page = HOST_ACCESSED | HOST_DIRTY, \
	.write = HOST_WRITE, .no_execute = HOST_NX, .type = { 0, HOST_PCD | HOST_PWT, HOST_PWT },   \
	.type_mask = HOST_PCD | HOST_PWT

/* SDM vol. 3, 28.3.2: memory types WB, UC, WC are 6, 0, 1. */
#define EPT_WRITE      0x2ull
#define EPT_EXECUTE    0x4ull
#define EPT_TYPE(type) ((type) << 3)
#define EPT                                                                           \
	.table = EPT_WRITE | EPT_EXECUTE, .write = EPT_WRITE, .execute = EPT_EXECUTE, \
	.type = { EPT_TYPE(6ull), EPT_TYPE(0ull), EPT_TYPE(1ull) }, .type_mask = EPT_TYPE(7ull)

const struct paging_format paging_host = { .largest = 2, HOST };
const struct paging_format paging_host_1g = { .largest = 3, HOST };
const struct paging_format paging_ept = { .largest = 2, EPT };
const struct paging_format paging_ept_1g = { .largest = 3, EPT };

/*
 * AMD APM vol. 2, 15.25: as host tables, by the PAT that the kernel runs with; each access of a guest counts as a
 * user's. Tables grant everything, pages decide.
 */
#define NPT_USER 0x4ull
#define NPT                                                                                            \
	.table = NPT_USER | HOST_WRITE | HOST_ACCESSED, .page = NPT_USER | HOST_ACCESSED | HOST_DIRTY, \
	.write = HOST_WRITE, .no_execute = HOST_NX, .type = { 0, HOST_PCD | HOST_PWT, HOST_PWT },      \
	.type_mask = HOST_PCD | HOST_PWT

const struct paging_format paging_npt = { .largest = 2, NPT };
const struct paging_format paging_npt_1g = { .largest = 3, NPT };

/*
 * VT-d 9.7: as EPT, without memory types. Devices fetch no instructions; `execute` is a bit that is never set, so that
 * the flags that are read back say so.
 */
#define VTD_WRITE  0x2ull
#define VTD_UNUSED 0x4ull

const struct paging_format paging_vtd = { .largest = 1, .table = VTD_WRITE, .write = VTD_WRITE, .execute = VTD_UNUSED };

/* AMD-Vi 48882, 2.2.3, figures 8 and 9. FC: DMA is coherent with the CPUs' caches, whatever the device says. */
#define AMD_FC	   (1ull << 60)
#define AMD_READ   (1ull << 61)
#define AMD_WRITE  (1ull << 62)
#define AMD_UNUSED 0x2ull

const struct paging_format paging_amd_vi = {
	.largest = 3,
	.next_level = true,
	.table = AMD_READ | AMD_WRITE,
	.page = AMD_READ | AMD_FC,
	.write = AMD_WRITE,
	.execute = AMD_UNUSED,
};
