/* What the console tells of its network, and where its random numbers come from. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "guests/console/contact.h"
#include "guests/console/tls/entropy.h"
#include "guests/lib/bh.h"

#define HZ 1000000u

static uint64_t now, drawn;
static unsigned cpu, draws;
static uint64_t (*source)(void);

int64_t bh_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	(void)number, (void)a, (void)b, (void)c, (void)d, (void)e;
	return 0;
}

const struct bh_info *bh_info(void)
{
	static const struct bh_info info = { .tsc_hz = HZ };

	return &info;
}

/* No jitter: what differs then comes from elsewhere. */
uint64_t bh_rdtsc(void) { return now; }

unsigned bh_vcpu(void) { return 0; }

unsigned entropy_fake_cpu(void) { return cpu; }

bool entropy_fake_number(uint64_t *number)
{
	draws++;
	*number = source();
	return *number != 7; /* stands for one that was not ready */
}

static uint64_t counts(void) { return 1000 + ++drawn; }
static uint64_t never(void) { return 7; }
static uint64_t ones(void) { return UINT64_MAX; }
static uint64_t same(void) { return 12345; }
static uint64_t seldom(void) { return ++drawn % 5 ? 7 : 1000 + drawn; }

static void start(unsigned kind, uint64_t (*from)(void))
{
	cpu = kind;
	source = from;
	entropy_start();
}

static void the_cpus_numbers_are_used(void **state)
{
	uint8_t a[80], b[80];

	(void)state;
	for (unsigned kind = 1; kind <= 2; kind++) {
		start(kind, counts);
		assert_null(entropy_problem());
		entropy_fill(a, sizeof(a));
		entropy_fill(b, sizeof(b));
		assert_memory_not_equal(a, b, sizeof(a));
		assert_memory_not_equal(a, a + 32, 32);
		assert_true(draws > 0);
	}
	start(2, seldom);
	assert_null(entropy_problem());
	assert_int_not_equal(entropy_word(), entropy_word());
}

static void a_missing_or_broken_source_is_told(void **state)
{
	static uint64_t (*const broken[])(void) = { never, ones, same };
	uint8_t bytes[32];

	(void)state;
	start(0, counts);
	assert_non_null(strstr(entropy_problem(), "neither RDSEED, RDRAND nor EFI_RNG"));
	for (unsigned i = 0; i < 3; i++) {
		start(1, counts);
		assert_null(entropy_problem());
		source = broken[i];
		entropy_fill(bytes, sizeof(bytes));
		assert_non_null(strstr(entropy_problem(), "has stopped"));
	}
}

static void what_is_added_counts(void **state)
{
	uint32_t first, second;

	(void)state;
	start(0, counts);
	entropy_add("firmware", 8);
	first = entropy_word();
	start(0, counts);
	entropy_add("firmware", 8);
	second = entropy_word();
	/* The pool is not cleared by a start: even the same is not the same twice. */
	assert_int_not_equal(first, second);
}

/* The last of these tests: a seed stays. */
static void the_firmwares_seed_is_enough(void **state)
{
	static const uint8_t seed[64] = { 1, 2, 3 };
	uint8_t bytes[32];

	(void)state;
	start(0, counts);
	assert_non_null(entropy_problem());
	entropy_seed(seed, sizeof(seed));
	assert_null(entropy_problem());
	start(1, counts);
	source = never;
	entropy_fill(bytes, sizeof(bytes));
	assert_null(entropy_problem());
}

/* What is shown once is wiped; what finds no room is left out. */
static void notes_come_once(void **state)
{
	char text[CONTACT_TEXT_BYTES], long_text[300];
	unsigned shown = 0;

	(void)state;
	contact_note("token %s", "bh_1");
	contact_note("%s:%u: wrong", "tokens.txt", 3u);
	assert_true(contact_next(text));
	assert_string_equal(text, "console: token bh_1");
	assert_true(contact_next(text));
	assert_string_equal(text, "console: tokens.txt:3: wrong");
	assert_false(contact_next(text));
	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = 0;
	for (unsigned i = 0; i < 100; i++)
		contact_note("%s", long_text);
	while (contact_next(text)) {
		assert_int_equal(strlen(text), CONTACT_TEXT_BYTES - 1);
		shown++;
	}
	assert_in_range(shown, 8, 20);
}

static void news_come_once(void **state)
{
	char text[CONTACT_TEXT_BYTES];

	(void)state;
	now = 1;
	assert_null(contact_network());
	assert_false(contact_next(text));
	contact_set_network("lan");
	contact_set_address(0, "10.0.2.15");
	assert_true(contact_next(text));
	assert_string_equal(text, "console: https://10.0.2.15/ on lan");
	assert_false(contact_next(text));
	contact_set_address(0, "10.0.2.15");
	assert_false(contact_next(text));
	contact_set_fingerprint("AB:CD");
	contact_set_problem("no luck");
	assert_true(contact_next(text));
	assert_string_equal(text, "console: no luck");
	assert_true(contact_next(text));
	assert_string_equal(text, "console: SHA-256 AB:CD");
	assert_false(contact_next(text));
}

/* A hostile network gives another address all the time: a line a second at most. */
static void news_do_not_flood(void **state)
{
	char text[CONTACT_TEXT_BYTES], address[16];
	unsigned lines = 0;

	(void)state;
	now = 10 * HZ;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(address, sizeof(address), "10.0.0.%u", i % 250);
		contact_set_address(1, "");
		contact_set_address(1, address);
		lines += contact_next(text);
		now += HZ / 100;
	}
	assert_in_range(lines, 9, 11);
	contact_set_address(1, "");
	now += HZ;
	assert_false(contact_next(text));
	assert_string_equal(contact_address(1), "");
}

static uint64_t twice(unsigned argument) { return 2u * argument; }

static void pools_are_listed_as_added(void **state)
{
	struct contact_pool pool = { "ip.heap_bytes", 100, twice, 0 };

	(void)state;
	assert_null(contact_pool(0));
	for (pool.argument = 0; pool.argument < CONTACT_POOLS + 1; pool.argument++)
		contact_add_pool(&pool);
	for (unsigned i = 0; i < CONTACT_POOLS; i++)
		assert_int_equal(contact_pool(i)->used(contact_pool(i)->argument), 2 * i);
	assert_null(contact_pool(CONTACT_POOLS));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cpus_numbers_are_used),
		cmocka_unit_test(a_missing_or_broken_source_is_told),
		cmocka_unit_test(the_firmwares_seed_is_enough),
		cmocka_unit_test(notes_come_once),
		cmocka_unit_test(what_is_added_counts),
		cmocka_unit_test(news_come_once),
		cmocka_unit_test(news_do_not_flood),
		cmocka_unit_test(pools_are_listed_as_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
