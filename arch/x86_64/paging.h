/*
 * paging.h: one walker for all page tables with 512 entries of 64 bits: the kernel's own, EPT, NPT
 * and those of IOMMUs.
 *
 * Tables come from a provider, so the walker runs on the host under a fake memory too. It takes no
 * lock and flushes no TLB: the caller does both, before a table that paging_unmap has released can
 * be used for something else.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Flags of a mapping. */
#define PAGING_READ    0x1u
#define PAGING_WRITE   0x2u
#define PAGING_EXECUTE 0x4u
#define PAGING_WB      0x00u
#define PAGING_UC      0x10u
#define PAGING_WC      0x20u
#define PAGING_TYPE    0x30u

#define PAGING_4K 0x1000ull
#define PAGING_2M 0x200000ull
#define PAGING_1G 0x40000000ull

/* Results. With any but PAGING_OK nothing has changed in what is mapped. */
enum paging_result {
	PAGING_OK = 0,
	PAGING_INVALID = -1,  /* not aligned, out of range, flags that this format cannot say */
	PAGING_BUSY = -2,     /* something is mapped there already */
	PAGING_NO_TABLE = -3, /* the provider is exhausted */
};

/*
 * How an entry says what it means. In all formats bit 0 means present; level 1 holds 4 KiB pages, 2: 2 MiB, 3: 1 GiB.
 * That an entry above level 1 names a page is said by bit 7, or, with `next_level`, by zero in bits 11:9, where one
 * that names a table has that table's level.
 */
struct paging_format {
	unsigned largest; /* highest level that may hold pages: 2 or 3 */
	bool canonical;	  /* the upper half is sign-extended */
	bool next_level;
	uint64_t table, page;		     /* set in every entry that names a table, a page */
	uint64_t write, execute, no_execute; /* set as the flags say */
	uint64_t type[3], type_mask;	     /* PAGING_WB, UC, WC */
};

/* 4-level host tables (SDM vol. 3, 4.5), EPT (28.3.2) and NPT (APM vol. 2, 15.25), with 2 MiB pages at most, and with
 * 1 GiB pages. */
extern const struct paging_format paging_host, paging_host_1g, paging_ept, paging_ept_1g, paging_npt, paging_npt_1g;

/* VT-d's second-level tables (VT-d 9.7) and AMD-Vi's host tables (48882, 2.2.3). What a unit can do is added to a copy.
 */
extern const struct paging_format paging_vtd, paging_amd_vi;

struct paging_memory {
	uint64_t (*allocate)(void); /* physical address of a zeroed page, 0: none left */
	void (*release)(uint64_t table);
	uint64_t *(*access)(uint64_t table); /* where its 512 entries stand; valid until released */
};

struct paging {
	const struct paging_format *format;
	uint64_t root;
	const struct paging_memory *memory;
};

/* Tables from the kernel's pool. */
extern const struct paging_memory paging_pool;

/* Allocates the root. PAGING_NO_TABLE. */
int paging_create(struct paging *paging, const struct paging_format *format, const struct paging_memory *memory);

/* Maps [address, address + bytes) to `physical` on with the largest pages that fit; multiples of 4
 * KiB. */
int paging_map(struct paging *paging, uint64_t address, uint64_t physical, uint64_t bytes, unsigned flags);

/* Unmaps what is mapped of the range (holes are allowed), splits large pages at its ends, releases
 * empty tables. */
int paging_unmap(struct paging *paging, uint64_t address, uint64_t bytes);

struct paging_page {
	uint64_t address, physical, bytes; /* of the whole page */
	unsigned flags;
};

/* Calls `each` for every page, in the order of addresses, until it returns false; then returns
 * false. */
bool paging_walk(const struct paging *paging, bool (*each)(void *context, const struct paging_page *page),
		 void *context);

/* The table that `entry`, which is present, names, or the first address of its page. */
uint64_t paging_physical(uint64_t entry, unsigned level);
