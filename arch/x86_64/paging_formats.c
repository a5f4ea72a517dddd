/* The table formats that the walker in paging.c knows. */
#include "paging.h"

#define LARGE	      0x80ull /* bit 7 in both formats: the entry names a page */
#define PHYSICAL_MASK 0x000ffffffffff000ull

static uint64_t physical(uint64_t entry, unsigned level)
{
	/* Below the address of a large page stand attributes, such as PAT in bit 12. */
	uint64_t low = level > 1 && entry & LARGE ? (PAGING_4K << 9 * (level - 1)) - 1 : 0;

	return entry & PHYSICAL_MASK & ~low;
}

static bool is_page(uint64_t entry, unsigned level)
{
	return level == 1 || (level <= 3 && entry & LARGE);
}

static bool flags_valid(unsigned flags)
{
	unsigned known = PAGING_READ | PAGING_WRITE | PAGING_EXECUTE | PAGING_TYPE;

	/* Neither format can do without reading, on every CPU. */
	return !(flags & ~known) && flags & PAGING_READ && (flags & PAGING_TYPE) != PAGING_TYPE;
}

/* ---- host: SDM vol. 3, 4.5 --------------------------------------------------------------------
 */

#define HOST_PRESENT  0x1ull
#define HOST_WRITE    0x2ull
#define HOST_PWT      0x8ull  /* PAT entry 1: WC (PAT_VALUE in msr.h) */
#define HOST_PCD      0x10ull /* with PWT entry 3: UC */
#define HOST_ACCESSED 0x20ull
#define HOST_DIRTY    0x40ull
#define HOST_NX	      (1ull << 63)

static bool host_present(uint64_t entry)
{
	return entry & HOST_PRESENT;
}

static uint64_t host_page(uint64_t address, unsigned flags, unsigned level)
{
	/* Accessed and dirty from the start: the CPU need never write to the tables. */
	uint64_t entry = address | HOST_PRESENT | HOST_ACCESSED | HOST_DIRTY;

	if (flags & PAGING_WRITE)
		entry |= HOST_WRITE;
	if (!(flags & PAGING_EXECUTE))
		entry |= HOST_NX;
	if ((flags & PAGING_TYPE) == PAGING_UC)
		entry |= HOST_PCD | HOST_PWT;
	if ((flags & PAGING_TYPE) == PAGING_WC)
		entry |= HOST_PWT;
	return level > 1 ? entry | LARGE : entry;
}

static uint64_t host_table(uint64_t address)
{
	return address | HOST_PRESENT | HOST_WRITE | HOST_ACCESSED;
}

static unsigned host_flags(uint64_t entry, unsigned level)
{
	unsigned flags = PAGING_READ;

	(void)level;
	if (entry & HOST_WRITE)
		flags |= PAGING_WRITE;
	if (!(entry & HOST_NX))
		flags |= PAGING_EXECUTE;
	if (entry & HOST_PWT)
		flags |= entry & HOST_PCD ? PAGING_UC : PAGING_WC;
	return flags;
}

/* ---- EPT: SDM vol. 3, 28.3.2 -------------------------------------------------------------------
 */

#define EPT_RWX	       0x7ull
#define EPT_TYPE_SHIFT 3
#define EPT_TYPE_UC    0ull
#define EPT_TYPE_WC    1ull
#define EPT_TYPE_WB    6ull

_Static_assert((PAGING_READ | PAGING_WRITE | PAGING_EXECUTE) == EPT_RWX, "EPT's own bits");

static bool ept_present(uint64_t entry)
{
	return entry & EPT_RWX;
}

static uint64_t ept_page(uint64_t address, unsigned flags, unsigned level)
{
	uint64_t type = EPT_TYPE_WB;

	if ((flags & PAGING_TYPE) == PAGING_UC)
		type = EPT_TYPE_UC;
	if ((flags & PAGING_TYPE) == PAGING_WC)
		type = EPT_TYPE_WC;
	address |= (flags & EPT_RWX) | type << EPT_TYPE_SHIFT;
	return level > 1 ? address | LARGE : address;
}

static uint64_t ept_table(uint64_t address)
{
	return address | EPT_RWX;
}

static unsigned ept_flags(uint64_t entry, unsigned level)
{
	unsigned flags = entry & EPT_RWX;

	(void)level;
	switch (entry >> EPT_TYPE_SHIFT & 7) {
	case EPT_TYPE_UC:
		return flags | PAGING_UC;
	case EPT_TYPE_WC:
		return flags | PAGING_WC;
	default:
		return flags;
	}
}

#define FORMAT(prefix, largest_level, canonical_addresses)                                                          \
	{                                                                                                           \
		.levels = 4, .largest = largest_level, .physical_bits = 52, .canonical = canonical_addresses,       \
		.flags_valid = flags_valid, .present = prefix##_present, .is_page = is_page, .page = prefix##_page, \
		.table = prefix##_table, .physical = physical, .flags = prefix##_flags,                             \
	}

const struct paging_format paging_host = FORMAT(host, 2, true);
const struct paging_format paging_host_1g = FORMAT(host, 3, true);
const struct paging_format paging_ept = FORMAT(ept, 2, false);
const struct paging_format paging_ept_1g = FORMAT(ept, 3, false);
