/* The table of addresses, and token buckets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "guests/net/bytes.h"
#include "guests/net/police.h"
#include "guests/net/table.h"

#define AGE 300u

static struct bh_mac_entry list[BH_NETWORK_MACS];

static int setup(void **state)
{
	(void)state;
	table_start(12345, AGE);
	return 0;
}

static void fixed_entries(void **state)
{
	(void)state;
	assert_true(table_fix(1, 10, 0x111, 5));
	assert_false(table_fix(1, 10, 0x111, 6));
	assert_true(table_fix(1, 11, 0x111, 6));
	assert_true(table_fix(2, 10, 0x111, 7));
	table_divide(1ull << 8);
	assert_int_equal(table_find(1, 10, 0x111, 0), 5);
	assert_int_equal(table_find(1, 11, 0x111, UINT64_MAX), 6);
	assert_int_equal(table_find(2, 10, 0x111, 0), 7);
	assert_int_equal(table_find(2, 11, 0x111, 0), TABLE_NOBODY);
	assert_int_equal(table_find(0, 10, 0x111, 0), TABLE_NOBODY);
	assert_false(table_learn(1, 10, 0x111, 8, 0));
	assert_true(table_learn(1, 10, 0x111, 5, 0));
	table_forget(5);
	assert_int_equal(table_find(1, 10, 0x111, 0), 5);
}

static void learned_entries_age_and_move(void **state)
{
	(void)state;
	table_divide(3);
	assert_true(table_learn(0, 0, 7, 0, 1000));
	assert_int_equal(table_find(0, 0, 7, 1000 + AGE), 0);
	assert_int_equal(table_find(0, 0, 7, 1001 + AGE), TABLE_NOBODY);
	table_learn(0, 0, 7, 0, 1200);
	assert_int_equal(table_find(0, 0, 7, 1001 + AGE), 0);
	table_learn(0, 0, 7, 1, 1300);
	assert_int_equal(table_find(0, 0, 7, 1300), 1);
	assert_int_equal(table_list(list, 1310, 10), 1);
	assert_int_equal(list[0].age, 1);
	assert_int_equal(list[0].port, 1);
	table_forget(1);
	assert_int_equal(table_find(0, 0, 7, 1300), TABLE_NOBODY);
	assert_int_equal(table_list(list, 1310, 10), 0);
	/* A port that owns no part learns nothing. */
	table_learn(0, 0, 7, 2, 1300);
	assert_int_equal(table_find(0, 0, 7, 1300), TABLE_NOBODY);
}

/* Whoever floods the table forgets its own addresses, and nobody else's. */
static void a_flood_costs_nobody_else_anything(void **state)
{
	const uint64_t one = 1;

	(void)state;
	for (unsigned port = 0; port < 30; port++)
		assert_true(table_fix(0, 0, 0x1000 + port, port));
	table_divide(one << 30 | one << 31 | one << 32);
	for (unsigned i = 0; i < 300; i++)
		assert_true(table_learn(0, 0, 0x2000 + i, 30, 5));
	for (uint64_t i = 0; i < 100000; i++)
		table_learn(0, (unsigned)(i % 4095), 0x99990000 + i * 7919, 31, 6);
	for (unsigned port = 0; port < 30; port++)
		assert_int_equal(table_find(0, 0, 0x1000 + port, 7), port);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(table_find(0, 0, 0x2000 + i, 7), 30);
	assert_int_equal(table_find(0, 99999 % 4095, 0x99990000 + 99999ull * 7919, 7), 31);
	assert_int_equal(table_list(list, 7, 1), 30 + 300 + (BH_NETWORK_MACS - 30) / 3);
	table_learn(0, 0, 0x3000, 32, 7);
	assert_int_equal(table_find(0, 0, 0x3000, 7), 32);
}

static void a_full_table_is_listed(void **state)
{
	(void)state;
	for (unsigned port = 0; port < BH_PORT_NUMBERS; port++)
		assert_true(table_fix(7, TABLE_VLAN_ANY, 0xffffffffff00ull + port, port));
	table_divide(1);
	for (uint64_t i = 1; i < 3000; i++)
		table_learn(3, 4094, i, 0, 100);
	assert_int_equal(table_list(list, 100, 1), BH_NETWORK_MACS);
	assert_int_equal(list[0].network, 7);
	assert_int_equal(list[0].vlan, 0);
	assert_int_equal(bytes_mac(list[5].mac), 0xffffffffff05ull);
	assert_int_equal(list[BH_PORT_NUMBERS].network, 3);
	assert_int_equal(list[BH_PORT_NUMBERS].vlan, 4094);
}

/* ---- buckets ------------------------------------------------------------------------------------- */

#define HZ 2400000000ull

/* Bytes that pass in `ticks` when there is always a frame of `bytes`. */
static uint64_t passes(struct bucket *bucket, uint64_t start, uint64_t ticks, uint32_t bytes)
{
	uint64_t now = start, passed = 0;

	while (now - start < ticks) {
		uint64_t wait = bucket_wait(bucket, now);

		now += wait;
		if (wait)
			continue;
		bucket_take(bucket, bytes, now);
		passed += bytes;
	}
	return passed;
}

static void keeps_the_rate(void **state)
{
	static const uint64_t rates[] = { 10000, 1000000, 125000000, 1250000000, 12500000000 };
	struct bucket bucket;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		for (uint32_t bytes = 64; bytes < 65536; bytes *= 3) {
			uint64_t seconds = i < 3 ? 8 : 1, passed;

			if (rates[i] / bytes > 20000000)
				continue;
			bucket_start(&bucket, rates[i], 100000, HZ);
			passed = passes(&bucket, 777 * HZ, seconds * HZ, bytes);
			assert_true(passed <= seconds * rates[i] + rates[i] / 500 + 100000 + 2 * bytes);
			assert_true(passed + bytes >= seconds * rates[i] - rates[i] / 500);
		}
}

static void the_burst_comes_at_once(void **state)
{
	struct bucket bucket;
	uint64_t passed = 0;

	(void)state;
	bucket_start(&bucket, 1000000, 50000, HZ);
	for (; !bucket_wait(&bucket, HZ); passed += 1000)
		bucket_take(&bucket, 1000, HZ);
	assert_in_range(passed, 50000, 52000);
	/* Time that was not used does not add up to more. */
	for (passed = 0; !bucket_wait(&bucket, 1000 * HZ); passed += 1000)
		bucket_take(&bucket, 1000, 1000 * HZ);
	assert_in_range(passed, 50000, 52000);
}

static void limits_of_buckets(void **state)
{
	struct bucket bucket;

	(void)state;
	bucket_start(&bucket, 0, 0, HZ);
	bucket_take(&bucket, BUCKET_TAKE_MAX, 5);
	assert_int_equal(bucket_wait(&bucket, 5), 0);
	bucket_start(&bucket, 1, 0, HZ); /* one a second */
	assert_int_equal(bucket_wait(&bucket, 0), 0);
	bucket_take(&bucket, 1, 0);
	assert_in_range(bucket_wait(&bucket, 0), HZ - 1, HZ);
	bucket_take(&bucket, BUCKET_TAKE_MAX, 0);
	assert_true(bucket_wait(&bucket, 0) > HZ);
	bucket_start(&bucket, UINT64_MAX, UINT64_MAX, HZ);
	bucket_take(&bucket, BUCKET_TAKE_MAX, 5);
	assert_int_equal(bucket_wait(&bucket, 5), 0);
	bucket_start(&bucket, 1, UINT64_MAX, 10 * HZ);
	assert_int_equal(bucket_wait(&bucket, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fixed_entries, setup),
		cmocka_unit_test_setup(learned_entries_age_and_move, setup),
		cmocka_unit_test_setup(a_flood_costs_nobody_else_anything, setup),
		cmocka_unit_test_setup(a_full_table_is_listed, setup),
		cmocka_unit_test(keeps_the_rate),
		cmocka_unit_test(the_burst_comes_at_once),
		cmocka_unit_test(limits_of_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
