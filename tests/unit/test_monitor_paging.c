/* test_monitor_paging.c: bounds of guest memory, and walks through all kinds of page tables, good and bad. */
#include "monitor_host.h"
#include "guests/lib/guest_paging.h"
#include "guests/monitor/guest_memory.h"

#define RAM	 (16ull << 20)
#define PRESENT	 1ull
#define WRITABLE 2ull
#define USER	 4ull
#define LARGE	 0x80ull
#define NX	 (1ull << 63)

static struct guest_memory memory;
static struct bh_vcpu_state state;

static void put64(uint64_t address, uint64_t value) { assert_true(guest_memory_write(&memory, address, &value, 8)); }

static void put32(uint64_t address, uint32_t value) { assert_true(guest_memory_write(&memory, address, &value, 4)); }

/* The address that `linear` means, or UINT64_MAX. */
static uint64_t walk(uint64_t linear, unsigned access)
{
	uint64_t address;

	return guest_paging_translate(&memory.reader, &state, linear, access, &address) ? address : UINT64_MAX;
}

static int setup(void **unused)
{
	(void)unused;
	host_reset();
	memset(memory.window, 0, RAM);
	memset(&state, 0, sizeof(state));
	state.cr0 = 0x80010001; /* PG, WP, PE */
	return 0;
}

static void set_64bit(void)
{
	state.cr4 = 0x20;
	state.efer = 0xd00; /* NXE, LMA, LME */
	state.cr3 = 0x1000;
	put64(0x1000, 0x2000 | PRESENT | WRITABLE | USER);
	put64(0x2000, 0x3000 | PRESENT | WRITABLE | USER);
	put64(0x3000, 0x4000 | PRESENT | WRITABLE | USER);
}

static void test_memory_bounds(void **unused)
{
	(void)unused;
	uint8_t byte = 0;

	assert_ptr_equal(guest_memory_at(&memory, RAM - 4, 4), memory.window + RAM - 4);
	assert_null(guest_memory_at(&memory, RAM - 4, 5));
	assert_null(guest_memory_at(&memory, RAM, 1));
	assert_null(guest_memory_at(&memory, 0, 0));
	assert_null(guest_memory_at(&memory, 0, RAM + 1));
	assert_null(guest_memory_at(&memory, UINT64_MAX, 2));
	assert_null(guest_memory_at(&memory, 1, UINT64_MAX));
	assert_false(guest_memory_read(&memory, RAM, &byte, 1));
	assert_false(guest_memory_write(&memory, RAM, &byte, 1));
}

/* 5 GiB: 3 below the hole, 2 above 4 GiB. Nothing is touched, so the pointers may be anything. */
static void test_memory_hole(void **unused)
{
	(void)unused;
	struct guest_memory big;
	uint8_t *window = (uint8_t *)0x100000000000;

	guest_memory_init(&big, window, 5ull << 30);
	assert_int_equal(big.low_bytes, BH_GUEST_LOW_MAX);
	assert_int_equal(big.high_bytes, 2ull << 30);
	assert_ptr_equal(guest_memory_at(&big, 0xbffffff8, 8), window + 0xbffffff8);
	assert_null(guest_memory_at(&big, 0xbffffff8, 9));
	assert_null(guest_memory_at(&big, 0xfec00000, 4));
	assert_null(guest_memory_at(&big, 0xfffffffc, 8));
	assert_ptr_equal(guest_memory_at(&big, 0x100000000, 8), window + 0x100000000);
	assert_ptr_equal(guest_memory_at(&big, 0x17ffffff8, 8), window + 0x17ffffff8);
	assert_null(guest_memory_at(&big, 0x17ffffff8, 9));
	assert_null(guest_memory_at(&big, 0x180000000, 1));
}

static void test_no_paging(void **unused)
{
	(void)unused;
	state.cr0 = 0;
	assert_int_equal(walk(0x12345, 0), 0x12345);
	assert_int_equal(walk(0x1ffffffff, GUEST_WRITE), 0xffffffff);
}

static void test_64bit(void **unused)
{
	(void)unused;
	set_64bit();
	put64(0x4000 + 8 * 5, 0xfee00000 | PRESENT | WRITABLE);
	assert_int_equal(walk(0x5abc, GUEST_WRITE), 0xfee00abc); /* need not be RAM */
	assert_true(walk(0x6000, 0) == UINT64_MAX);
	put64(0x3000 + 8, 0x40000000 | PRESENT | LARGE | 1ull << 12 /* PAT */);
	assert_int_equal(walk(0x2abcde, 0), 0x400abcde);
	put64(0x2000 + 8 * 2, 0x1c0000000 | PRESENT | LARGE);
	assert_int_equal(walk(0x80000000 + 0x12345678, 0), 0x1c0000000 + 0x12345678);
	assert_true(walk(0x800000000000, 0) == UINT64_MAX); /* not canonical */
	put64(0x1000 + 8 * 511, 0x2000 | PRESENT);
	assert_int_equal(walk(0xffffff8000005123, 0), 0xfee00123);
	/* Bit 7 of the highest level is no page size. */
	put64(0x1000 + 8, 0x2000 | PRESENT | LARGE);
	assert_int_equal(walk(0x8000005123, 0), 0xfee00123);
}

static void test_rights(void **unused)
{
	(void)unused;
	set_64bit();
	put64(0x4000, 0x7000 | PRESENT | NX);
	put64(0x4008, 0x8000 | PRESENT | WRITABLE);
	assert_true(walk(0, GUEST_WRITE) == UINT64_MAX);
	assert_true(walk(0, GUEST_FETCH) == UINT64_MAX);
	assert_int_equal(walk(0x1000, GUEST_WRITE), 0x8000);
	assert_int_equal(walk(0x1000, GUEST_FETCH), 0x8000);
	state.cr0 &= ~0x10000ull; /* without WP the supervisor may write */
	assert_int_equal(walk(0, GUEST_WRITE), 0x7000);
	state.efer &= ~0x800ull;
	assert_int_equal(walk(0, GUEST_FETCH), 0x7000);
	state.segment[BH_SS].access = 3 << 5; /* ring 3 */
	assert_true(walk(0x1000, 0) == UINT64_MAX);
	put64(0x4008, 0x8000 | PRESENT | USER);
	assert_int_equal(walk(0x1000, 0), 0x8000);
	assert_true(walk(0x1000, GUEST_WRITE) == UINT64_MAX);
	put64(0x1000, 0x2000 | PRESENT | WRITABLE); /* any level can take it away */
	assert_true(walk(0x1000, 0) == UINT64_MAX);
}

static void test_pae(void **unused)
{
	(void)unused;
	state.cr4 = 0x20;
	state.cr3 = 0x1020; /* 32-byte aligned */
	put64(0x1020 + 8 * 3, 0x2000 | PRESENT);
	put64(0x2000 + 8 * 511, 0x3000 | PRESENT | WRITABLE | USER);
	put64(0x3000 + 8 * 511, 0x5000 | PRESENT | WRITABLE | USER);
	assert_int_equal(walk(0xffffffff, GUEST_WRITE), 0x5fff);
	assert_int_equal(walk(0x1ffffffff, 0), 0x5fff); /* linear addresses have 32 bits */
	put64(0x2000, 0x600000 | PRESENT | LARGE);
	assert_int_equal(walk(0xc0012345, 0), 0x612345);
	/* Bit 7 of a PDPTE is reserved, not a page size. */
	put64(0x1020, 0x2000 | PRESENT | LARGE);
	assert_int_equal(walk(0x12345, 0), 0x612345);
}

static void test_32bit(void **unused)
{
	(void)unused;
	state.cr3 = 0x1000;
	put32(0x1000 + 4 * 1023, 0x2000 | PRESENT | WRITABLE | USER);
	put32(0x2000 + 4 * 1, 0x9000 | PRESENT);
	assert_int_equal(walk(0xffc01abc, 0), 0x9abc);
	assert_true(walk(0xffc01abc, GUEST_WRITE) == UINT64_MAX);
	put32(0x1000, 0x00c00000 | PRESENT | LARGE | 1 << 13);
	assert_true(walk(0x12345, 0) == UINT64_MAX); /* without PSE it is a table, and empty */
	state.cr4 = 0x10;
	assert_int_equal(walk(0x12345, 0), 0x100c12345); /* PSE-36 */
}

/* Tables that name themselves, lie outside of memory, or hold noise. */
static void test_hostile(void **unused)
{
	(void)unused;
	set_64bit();
	put64(0x1000, 0x1000 | PRESENT | WRITABLE | USER);
	assert_int_equal(walk(0, 0), 0x1000);
	put64(0x1000, RAM | PRESENT);
	assert_true(walk(0, 0) == UINT64_MAX);
	put64(0x1000, 0x000ffffffffff000 | PRESENT);
	assert_true(walk(0, 0) == UINT64_MAX);
	state.cr3 = UINT64_MAX;
	assert_true(walk(0, 0) == UINT64_MAX);

	srand(2);
	for (uint64_t i = 0; i < RAM / 8; i++) {
		uint64_t entry = ((uint64_t)rand() << 32 ^ (uint64_t)rand()) & (RAM - 1);

		put64(8 * i, entry | PRESENT);
	}
	static const uint64_t cr4s[] = { 0, 0x10, 0x20, 0x20, 0x1020 };

	for (unsigned i = 0; i < 100000; i++) {
		state.cr4 = cr4s[i % 5];
		state.efer = i % 5 > 2 ? 0xd00 : 0;
		state.cr3 = (uint64_t)rand() & (RAM - 1);
		walk((uint64_t)rand() << 16 ^ (uint64_t)rand(), (unsigned)i & 3);
	}
}

static void test_fetch(void **unused)
{
	(void)unused;
	uint8_t bytes[15];

	set_64bit();
	put64(0x4000, 0x8000 | PRESENT);
	put64(0x4008, 0xa000 | PRESENT);
	memset(memory.window + 0x8ff8, 0x11, 8);
	memset(memory.window + 0xa000, 0x22, 16);
	assert_int_equal(guest_paging_fetch(&memory.reader, &state, 0xff8, bytes, 15), 15);
	assert_int_equal(bytes[7], 0x11);
	assert_int_equal(bytes[8], 0x22);
	assert_int_equal(guest_paging_fetch(&memory.reader, &state, 0x1ffd, bytes, 15), 3);
	assert_int_equal(guest_paging_fetch(&memory.reader, &state, 0x2000, bytes, 15), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_memory_bounds, setup), cmocka_unit_test_setup(test_memory_hole, setup),
		cmocka_unit_test_setup(test_no_paging, setup),	   cmocka_unit_test_setup(test_64bit, setup),
		cmocka_unit_test_setup(test_rights, setup),	   cmocka_unit_test_setup(test_pae, setup),
		cmocka_unit_test_setup(test_32bit, setup),	   cmocka_unit_test_setup(test_hostile, setup),
		cmocka_unit_test_setup(test_fetch, setup),
	};
	/* Exactly the RAM, so that the sanitizer sees what reaches out of it. */
	uint8_t *window = malloc(RAM);

	guest_memory_init(&memory, window, RAM);
	int result = cmocka_run_group_tests(tests, NULL, NULL);

	free(window);
	return result;
}
