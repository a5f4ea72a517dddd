#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "arch/x86_64/paging.h"

/* ---- fake memory: tables have invented physical addresses, and each access is checked ----------
 */

#define TABLES	   2000u
#define FIRST	   0x7000000000ull
#define RW	   (PAGING_READ | PAGING_WRITE)
#define UPPER_HALF 0xffff800000000000ull

static uint64_t *table[TABLES];
static unsigned tables_used, tables_allowed;

static uint64_t allocate(void)
{
	if (tables_used >= tables_allowed)
		return 0;
	for (unsigned i = 0; i < TABLES; i++) {
		if (!table[i]) {
			table[i] = calloc(512, 8);
			tables_used++;
			return FIRST + i * 4096ull;
		}
	}
	return 0;
}

static unsigned number_of(uint64_t address)
{
	assert_int_equal(address % 4096, 0);
	assert_in_range(address, FIRST, FIRST + (TABLES - 1) * 4096ull);
	assert_non_null(table[(address - FIRST) / 4096]);
	return (unsigned)((address - FIRST) / 4096);
}

static void release(uint64_t address)
{
	unsigned i = number_of(address);

	free(table[i]);
	table[i] = NULL;
	tables_used--;
}

static uint64_t *access_table(uint64_t address) { return table[number_of(address)]; }

static const struct paging_memory memory = { allocate, release, access_table };
static struct paging p;

static void create(const struct paging_format *format)
{
	tables_allowed = TABLES;
	assert_int_equal(paging_create(&p, format, &memory), PAGING_OK);
}

/* Nothing leaks: without any mapping there is only the root. */
static void destroy(void)
{
	uint64_t half = 1ull << 47;

	assert_int_equal(paging_unmap(&p, 0, half), PAGING_OK);
	assert_int_equal(paging_unmap(&p, p.format->canonical ? UPPER_HALF : half, half), PAGING_OK);
	assert_int_equal(tables_used, 1);
	release(p.root);
}

static int tear_down(void **state)
{
	(void)state;
	tables_allowed = TABLES;
	destroy();
	return 0;
}

struct looked_up {
	uint64_t address;
	struct paging_page *page;
};

static bool look_up(void *context, const struct paging_page *page)
{
	struct looked_up *wanted = context;

	*wanted->page = *page;
	return wanted->address - page->address >= page->bytes;
}

/* The page that maps `address`; false: none. */
static bool lookup(uint64_t address, struct paging_page *page)
{
	struct looked_up wanted = { address, page };

	return !paging_walk(&p, look_up, &wanted);
}

static void assert_page(uint64_t address, uint64_t page, uint64_t physical, uint64_t bytes, unsigned flags)
{
	struct paging_page found;

	assert_true(lookup(address, &found));
	assert_int_equal(found.address, page);
	assert_int_equal(found.physical, physical);
	assert_int_equal(found.bytes, bytes);
	assert_int_equal(found.flags, flags);
}

static void assert_nothing(uint64_t address)
{
	struct paging_page found;

	assert_false(lookup(address, &found));
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_sizes(void **state)
{
	uint64_t base = 3 * PAGING_1G - PAGING_2M - PAGING_4K;

	(void)state;
	create(&paging_ept_1g);
	assert_int_equal(paging_map(&p, base, base, PAGING_1G + 2 * (PAGING_2M + PAGING_4K), RW), PAGING_OK);
	assert_page(base + 7, base, base, PAGING_4K, RW);
	assert_page(base + PAGING_4K, base + PAGING_4K, base + PAGING_4K, PAGING_2M, RW);
	assert_page(3 * PAGING_1G + 5, 3 * PAGING_1G, 3 * PAGING_1G, PAGING_1G, RW);
	assert_page(4 * PAGING_1G, 4 * PAGING_1G, 4 * PAGING_1G, PAGING_2M, RW);
	assert_page(4 * PAGING_1G + PAGING_2M, 4 * PAGING_1G + PAGING_2M, 4 * PAGING_1G + PAGING_2M, PAGING_4K, RW);
	assert_nothing(base - 1);
	assert_nothing(4 * PAGING_1G + PAGING_2M + PAGING_4K);
}

static void test_no_1g(void **state)
{
	(void)state;
	create(&paging_ept);
	assert_int_equal(paging_map(&p, 0, 0, PAGING_1G, RW), PAGING_OK);
	assert_page(0, 0, 0, PAGING_2M, RW);
	assert_int_equal(tables_used, 3);
}

/* As EPT: all 48 bits of a guest's addresses, none of which is sign-extended. */
static void test_npt(void **state)
{
	uint64_t all = 1ull << 48;

	(void)state;
	create(&paging_npt);
	assert_int_equal(paging_map(&p, 0, 0, PAGING_1G, RW), PAGING_OK);
	assert_page(0, 0, 0, PAGING_2M, RW);
	assert_int_equal(paging_map(&p, all / 2 - PAGING_4K, 0, 2 * PAGING_4K, RW), PAGING_OK);
	assert_page(all / 2, all / 2, PAGING_4K, PAGING_4K, RW);
	assert_int_equal(paging_map(&p, all - PAGING_4K, 0, PAGING_4K, RW | PAGING_EXECUTE), PAGING_OK);
	assert_page(all - 1, all - PAGING_4K, 0, PAGING_4K, RW | PAGING_EXECUTE);
	assert_int_equal(paging_map(&p, all, 0, PAGING_4K, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, UPPER_HALF, 0, PAGING_4K, RW), PAGING_INVALID);
	/* A split keeps every bit. */
	assert_int_equal(paging_unmap(&p, PAGING_2M, PAGING_4K), PAGING_OK);
	assert_page(PAGING_2M + PAGING_4K, PAGING_2M + PAGING_4K, PAGING_2M + PAGING_4K, PAGING_4K, RW);
	destroy();
	create(&paging_npt_1g);
	assert_int_equal(paging_map(&p, 0, PAGING_1G, PAGING_1G, RW), PAGING_OK);
	assert_page(0, 0, PAGING_1G, PAGING_1G, RW);
	assert_int_equal(paging_unmap(&p, PAGING_2M, PAGING_2M), PAGING_OK);
	assert_page(0, 0, PAGING_1G, PAGING_2M, RW);
	assert_nothing(PAGING_2M);
}

/* Same size, but not the same offset within a large page. */
static void test_misaligned_physical(void **state)
{
	(void)state;
	create(&paging_ept_1g);
	assert_int_equal(paging_map(&p, 0, PAGING_4K, PAGING_2M, RW), PAGING_OK);
	assert_page(0x5000, 0x5000, 0x6000, PAGING_4K, RW);
	assert_int_equal(paging_map(&p, PAGING_1G, PAGING_2M, PAGING_1G, RW), PAGING_OK);
	assert_page(PAGING_1G, PAGING_1G, PAGING_2M, PAGING_2M, RW);
}

/* Two mappings that meet inside of 2 MiB never become one large page. */
static void test_neighbours(void **state)
{
	(void)state;
	create(&paging_host);
	assert_int_equal(paging_map(&p, 0, 0, PAGING_2M / 2, RW | PAGING_UC), PAGING_OK);
	assert_int_equal(paging_map(&p, PAGING_2M / 2, PAGING_2M / 2, PAGING_2M / 2, RW), PAGING_OK);
	assert_page(PAGING_2M / 2 - 1, PAGING_2M / 2 - PAGING_4K, PAGING_2M / 2 - PAGING_4K, PAGING_4K, RW | PAGING_UC);
	assert_page(PAGING_2M / 2, PAGING_2M / 2, PAGING_2M / 2, PAGING_4K, RW);
}

static void test_flags(void **state)
{
	static const struct paging_format *const formats[] = { &paging_host_1g, &paging_npt_1g, &paging_ept_1g };
	static const uint64_t sizes[] = { PAGING_4K, PAGING_2M, PAGING_1G };

	(void)state;
	for (unsigned f = 0; f < 3; f++) {
		create(formats[f]);
		for (unsigned s = 0; s < 3; s++) {
			for (unsigned flags = 0; flags < 0x80; flags++) {
				bool valid = flags & PAGING_READ && !(flags & ~0x37u) &&
					     (flags & PAGING_TYPE) != PAGING_TYPE;
				int result = paging_map(&p, PAGING_1G, 2 * PAGING_1G, sizes[s], flags);

				assert_int_equal(result, valid ? PAGING_OK : PAGING_INVALID);
				if (!valid)
					continue;
				assert_page(PAGING_1G, PAGING_1G, 2 * PAGING_1G, sizes[s], flags);
				assert_int_equal(paging_unmap(&p, PAGING_1G, sizes[s]), PAGING_OK);
			}
		}
		assert_int_equal(tables_used, 1);
		if (f < 2)
			destroy();
	}
}

/*
 * The bits themselves: SDM vol. 3, tables 4-15, 4-18, 4-20 and 28-6; APM vol. 2, 5.4 and 15.25.5: as a guest's accesses
 * are a user's, tables and pages are user's; the dirty bit is set, as nobody may have to write to the tables.
 */
static void test_entries(void **state)
{
	(void)state;
	create(&paging_host);
	paging_map(&p, 0, PAGING_2M, PAGING_2M, RW);
	paging_map(&p, PAGING_2M, 0x5000, PAGING_4K, PAGING_READ | PAGING_EXECUTE);
	paging_map(&p, PAGING_2M + PAGING_4K, 0xfee00000, PAGING_4K, RW | PAGING_UC);
	assert_int_equal(table[0][0] & ~0xffful, FIRST + 4096);
	assert_int_equal(table[0][0] & 0xfff, 0x023);
	assert_int_equal(table[2][0], 0x80000000002000e3ull);
	assert_int_equal(table[3][0], 0x5061);
	assert_int_equal(table[3][1], 0x80000000fee0007bull);
	destroy();

	create(&paging_npt_1g);
	paging_map(&p, 0, PAGING_2M, PAGING_2M, RW | PAGING_EXECUTE);
	paging_map(&p, PAGING_2M, 0x5000, PAGING_4K, PAGING_READ | PAGING_EXECUTE);
	paging_map(&p, PAGING_2M + PAGING_4K, 0xfee00000, PAGING_4K, RW | PAGING_UC);
	paging_map(&p, PAGING_2M + 2 * PAGING_4K, 0x6000, PAGING_4K, PAGING_READ | PAGING_WC);
	paging_map(&p, PAGING_1G, 2 * PAGING_1G, PAGING_1G, RW | PAGING_EXECUTE);
	assert_int_equal(table[0][0], (FIRST + 4096) | 0x27);
	assert_int_equal(table[1][0], (FIRST + 2 * 4096) | 0x27);
	assert_int_equal(table[1][1], 0x800000e7);
	assert_int_equal(table[2][0], 0x2000e7);
	assert_int_equal(table[2][1], (FIRST + 3 * 4096) | 0x27);
	assert_int_equal(table[3][0], 0x5065);
	assert_int_equal(table[3][1], 0x80000000fee0007full);
	assert_int_equal(table[3][2], 0x800000000000606dull);
	destroy();

	create(&paging_ept);
	paging_map(&p, 0, PAGING_2M, PAGING_2M, RW | PAGING_EXECUTE);
	paging_map(&p, PAGING_2M, 0x5000, PAGING_4K, PAGING_READ | PAGING_UC);
	assert_int_equal(table[0][0], (FIRST + 4096) | 7);
	assert_int_equal(table[2][0], 0x2000b7);
	assert_int_equal(table[3][0], 0x5001);
}

/* VT-d 9.7; a unit may have no large pages, and be able to snoop. */
static void test_vtd(void **state)
{
	static struct paging_format format; /* also for the tear-down */

	(void)state;
	format = paging_vtd;
	create(&format);
	paging_map(&p, 0, PAGING_2M, PAGING_2M, RW);
	assert_int_equal(table[0][0], (FIRST + 4096) | 3);
	assert_int_equal(table[2][0], (FIRST + 3 * 4096) | 3);
	assert_int_equal(table[3][511], (2 * PAGING_2M - 4096) | 3);
	destroy();
	format.largest = 3;
	format.page = 1 << 11;
	create(&format);
	paging_map(&p, 0, PAGING_2M, PAGING_2M, RW);
	paging_map(&p, PAGING_2M, 0x5000, PAGING_4K, PAGING_READ);
	paging_map(&p, PAGING_1G, PAGING_1G, PAGING_1G, RW);
	assert_int_equal(table[1][1], PAGING_1G | 0x883);
	assert_int_equal(table[2][0], PAGING_2M | 0x883);
	assert_int_equal(table[3][0], 0x5801);
	assert_page(0, 0, PAGING_2M, PAGING_2M, RW);
	assert_page(PAGING_2M, PAGING_2M, 0x5000, PAGING_4K, PAGING_READ);
}

/* 48882, figures 8 and 9: the level below stands in bits 11:9, 0 for a page. */
static void test_amd_vi(void **state)
{
	const uint64_t read = 1ull << 60 | 1ull << 61, both = read | 1ull << 62, to_table = 3ull << 61;

	(void)state;
	create(&paging_amd_vi);
	paging_map(&p, 0, PAGING_2M, PAGING_2M, RW);
	paging_map(&p, PAGING_2M, 0x5000, PAGING_4K, PAGING_READ);
	paging_map(&p, PAGING_1G, 3 * PAGING_1G, PAGING_1G, RW);
	assert_int_equal(table[0][0], (FIRST + 4096) | to_table | 0x601);
	assert_int_equal(table[1][0], (FIRST + 2 * 4096) | to_table | 0x401);
	assert_int_equal(table[1][1], 3 * PAGING_1G | both | 1);
	assert_int_equal(table[2][0], PAGING_2M | both | 1);
	assert_int_equal(table[2][1], (FIRST + 3 * 4096) | to_table | 0x201);
	assert_int_equal(table[3][0], 0x5000 | read | 1);
	assert_page(0, 0, PAGING_2M, PAGING_2M, RW);
	assert_page(PAGING_2M, PAGING_2M, 0x5000, PAGING_4K, PAGING_READ);
	assert_page(PAGING_1G, PAGING_1G, 3 * PAGING_1G, PAGING_1G, RW);
	/* Splits go down level by level. */
	assert_int_equal(paging_unmap(&p, PAGING_1G + PAGING_4K, PAGING_4K), PAGING_OK);
	assert_page(PAGING_1G, PAGING_1G, 3 * PAGING_1G, PAGING_4K, RW);
	assert_nothing(PAGING_1G + PAGING_4K);
	assert_page(PAGING_1G + PAGING_2M, PAGING_1G + PAGING_2M, 3 * PAGING_1G + PAGING_2M, PAGING_2M, RW);
	assert_int_equal(table[1][1] & 0xfff, 0x401);
	assert_int_equal(paging_map(&p, PAGING_1G + PAGING_2M, 0, PAGING_4K, RW), PAGING_BUSY);
	assert_int_equal(paging_unmap(&p, PAGING_1G, PAGING_1G), PAGING_OK);
	assert_int_equal(table[1][1], 0);
}

static void test_invalid(void **state)
{
	uint64_t all = 1ull << 48;

	(void)state;
	create(&paging_ept);
	assert_int_equal(paging_map(&p, 1, 0, PAGING_4K, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, 0, 1, PAGING_4K, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, 0, 0, 1, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, 0, 0, 0, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, all, 0, PAGING_4K, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, all - PAGING_4K, 0, 2 * PAGING_4K, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, PAGING_4K, 0, (uint64_t)-PAGING_4K, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, 0, 1ull << 52, PAGING_4K, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, 0, (1ull << 52) - PAGING_4K, 2 * PAGING_4K, RW), PAGING_INVALID);
	assert_int_equal(paging_unmap(&p, 0, 0), PAGING_INVALID);
	assert_int_equal(paging_unmap(&p, all - PAGING_4K, 2 * PAGING_4K), PAGING_INVALID);
	assert_int_equal(paging_map(&p, all - PAGING_4K, 0, PAGING_4K, RW), PAGING_OK);
	assert_page(all - 1, all - PAGING_4K, 0, PAGING_4K, RW);
	assert_nothing(all);
}

static void test_canonical(void **state)
{
	(void)state;
	create(&paging_host);
	assert_int_equal(paging_map(&p, UPPER_HALF - PAGING_4K, 0, PAGING_4K, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, (1ull << 47) - PAGING_4K, 0, 2 * PAGING_4K, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, (uint64_t)-PAGING_4K, 0, 2 * PAGING_4K, RW), PAGING_INVALID);
	assert_int_equal(paging_map(&p, (uint64_t)-PAGING_4K, 0x9000, PAGING_4K, RW), PAGING_OK);
	assert_int_equal(paging_map(&p, UPPER_HALF, 0x8000, PAGING_4K, RW), PAGING_OK);
	assert_page(UINT64_MAX, (uint64_t)-PAGING_4K, 0x9000, PAGING_4K, RW);
	assert_page(UPPER_HALF, UPPER_HALF, 0x8000, PAGING_4K, RW);
	assert_nothing(0x0000fffffffff000ull);
	assert_nothing(1ull << 47);
}

static void test_busy(void **state)
{
	unsigned before;

	(void)state;
	create(&paging_ept);
	assert_int_equal(paging_map(&p, PAGING_2M * 5, 0, PAGING_4K, RW), PAGING_OK);
	before = tables_used;
	assert_int_equal(paging_map(&p, 0, 0, PAGING_2M * 10, RW), PAGING_BUSY);
	assert_int_equal(paging_map(&p, PAGING_2M * 5, 0, PAGING_4K, RW), PAGING_BUSY);
	assert_int_equal(tables_used, before);
	assert_nothing(0);
}

/* With every number of tables that is too few: an error, and nothing of the new mapping stays. */
static void test_out_of_tables(void **state)
{
	uint64_t base = PAGING_1G * 512 - PAGING_4K; /* crosses into another table at every level */
	unsigned before, needed = 0;
	int result;

	(void)state;
	create(&paging_ept_1g);
	paging_map(&p, base - 64 * PAGING_4K, 0, PAGING_4K, RW);
	before = tables_used;
	do {
		struct paging_page page;

		tables_allowed = before + needed++;
		result = paging_map(&p, base, 0, 2 * PAGING_4K, RW);
		if (result) {
			assert_int_equal(result, PAGING_NO_TABLE);
			assert_int_equal(tables_used, before);
			assert_false(lookup(base, &page));
			assert_true(lookup(base - 64 * PAGING_4K, &page));
		}
	} while (result);
	assert_int_equal(needed - 1, 3);
}

static void test_split(void **state)
{
	(void)state;
	create(&paging_ept_1g);
	assert_int_equal(paging_map(&p, 0, PAGING_1G, PAGING_1G, RW | PAGING_UC), PAGING_OK);
	assert_int_equal(paging_unmap(&p, PAGING_2M + PAGING_4K, PAGING_4K), PAGING_OK);
	assert_nothing(PAGING_2M + PAGING_4K);
	assert_page(0, 0, PAGING_1G, PAGING_2M, RW | PAGING_UC);
	assert_page(PAGING_2M, PAGING_2M, PAGING_1G + PAGING_2M, PAGING_4K, RW | PAGING_UC);
	assert_page(2 * PAGING_2M - 1, 2 * PAGING_2M - PAGING_4K, PAGING_1G + 2 * PAGING_2M - PAGING_4K, PAGING_4K,
		    RW | PAGING_UC);
	assert_page(PAGING_1G - 1, PAGING_1G - PAGING_2M, 2 * PAGING_1G - PAGING_2M, PAGING_2M, RW | PAGING_UC);
	assert_int_equal(paging_unmap(&p, 0, PAGING_1G), PAGING_OK);
	assert_int_equal(tables_used, 1);
}

static void test_split_without_tables(void **state)
{
	(void)state;
	create(&paging_ept_1g);
	paging_map(&p, 0, 0, 2 * PAGING_1G, RW);
	tables_allowed = tables_used + 3; /* four are needed: two at each end */
	assert_int_equal(paging_unmap(&p, PAGING_4K, 2 * PAGING_1G - 2 * PAGING_4K), PAGING_NO_TABLE);
	for (uint64_t a = 0; a < 2 * PAGING_1G; a += PAGING_2M / 2) {
		struct paging_page page;

		assert_true(lookup(a, &page));
		assert_int_equal(page.physical + (a - page.address), a);
	}
	tables_allowed = TABLES;
	assert_int_equal(paging_unmap(&p, PAGING_4K, 2 * PAGING_1G - 2 * PAGING_4K), PAGING_OK);
	assert_page(0, 0, 0, PAGING_4K, RW);
	assert_nothing(PAGING_4K);
	assert_page(2 * PAGING_1G - PAGING_4K, 2 * PAGING_1G - PAGING_4K, 2 * PAGING_1G - PAGING_4K, PAGING_4K, RW);
}

/* A model of the first 64 MiB, a byte a page, against thousands of random operations. */
#define MODEL_PAGES 16384u

struct model {
	uint8_t flags[MODEL_PAGES]; /* 0: nothing */
	uint32_t frame[MODEL_PAGES];
	uint64_t seen;
};

static bool check_page(void *context, const struct paging_page *page)
{
	struct model *m = context;

	for (uint64_t a = 0; a < page->bytes; a += PAGING_4K) {
		uint64_t i = (page->address + a) / PAGING_4K;

		assert_true(i >= m->seen && i < MODEL_PAGES);
		assert_int_equal(m->flags[i], page->flags);
		assert_int_equal(m->frame[i], (page->physical + a) / PAGING_4K);
		m->seen = i + 1;
	}
	return true;
}

static uint64_t pages_in(const struct model *m)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < MODEL_PAGES; i++)
		count += m->flags[i] != 0;
	return count;
}

static bool count_page(void *context, const struct paging_page *page)
{
	*(uint64_t *)context += page->bytes / PAGING_4K;
	return true;
}

static void random_operation(struct model *m)
{
	unsigned first = (unsigned)rand() % MODEL_PAGES, count = 1u << rand() % 12, step = 1;
	uint64_t frame = (unsigned)rand() % 100000;
	unsigned flags = PAGING_READ | (rand() & 0x16u);
	bool busy = false;
	int result;

	if (rand() % 2) { /* often something that large pages fit */
		step = 512;
		first &= ~511u;
		frame = (frame & ~511ull);
		count = step * (1 + (unsigned)rand() % 4);
	}
	if (first + count > MODEL_PAGES)
		count = MODEL_PAGES - first;
	if (rand() % 2) {
		assert_int_equal(paging_unmap(&p, first * PAGING_4K, count * PAGING_4K), 0);
		memset(m->flags + first, 0, count);
		return;
	}
	for (unsigned i = first; i < first + count; i++)
		busy |= m->flags[i] != 0;
	result = paging_map(&p, first * PAGING_4K, frame * PAGING_4K, count * PAGING_4K, flags);
	assert_int_equal(result, busy ? PAGING_BUSY : PAGING_OK);
	for (unsigned i = 0; !busy && i < count; i++) {
		m->flags[first + i] = (uint8_t)flags;
		m->frame[first + i] = (uint32_t)frame + i;
	}
}

static void test_random(void **state)
{
	struct model *m = calloc(1, sizeof(*m));

	(void)state;
	srand(1);
	create(&paging_host_1g);
	for (int i = 0; i < 3000; i++) {
		uint64_t count = 0;

		random_operation(m);
		m->seen = 0;
		assert_true(paging_walk(&p, check_page, m));
		assert_true(paging_walk(&p, count_page, &count));
		assert_int_equal(count, pages_in(m));
	}
	free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_sizes),	  TEST(test_no_1g),	TEST(test_misaligned_physical),
		TEST(test_neighbours),	  TEST(test_flags),	TEST(test_entries),
		TEST(test_invalid),	  TEST(test_canonical), TEST(test_busy),
		TEST(test_out_of_tables), TEST(test_split),	TEST(test_split_without_tables),
		TEST(test_random),	  TEST(test_npt),	TEST(test_vtd),
		TEST(test_amd_vi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
