#include "paging.h"
#include <stddef.h>

#define ENTRIES	     512u
#define ADDRESS_BITS 48u
#define ADDRESS_MASK ((1ull << ADDRESS_BITS) - 1)

static uint64_t page_bytes(unsigned level)
{
	return PAGING_4K << 9 * (level - 1);
}

static unsigned index_of(uint64_t address, unsigned level)
{
	return (unsigned)(address / page_bytes(level)) % ENTRIES;
}

static uint64_t *entries(const struct paging *p, uint64_t table)
{
	return p->memory->access(p->memory->context, table);
}

static uint64_t allocate(const struct paging *p)
{
	return p->memory->allocate(p->memory->context);
}

/* Others may be walking these tables: what an entry names is there before the entry is. */
static void set_entry(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

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

/* ---- visiting -------------------------------------------------------------------------------- */

struct visit {
	const struct paging *p;
	uint64_t first, last; /* pages that touch first..last are visited */
	bool (*each)(void *context, const struct paging_page *page);
	void *context;
};

static bool visit_table(const struct visit *v, uint64_t table, unsigned level, uint64_t base)
{
	const struct paging_format *f = v->p->format;
	uint64_t size = page_bytes(level), *entry = entries(v->p, table);
	unsigned i = v->first > base ? index_of(v->first, level) : 0;

	for (uint64_t address = base + i * size; i < ENTRIES && address <= v->last; i++, address += size) {
		if (!f->present(entry[i]))
			continue;
		if (f->is_page(entry[i], level)) {
			struct paging_page page = { unstrip(v->p, address), f->physical(entry[i], level), size,
						    f->flags(entry[i], level) };

			if (!v->each(v->context, &page))
				return false;
		} else if (!visit_table(v, f->physical(entry[i], level), level - 1, address)) {
			return false;
		}
	}
	return true;
}

bool paging_walk(const struct paging *p, bool (*each)(void *context, const struct paging_page *page), void *context)
{
	struct visit v = { p, 0, ADDRESS_MASK, each, context };

	return visit_table(&v, p->root, p->format->levels, 0);
}

static bool found(void *context, const struct paging_page *page)
{
	*(struct paging_page *)context = *page;
	return false;
}

bool paging_lookup(const struct paging *p, uint64_t address, struct paging_page *page)
{
	struct visit v = { p, address, address, found, page };

	if (!strip(p, &v.first, 1))
		return false;
	v.last = v.first;
	return !visit_table(&v, p->root, p->format->levels, 0);
}

static bool range_free(const struct paging *p, uint64_t address, uint64_t bytes)
{
	struct paging_page page;
	struct visit v = { p, address, address + bytes - 1, found, &page };

	return visit_table(&v, p->root, p->format->levels, 0);
}

/* ---- unmapping ------------------------------------------------------------------------------- */

/* Replaces a large page by a table of 512 smaller ones. */
static int split(const struct paging *p, uint64_t *entry, unsigned level)
{
	const struct paging_format *f = p->format;
	uint64_t physical = f->physical(*entry, level), table = allocate(p);
	unsigned flags = f->flags(*entry, level);

	if (!table)
		return PAGING_NO_TABLE;
	for (unsigned i = 0; i < ENTRIES; i++)
		entries(p, table)[i] = f->page(physical + i * page_bytes(level - 1), flags, level - 1);
	set_entry(entry, f->table(table));
	return PAGING_OK;
}

/* Sees to it that no page lies on both sides of `address`. */
static int split_at(const struct paging *p, uint64_t address)
{
	const struct paging_format *f = p->format;
	uint64_t table = p->root;

	for (unsigned level = f->levels; address % page_bytes(level); level--) {
		uint64_t *entry = &entries(p, table)[index_of(address, level)];

		if (!f->present(*entry))
			return PAGING_OK;
		if (f->is_page(*entry, level) && split(p, entry, level))
			return PAGING_NO_TABLE;
		table = f->physical(*entry, level);
	}
	return PAGING_OK;
}

static bool table_empty(const struct paging *p, uint64_t table)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (p->format->present(entries(p, table)[i]))
			return false;
	}
	return true;
}

/* Clears what touches first..last; every page there lies wholly inside. */
static void clear(const struct paging *p, uint64_t table, unsigned level, uint64_t base, uint64_t first, uint64_t last)
{
	const struct paging_format *f = p->format;
	uint64_t size = page_bytes(level), *entry = entries(p, table);
	unsigned i = first > base ? index_of(first, level) : 0;

	for (uint64_t address = base + i * size; i < ENTRIES && address <= last; i++, address += size) {
		uint64_t child;

		if (!f->present(entry[i]))
			continue;
		if (f->is_page(entry[i], level)) {
			set_entry(&entry[i], 0);
			continue;
		}
		child = f->physical(entry[i], level);
		clear(p, child, level - 1, address, first, last);
		if (table_empty(p, child)) {
			set_entry(&entry[i], 0);
			p->memory->release(p->memory->context, child);
		}
	}
}

int paging_unmap(struct paging *p, uint64_t address, uint64_t bytes)
{
	if (!bytes || (address | bytes) % PAGING_4K || !strip(p, &address, bytes))
		return PAGING_INVALID;
	if (split_at(p, address) || split_at(p, address + bytes))
		return PAGING_NO_TABLE;
	clear(p, p->root, p->format->levels, 0, address, address + bytes - 1);
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
		if (!f->present(entry[i]) && page_fits(f, m, level)) {
			set_entry(&entry[i], f->page(m->physical, m->flags, level));
			m->address += size;
			m->physical += size;
			m->bytes -= size;
			continue;
		}
		if (!f->present(entry[i])) {
			uint64_t child = allocate(p);

			if (!child)
				return PAGING_NO_TABLE;
			set_entry(&entry[i], f->table(child));
		}
		if (map_in_table(p, f->physical(entry[i], level), level - 1, m))
			return PAGING_NO_TABLE;
	}
	return PAGING_OK;
}

int paging_map(struct paging *p, uint64_t address, uint64_t physical, uint64_t bytes, unsigned flags)
{
	uint64_t physical_end = 1ull << p->format->physical_bits;
	struct mapping m;

	if (!bytes || (address | physical | bytes) % PAGING_4K || !strip(p, &address, bytes) ||
	    physical >= physical_end || bytes > physical_end - physical || !p->format->flags_valid(flags))
		return PAGING_INVALID;
	if (!range_free(p, address, bytes))
		return PAGING_BUSY;

	m = (struct mapping){ address, physical, bytes, flags };
	if (map_in_table(p, p->root, p->format->levels, &m)) {
		/* Nothing was there before, so taking all of it away is what was there before. */
		clear(p, p->root, p->format->levels, 0, address, address + bytes - 1);
		return PAGING_NO_TABLE;
	}
	return PAGING_OK;
}

/* ---- whole tables ---------------------------------------------------------------------------- */

int paging_create(struct paging *p, const struct paging_format *format, const struct paging_memory *memory)
{
	*p = (struct paging){ .format = format, .memory = memory };
	p->root = allocate(p);
	return p->root ? PAGING_OK : PAGING_NO_TABLE;
}

/* Counts `table` and those below it, and releases them if `release`. */
static uint64_t each_table(const struct paging *p, uint64_t table, unsigned level, bool release)
{
	const struct paging_format *f = p->format;
	uint64_t *entry = entries(p, table), count = 1;

	for (unsigned i = 0; i < ENTRIES; i++) {
		if (f->present(entry[i]) && !f->is_page(entry[i], level))
			count += each_table(p, f->physical(entry[i], level), level - 1, release);
	}
	if (release)
		p->memory->release(p->memory->context, table);
	return count;
}

uint64_t paging_tables(const struct paging *p)
{
	return each_table(p, p->root, p->format->levels, false);
}

void paging_destroy(struct paging *p)
{
	each_table(p, p->root, p->format->levels, true);
	p->root = 0;
}
