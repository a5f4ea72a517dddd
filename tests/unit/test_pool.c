#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "kernel/panic.h"
#include "kernel/pool.h"

#define PAGES	 100u
#define PHYSICAL 0x40000000ull

static uint8_t *memory;
static jmp_buf panicked;

/* panic() must not return: it goes back to EXPECT_PANIC. */
void panic(const char *fmt, ...)
{
	(void)fmt;
	longjmp(panicked, 1);
}

#define EXPECT_PANIC(statement)                               \
	do {                                                  \
		if (!setjmp(panicked)) {                      \
			statement;                            \
			fail_msg("no panic: %s", #statement); \
		}                                             \
	} while (0)

static int set_up(void **state)
{
	(void)state;
	memory = aligned_alloc(4096, PAGES * 4096);
	memset(memory, 0xcc, PAGES * 4096);
	pool_init(memory, PHYSICAL, PAGES * 4096);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static void test_all_pages_once(void **state)
{
	uint8_t *page, used[PAGES] = { 0 };
	unsigned count = 0;

	(void)state;
	assert_int_equal(pool_free_bytes(), (PAGES - 1) * 4096);
	while ((page = pool_alloc(1))) {
		size_t n = (size_t)(page - memory) / 4096;

		assert_true(n < PAGES && !used[n]++);
		for (int i = 0; i < 4096; i++)
			assert_int_equal(page[i], 0);
		memset(page, 0xee, 4096);
		count++;
	}
	assert_int_equal(count, PAGES - 1);
	assert_int_equal(pool_free_bytes(), 0);
}

static void test_contiguous_and_reuse(void **state)
{
	uint8_t *a = pool_alloc(10), *b = pool_alloc(3), *c = pool_alloc(80);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	assert_null(pool_alloc(7)); /* 6 are left */
	pool_free(b, 3);
	assert_null(pool_alloc(7)); /* 9 are free, but not together */
	memset(b, 0x77, 100);
	b = pool_alloc(2);
	assert_int_equal(b[5], 0);
	pool_free(a, 10);
	a = pool_alloc(10);
	assert_non_null(a);
	assert_int_equal(pool_free_bytes(), (PAGES - 1 - 10 - 2 - 80) * 4096);
}

static void test_addresses(void **state)
{
	uint8_t *a = pool_alloc(2);

	(void)state;
	assert_int_equal(pool_physical(a + 5), PHYSICAL + (uint64_t)(a - memory) + 5);
	assert_ptr_equal(pool_virtual(pool_physical(a + 4097)), a + 4097);
	EXPECT_PANIC(pool_virtual(PHYSICAL - 1));
	EXPECT_PANIC(pool_virtual(PHYSICAL + PAGES * 4096));
	EXPECT_PANIC(pool_physical(memory - 1));
	EXPECT_PANIC(pool_physical(memory + PAGES * 4096));
}

/* Last: a panic leaves the pool locked. */
static void test_double_free(void **state)
{
	void *a = pool_alloc(2);

	(void)state;
	EXPECT_PANIC(pool_free((uint8_t *)a + 1, 1));
	pool_free(a, 2);
	EXPECT_PANIC(pool_free(a, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_pages_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_contiguous_and_reuse, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_double_free, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
