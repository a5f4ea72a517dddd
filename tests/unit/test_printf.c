#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>
#include "kernel/printf.h"

/* Both must say the same; the C library is the judge. */
#define SAME(...)                                                      \
	do {                                                           \
		char ours[200], theirs[200];                           \
		int n = format(ours, sizeof(ours), __VA_ARGS__);       \
		int m = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		assert_string_equal(ours, theirs);                     \
		assert_int_equal(n, m);                                \
	} while (0)

static void test_numbers(void **state)
{
	(void)state;
	SAME("%d %d %d %i", 0, 1, -1, 42);
	SAME("%d %d", INT_MAX, INT_MIN);
	SAME("%ld %ld %lld", LONG_MAX, LONG_MIN, LLONG_MIN);
	SAME("%u %lu %llu %zu", UINT_MAX, ULONG_MAX, ULLONG_MAX, (size_t)7);
	SAME("%x %X %lx", 0xdeadbeefu, 0xdeadbeefu, 0x123456789abcdef0ul);
	SAME("%p", (void *)0x1234);
	SAME("%hu %hx", 0x1234, 0x1234);
}

static void test_widths(void **state)
{
	(void)state;
	SAME("[%5d] [%-5d] [%05d] [%05d]", 42, 42, 42, -42);
	SAME("[%2d] [%016lx] [%-8x] [%*u]", 12345, 0xabcul, 0xab, 6, 7u);
	SAME("[%10s] [%-10s] [%.3s] [%.*s] [%8.2s]", "ab", "ab", "abcdef", 2, "xyz", "pq");
	SAME("[%c] [%3c] [%%]", 'x', 'y');
}

static void test_text_without_end(void **state)
{
	char raw[3] = { 'a', 'b', 'c' };

	(void)state;
	SAME("%.3s", raw);
	SAME("%.*s", 0, raw);
}

static void test_truncation(void **state)
{
	char buffer[8];

	(void)state;
	memset(buffer, 'Z', sizeof(buffer));
	assert_int_equal(format(buffer, 5, "%s", "123456789"), 9);
	assert_memory_equal(buffer, "1234\0ZZZ", 8);
	assert_int_equal(format(buffer, 1, "%d", 55), 2);
	assert_int_equal(buffer[0], 0);
	assert_int_equal(format(NULL, 0, "%1000d", 1), 1000);
}

static void test_bad_formats(void **state)
{
	char buffer[64];
	/* Not constants, so that the compiler does not see what is wrong with them. */
	const char *volatile unknown = "%q %", *volatile null_text = NULL;
	const char *volatile huge = "%99999999999d";

	(void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	format(buffer, sizeof(buffer), unknown);
	assert_string_equal(buffer, "%q %");
	format(buffer, sizeof(buffer), "%s", null_text);
	assert_string_equal(buffer, "(null)");
	assert_true(format(buffer, sizeof(buffer), huge, 1) > 1000);
#pragma GCC diagnostic pop
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),		 cmocka_unit_test(test_widths),
		cmocka_unit_test(test_text_without_end), cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_bad_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
