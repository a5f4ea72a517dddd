/* Keys and certificates as text: base64 back to bytes, and PEM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "guests/console/base64.h"
#include "guests/console/pem.h"

static uint8_t bytes[64];
static char label[PEM_LABEL_BYTES];
static size_t count;

static bool read(const char *text, size_t size, struct base64_reader *reader)
{
	*reader = (struct base64_reader){ .to = bytes, .size = size };
	return base64_read(reader, text, strlen(text)) && base64_whole(reader);
}

/* RFC 4648, 10. */
static void base64_comes_back(void **state)
{
	static const char *const texts[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	struct base64_reader reader;

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		assert_true(read(texts[i], sizeof(bytes), &reader));
		assert_int_equal(reader.count, i);
		assert_memory_equal(bytes, "foobar", i);
	}
	assert_true(read("/+AA", 3, &reader));
	assert_int_equal(bytes[0], 0xff);
}

static void what_is_no_base64(void **state)
{
	static const char *const texts[] = {
		"Z", "Zg", "Zg=", "=", "Z===", "Zg==Zg==", "Zg=a", "Zm9v=", "Zm 9", "Zm9v-"
	};
	struct base64_reader reader;

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(read(texts[i], sizeof(bytes), &reader));
	assert_false(read("Zm9vYmFy", 5, &reader));
	assert_true(reader.full);
}

static enum pem_found find(struct pem *pem) { return pem_next(pem, label, bytes, sizeof(bytes), &count); }

static void blocks_come_in_order(void **state)
{
	static const char text[] =
		"words: before\r\n-----BEGIN EC PARAMETERS-----\r\nZm9v\r\n-----END EC PARAMETERS-----\r\n"
		"between\n\n-----BEGIN PRIVATE KEY-----\n Zm9v\t\nYmE=\n-----END PRIVATE KEY-----";
	struct pem pem = pem_of(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(find(&pem), PEM_BLOCK);
	assert_string_equal(label, "EC PARAMETERS");
	assert_true(count == 3 && pem.line == 2);
	assert_int_equal(find(&pem), PEM_BLOCK);
	assert_string_equal(label, "PRIVATE KEY");
	assert_true(count == 5 && pem.line == 7);
	assert_memory_equal(bytes, "fooba", 5);
	assert_int_equal(find(&pem), PEM_END);
}

static void wrong(const char *text, unsigned line, const char *words)
{
	struct pem pem = pem_of(text, strlen(text));

	assert_int_equal(find(&pem), PEM_WRONG);
	assert_int_equal(pem.line, line);
	assert_non_null(strstr(pem.wrong, words));
}

static void what_is_wrong_has_its_line(void **state)
{
	char many[200];

	(void)state;
	wrong("\n-----BEGIN X-----\nZm9v\n", 2, "has no end");
	wrong("-----BEGIN X-----\nZm9v\n-----END Y-----\n", 3, "another name");
	wrong("-----BEGIN X-----\nZm9v\nZm.v\n-----END X-----\n", 3, "not base64");
	wrong("-----BEGIN X-----\nZm9\n-----END X-----\n", 3, "cut");
	wrong("-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n-----END X-----\n", 2, "encrypted");
	strcpy(many, "-----BEGIN X-----\n");
	memset(many + strlen(many), 'A', 100);
	strcpy(many + 118, "\n-----END X-----\n");
	wrong(many, 2, "too long");
}

static void nothing_is_a_block(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"-----BEGIN X----",
		"----BEGIN X-----",
		"-----BEGIN -----BEGIN",
		"-----BEGIN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-----"
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pem pem = pem_of(texts[i], strlen(texts[i]));

		assert_int_equal(find(&pem), PEM_END);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_comes_back),	cmocka_unit_test(what_is_no_base64),
		cmocka_unit_test(blocks_come_in_order), cmocka_unit_test(what_is_wrong_has_its_line),
		cmocka_unit_test(nothing_is_a_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
