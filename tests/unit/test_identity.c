/* What the loader may read: tables with pages of all three sizes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "boot/identity.h"

#define GIB   (1ull << 30)
#define LARGE 0x83ull

static _Alignas(4096) uint64_t tables[4][512]; /* of levels 4 to 1 */

static uint64_t root(void) { return (uint64_t)tables[0]; }

static int setup(void **state)
{
	(void)state;
	memset(tables, 0, sizeof(tables));
	tables[0][0] = (uint64_t)tables[1] | 3;
	tables[1][0] = (uint64_t)tables[2] | 3;
	for (uint64_t i = 0; i < 512; i++) {
		tables[2][i] = i << 21 | LARGE;
		tables[3][i] = i << 12 | 3;
	}
	tables[2][0] = (uint64_t)tables[3] | 3;
	tables[1][7] = 7 * GIB | LARGE | 1ull << 63;
	return 0;
}

static void test_sizes(void **state)
{
	(void)state;
	assert_true(identity_maps(root(), 0, GIB));
	assert_true(identity_maps(root(), 0x1ff, 0x1000));
	assert_true(identity_maps(root(), GIB - 1, 1));
	assert_true(identity_maps(root(), 7 * GIB, GIB));
	assert_true(identity_maps(root(), 7 * GIB + 5, 0));
	assert_false(identity_maps(root(), GIB - 1, 2));
	assert_false(identity_maps(root(), 8 * GIB - 4, 8));
	assert_false(identity_maps(root(), 5 * GIB, 1));
}

static void test_elsewhere(void **state)
{
	(void)state;
	tables[3][5] = 6ull << 12 | 3;
	tables[2][9] = 10ull << 21 | LARGE;
	tables[1][7] = 6 * GIB | LARGE;
	assert_false(identity_maps(root(), 5ull << 12, 1));
	assert_false(identity_maps(root(), 4ull << 12, 0x2000));
	assert_true(identity_maps(root(), 4ull << 12, 0x1000));
	assert_false(identity_maps(root(), 9ull << 21, 8));
	assert_false(identity_maps(root(), 7 * GIB, 8));
	tables[3][3] = 0;
	assert_false(identity_maps(root(), 0x2fff, 2));
}

static void test_ends(void **state)
{
	(void)state;
	assert_false(identity_maps(root(), UINT64_MAX - 3, 8));
	assert_false(identity_maps(root(), 1ull << 47, 8));
	assert_false(identity_maps(root(), (1ull << 48) + 8, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sizes, setup),
		cmocka_unit_test_setup(test_elsewhere, setup),
		cmocka_unit_test_setup(test_ends, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
