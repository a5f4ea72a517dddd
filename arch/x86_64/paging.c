#include "paging.h"
#include <stddef.h>

#define LEVELS	      4u
#define ENTRIES	      512u
#define ADDRESS_BITS  48u
#define ADDRESS_MASK  ((1ull << ADDRESS_BITS) - 1)
#define PHYSICAL_MASK 0x000ffffffffff000ull
#define PHYSICAL_END  (1ull << 52)

#define PRESENT 0x01ull /* EPT: read, without which neither format can do on every CPU */
#define LARGE	0x80ull
#define LEVEL	0xe00ull /* bits 11:9 */

static uint64_t page_bytes(unsigned level) { return PAGING_4K << 9 * (level - 1); }

static unsigned index_of(uint64_t address, unsigned level) { return (unsigned)(address / page_bytes(level)) % ENTRIES; }

static uint64_t *entries(const struct paging *p, uint64_t table) { return p->memory->access(table); }

/* Others may be walking these tables: what an entry names is there before the entry is. */
static void set_entry(uint64_t *entry, uint64_t value) { __atomic_store_n(entry, value, __ATOMIC_RELEASE); }

/* Inside of this file addresses have 48 bits, so that no range wraps; outside they may be
 * canonical. */
static bool strip(const struct paging *p, uint64_t *address, uint64_t bytes)
{
	uint64_t upper = *address >> (ADDRESS_BITS - 1), half = 1ull << (ADDRESS_BITS - 1);

	if (p->format->canonical) {
		if (upper != 0 && upper != 0x1ffff)
			return false;
		*address &= ADDRESS_MASK;
		return bytes <= half && *address % half + bytes <= half;
	}
	return *address <= ADDRESS_MASK && bytes <= ADDRESS_MASK + 1 - *address;
}

static uint64_t unstrip(const struct paging *p, uint64_t address)
{
	bool upper = address >> (ADDRESS_BITS - 1);

	return p->format->canonical && upper ? address | ~ADDRESS_MASK : address;
}

/* ---- entries ---------------------------------------------------------------------------------- */

static bool is_page(const struct paging_format *f, uint64_t entry, unsigned level)
{
	return level == 1 || (level <= 3 && (f->next_level ? !(entry & LEVEL) : entry & LARGE));
}

/* An entry at `level` for a table. */
static uint64_t table_entry(const struct paging_format *f, uint64_t table, unsigned level)
{
	return table | PRESENT | f->table | (f->next_level ? (level - 1) * (LEVEL & -LEVEL) : 0);
}

uint64_t paging_physical(uint64_t entry, unsigned level)
{
	/* Below the address of a large page stand attributes, such as PAT in bit 12. */
	uint64_t low = level > 1 && entry & LARGE ? page_bytes(level) - 1 : 0;

	return entry & PHYSICAL_MASK & ~low;
}

static bool flags_valid(unsigned flags)
{
	unsigned known = PAGING_READ | PAGING_WRITE | PAGING_EXECUTE | PAGING_TYPE;

	return !(flags & ~known) && flags & PAGING_READ && (flags & PAGING_TYPE) != PAGING_TYPE;
}

static uint64_t page_entry(const struct paging_format *f, uint64_t physical, unsigned flags, unsigned level)
{
	uint64_t entry = physical | PRESENT | f->page | f->type[(flags & PAGING_TYPE) / PAGING_UC];

	entry |= flags & PAGING_WRITE ? f->write : 0;
	entry |= flags & PAGING_EXECUTE ? f->execute : f->no_execute;
	return level > 1 && !f->next_level ? entry | LARGE : entry;
}

static unsigned page_flags(const struct paging_format *f, uint64_t entry)
{
	unsigned type = PAGING_WB;

	while (type < PAGING_WC && (entry & f->type_mask) != f->type[type / PAGING_UC])
		type += PAGING_UC;
	return PAGING_READ | (entry & f->write ? PAGING_WRITE : 0) |
	       ((entry & (f->execute | f->no_execute)) == f->execute ? PAGING_EXECUTE : 0) | type;
}

/* ---- visiting -------------------------------------------------------------------------------- */

struct visit {
	const struct paging *p;
	uint64_t first, last; /* pages that touch first..last are visited */
	bool (*each)(void *context, const struct paging_page *page);
	void *context;
};

static bool visit_table(const struct visit *v, uint64_t table, unsigned level, uint64_t base)
{
	uint64_t size = page_bytes(level), *entry = entries(v->p, table);
	unsigned i = v->first > base ? index_of(v->first, level) : 0;

	for (uint64_t address = base + i * size; i < ENTRIES && address <= v->last; i++, address += size) {
		if (!(entry[i] & PRESENT))
			continue;
		if (is_page(v->p->format, entry[i], level)) {
			struct paging_page page = { unstrip(v->p, address), paging_physical(entry[i], level), size,
						    page_flags(v->p->format, entry[i]) };

			if (!v->each(v->context, &page))
				return false;
		} else if (!visit_table(v, paging_physical(entry[i], level), level - 1, address)) {
			return false;
		}
	}
	return true;
}

bool paging_walk(const struct paging *p, bool (*each)(void *context, const struct paging_page *page), void *context)
{
	struct visit v = { p, 0, ADDRESS_MASK, each, context };

	return visit_table(&v, p->root, LEVELS, 0);
}

static bool stop(void *context, const struct paging_page *page)
{
	(void)context;
	(void)page;
	return false;
}

static bool range_free(const struct paging *p, uint64_t address, uint64_t bytes)
{
	struct visit v = { p, address, address + bytes - 1, stop, NULL };

	return visit_table(&v, p->root, LEVELS, 0);
}

/* ---- unmapping ------------------------------------------------------------------------------- */

/* Replaces a large page by a table of 512 smaller ones. */
static int split(const struct paging *p, uint64_t *entry, unsigned level)
{
	const struct paging_format *f = p->format;
	uint64_t physical = paging_physical(*entry, level), table = p->memory->allocate();

	if (!table)
		return PAGING_NO_TABLE;
	for (unsigned i = 0; i < ENTRIES; i++)
		entries(p, table)[i] =
			page_entry(f, physical + i * page_bytes(level - 1), page_flags(f, *entry), level - 1);
	set_entry(entry, table_entry(f, table, level));
	return PAGING_OK;
}

/* Sees to it that no page lies on both sides of `address`. */
static int split_at(const struct paging *p, uint64_t address)
{
	uint64_t table = p->root;

	for (unsigned level = LEVELS; address % page_bytes(level); level--) {
		uint64_t *entry = &entries(p, table)[index_of(address, level)];

		if (!(*entry & PRESENT))
			return PAGING_OK;
		if (is_page(p->format, *entry, level) && split(p, entry, level))
			return PAGING_NO_TABLE;
		table = paging_physical(*entry, level);
	}
	return PAGING_OK;
}

static bool table_empty(const struct paging *p, uint64_t table)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (entries(p, table)[i] & PRESENT)
			return false;
	}
	return true;
}

/* Clears what touches first..last; every page there lies wholly inside. */
static void clear(const struct paging *p, uint64_t table, unsigned level, uint64_t base, uint64_t first, uint64_t last)
{
	uint64_t size = page_bytes(level), *entry = entries(p, table);
	unsigned i = first > base ? index_of(first, level) : 0;

	for (uint64_t address = base + i * size; i < ENTRIES && address <= last; i++, address += size) {
		uint64_t child;

		if (!(entry[i] & PRESENT))
			continue;
		if (is_page(p->format, entry[i], level)) {
			set_entry(&entry[i], 0);
			continue;
		}
		child = paging_physical(entry[i], level);
		clear(p, child, level - 1, address, first, last);
		if (table_empty(p, child)) {
			set_entry(&entry[i], 0);
			p->memory->release(child);
		}
	}
}

int paging_unmap(struct paging *p, uint64_t address, uint64_t bytes)
{
	if (!bytes || (address | bytes) % PAGING_4K || !strip(p, &address, bytes))
		return PAGING_INVALID;
	if (split_at(p, address) || split_at(p, address + bytes))
		return PAGING_NO_TABLE;
	clear(p, p->root, LEVELS, 0, address, address + bytes - 1);
	return PAGING_OK;
}

/* ---- mapping --------------------------------------------------------------------------------- */

struct mapping {
	uint64_t address, physical, bytes; /* what is still to do */
	unsigned flags;
};

static bool page_fits(const struct paging_format *f, const struct mapping *m, unsigned level)
{
	uint64_t size = page_bytes(level);

	return level <= f->largest && m->bytes >= size && (m->address | m->physical) % size == 0;
}

static int map_in_table(const struct paging *p, uint64_t table, unsigned level, struct mapping *m)
{
	const struct paging_format *f = p->format;
	uint64_t size = page_bytes(level), *entry = entries(p, table);

	for (unsigned i = index_of(m->address, level); i < ENTRIES && m->bytes; i++) {
		if (!(entry[i] & PRESENT) && page_fits(f, m, level)) {
			set_entry(&entry[i], page_entry(f, m->physical, m->flags, level));
			m->address += size;
			m->physical += size;
			m->bytes -= size;
			continue;
		}
		if (!(entry[i] & PRESENT)) {
			uint64_t child = p->memory->allocate();

			if (!child)
				return PAGING_NO_TABLE;
			set_entry(&entry[i], table_entry(f, child, level));
		}
		if (map_in_table(p, paging_physical(entry[i], level), level - 1, m))
			return PAGING_NO_TABLE;
	}
	return PAGING_OK;
}

int paging_map(struct paging *p, uint64_t address, uint64_t physical, uint64_t bytes, unsigned flags)
{
	struct mapping m;

	if (!bytes || (address | physical | bytes) % PAGING_4K || !strip(p, &address, bytes) ||
	    physical >= PHYSICAL_END || bytes > PHYSICAL_END - physical || !flags_valid(flags))
		return PAGING_INVALID;
	if (!range_free(p, address, bytes))
		return PAGING_BUSY;

	m = (struct mapping){ address, physical, bytes, flags };
	if (map_in_table(p, p->root, LEVELS, &m)) {
		/* Nothing was there before, so taking all of it away is what was there before. */
		clear(p, p->root, LEVELS, 0, address, address + bytes - 1);
		return PAGING_NO_TABLE;
	}
	return PAGING_OK;
}

int paging_create(struct paging *p, const struct paging_format *format, const struct paging_memory *memory)
{
	*p = (struct paging){ .format = format, .memory = memory };
	p->root = p->memory->allocate();
	return p->root ? PAGING_OK : PAGING_NO_TABLE;
}
