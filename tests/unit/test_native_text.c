/* String functions and printf of native programs, against the host's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "guests/lib/bh_format.h"
#include <string.h>

/* The functions themselves, under other names: the sanitizer has the host's. */
#undef HOST_TEST
#define memcpy	   our_memcpy
#define memmove	   our_memmove
#define memset	   our_memset
#define memcmp	   our_memcmp
#define memchr	   our_memchr
#define strlen	   our_strlen
#define strnlen	   our_strnlen
#define strcmp	   our_strcmp
#define strncmp	   our_strncmp
#define strchr	   our_strchr
#define strrchr	   our_strrchr
#define strstr	   our_strstr
#define bh_strlcpy our_strlcpy
#include "guests/lib/bh_string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr

static void copies_as_the_host_does(void **state)
{
	(void)state;
	for (size_t from = 0; from < 20; from++) {
		for (size_t to = 0; to < 20; to++) {
			for (size_t bytes = 0; bytes < 30; bytes++) {
				char a[64], b[64];

				for (size_t i = 0; i < sizeof(a); i++)
					a[i] = b[i] = (char)(i * 7);
				memmove(a + to, a + from, bytes);
				assert_ptr_equal(our_memmove(b + to, b + from, bytes), b + to);
				assert_memory_equal(a, b, sizeof(a));
				memset(a + to, (int)from - 5, bytes);
				our_memset(b + to, (int)from - 5, bytes);
				assert_memory_equal(a, b, sizeof(a));
			}
		}
	}
}

static int sign(int value) { return (value > 0) - (value < 0); }

static void compares_and_searches(void **state)
{
	static const char *const words[] = { "", "a", "ab", "abc", "abd", "b", "cab", "\xff", "aab" };
	const size_t count = sizeof(words) / sizeof(words[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(our_strlen(words[i]), strlen(words[i]));
		assert_int_equal(our_strnlen(words[i], 2), strnlen(words[i], 2));
		assert_ptr_equal(our_strchr(words[i], 'b'), strchr(words[i], 'b'));
		assert_ptr_equal(our_strchr(words[i], 0), strchr(words[i], 0));
		assert_ptr_equal(our_strrchr(words[i], 'a'), strrchr(words[i], 'a'));
		assert_ptr_equal(our_memchr(words[i], 'b', strlen(words[i])), memchr(words[i], 'b', strlen(words[i])));
		for (size_t j = 0; j < count; j++) {
			assert_int_equal(sign(our_strcmp(words[i], words[j])), sign(strcmp(words[i], words[j])));
			assert_int_equal(sign(our_strncmp(words[i], words[j], 2)),
					 sign(strncmp(words[i], words[j], 2)));
			assert_ptr_equal(our_strstr(words[i], words[j]), strstr(words[i], words[j]));
		}
	}
	assert_int_equal(sign(our_memcmp("a\0b", "a\0c", 3)), -1);
	assert_int_equal(our_memcmp("a\0b", "a\0c", 2), 0);
}

static void strlcpy_cuts_and_ends(void **state)
{
	char to[4] = "xxx";

	(void)state;
	assert_int_equal(our_strlcpy(to, "abcdef", sizeof(to)), 6);
	assert_string_equal(to, "abc");
	assert_int_equal(our_strlcpy(to, "a", sizeof(to)), 1);
	assert_string_equal(to, "a");
	assert_int_equal(our_strlcpy(to, "zz", 0), 2);
	assert_string_equal(to, "a");
}

#define SAME(...)                                                      \
	do {                                                           \
		char ours[80], theirs[80];                             \
		int a = bh_snprintf(ours, sizeof(ours), __VA_ARGS__);  \
		int b = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		assert_string_equal(ours, theirs);                     \
		assert_int_equal(a, b);                                \
	} while (0)

static void formats_as_the_host_does(void **state)
{
	(void)state;
	SAME("plain");
	SAME("%d %i %u", -5, 2147483647, 4000000000u);
	SAME("%ld %lld %lu", INT64_MIN, (long long)INT64_MAX, UINT64_MAX);
	SAME("%zu %jd", (size_t)7, (intmax_t)-7);
	SAME("%hhd %hd %hhu %hx", (signed char)-1, (short)-2, (unsigned char)255, (short)-2);
	SAME("%x %X %#x %#X %#x", 0xabcdefu, 0xabcdefu, 0x1fu, 0x1fu, 0u);
	SAME("[%5d] [%-5d] [%05d] [%2d]", 42, 42, -42, 12345);
	SAME("[%8.3d] [%-8.3d] [%.0d]", 5, 5, 0);
	SAME("[%#010x] [%#10x] [%-#10x]", 0x12u, 0x12u, 0x12u);
	SAME("[%*d] [%-*d] [%*d]", 6, 1, 6, 2, -6, 3);
	SAME("[%s] [%6s] [%-6s] [%.2s] [%6.2s]", "abc", "abc", "abc", "abc", "abc");
	SAME("%p [%016lx] [%*u]", (void *)0x1234, 0xabcul, 6, 7u);
	SAME("[%.*s] [%.*s]", 3, "abcdef", 0, "abc");
	SAME("%.3s", (const char[3]){ 'a', 'b', 'c' }); /* no 0 at its end */
	SAME("[%c] [%3c] [%-3c] %%", 'x', 'y', 'z');
}

static void never_writes_past_the_end(void **state)
{
	char to[8];

	(void)state;
	memset(to, '#', sizeof(to));
	assert_int_equal(bh_snprintf(to, 4, "%s", "abcdef"), 6);
	assert_memory_equal(to, "abc\0####", 8);
	assert_int_equal(bh_snprintf(to, 0, "%d", 12345), 5);
	assert_memory_equal(to, "abc\0####", 8);
	assert_int_equal(bh_snprintf(NULL, 0, "%d", 123), 3);
	assert_int_equal(bh_snprintf(NULL, 0, "%1000d", 1), 1000);
}

static void prints_the_unknown_as_it_stands(void **state)
{
	char to[32];
	const char *volatile format = "%q %"; /* volatile: the compiler would rightly warn */
	const char *volatile none = NULL, *volatile huge = "%99999999999d";

	(void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the point of the test */
#pragma GCC diagnostic ignored "-Wformat-security"
	bh_snprintf(to, sizeof(to), format);
	assert_true(bh_snprintf(NULL, 0, huge, 1) > 1000);
#pragma GCC diagnostic pop
	assert_string_equal(to, "%q %");
	bh_snprintf(to, sizeof(to), "%s", none);
	assert_string_equal(to, "(null)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_as_the_host_does),   cmocka_unit_test(compares_and_searches),
		cmocka_unit_test(strlcpy_cuts_and_ends),     cmocka_unit_test(formats_as_the_host_does),
		cmocka_unit_test(never_writes_past_the_end), cmocka_unit_test(prints_the_unknown_as_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
