/* JSON out and in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "guests/console/api/json_read.h"
#include "guests/console/api/json_write.h"

static char out[4096];

static void writes(void **state)
{
	struct text text = text_in(out, sizeof(out) - 1);
	struct json json = json_in(&text, false);

	(void)state;
	json_open(&json, NULL, '{');
	json_string(&json, "s", "a\"b\\c\n\r\t\x01\x7f \xc3\xa4 \xff \xed\xa0\x80 \xf0\x9f\x98\x80");
	json_number(&json, "n", UINT64_MAX);
	json_open(&json, "a", '[');
	json_bool(&json, NULL, true);
	json_bool(&json, NULL, false);
	json_null(&json, NULL);
	json_open(&json, NULL, '{');
	json_close(&json, '}');
	json_close(&json, ']');
	json_text(&json, "t", "a\0b", 3);
	json_base64(&json, "b", "", 0);
	json_base64(&json, "c", "f", 1);
	json_base64(&json, "d", "fo", 2);
	json_base64(&json, "e", "foobar\xff", 7);
	json_close(&json, '}');
	out[text.used] = 0;
	assert_string_equal(out, "{\"s\":\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f \xc3\xa4 \xef\xbf\xbd "
				 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xf0\x9f\x98\x80\","
				 "\"n\":18446744073709551615,\"a\":[true,false,null,{}],\"t\":\"a\\u0000b\","
				 "\"b\":\"\",\"c\":\"Zg==\",\"d\":\"Zm8=\",\"e\":\"Zm9vYmFy/w==\"}");
	assert_false(text.cut);
}

static void tells_what_is_cut(void **state)
{
	struct text text = text_in(out, 5);
	struct json json = json_in(&text, true);

	(void)state;
	json_string(&json, NULL, "123");
	assert_true(text.cut && text.used == 5);
}

static bool reads(const char *text)
{
	struct json_value value;
	struct json_error error = { 0 };

	if (json_read(text, strlen(text), &value, &error))
		return true;
	assert_non_null(error.what);
	assert_true(error.at <= strlen(text));
	return false;
}

static void right(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		" [ ] ",
		"{\"a\":1}",
		"\t{ \"a\" : [ 1 , 2 ] , \"b\" : { } }\r\n",
		"0",
		"-0",
		"10.5e+3",
		"1E5",
		"\"\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00\xc3\xa4\"",
		"true",
		"false",
		"null",
		"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
		"[[],{},[{}]]",
		"{\"a\":1,\"a\":2}",
		"\"\x7f\"",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!reads(texts[i]))
			fail_msg("%s", texts[i]);
}

static void wrong(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"{",
		"}",
		"[",
		"]",
		"[1",
		"[1,",
		"[1,]",
		"[,1]",
		"[1 2]",
		"{1:2}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\" 1}",
		"{\"a\":1,}",
		"{,}",
		"{\"a\":1]",
		"[1}",
		"01",
		"-",
		"+1",
		".5",
		"1.",
		"1e",
		"1e+",
		"0x1",
		"NaN",
		"tru",
		"True",
		"nul",
		"'a'",
		"\"",
		"\"a",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\\ud800\"",
		"\"\\udc00\"",
		"\"\\ud800\\u0041\"",
		"\"\n\"",
		"\"\xff\"",
		"\"\xc3\"",
		"\"\xc0\xaf\"",
		"{} {}",
		"1 1",
		"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
		"{}x",
		"//",
		"\xef\xbb\xbf{}",
		"\"\\",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (reads(texts[i]))
			fail_msg("%s", texts[i]);
	assert_false(reads("[\0]"));
}

static void deep(void **state)
{
	static char text[20001];
	struct json_value value;
	struct json_error error;

	(void)state;
	memset(text, '[', 10000);
	memset(text + 10000, ']', 10000);
	assert_false(json_read(text, 20000, &value, &error));
	assert_int_equal(error.at, JSON_DEPTH + 1);
	assert_string_equal(error.what, "it is nested too deeply");
}

static void looks_up(void **state)
{
	static const char text[] = " { \"a\" : \"x\\u00e4\\ud83d\\ude00\\n\\/\" ,\"b\":[1, 22 "
				   ",\"c\"],\"c\":9007199254740991, \"d\":{}, \"e\":-1}";
	struct json_value all, key, value, element;
	struct json_place next = { 0 }, inner = { 0 };
	struct json_error error;
	char string[32];
	uint64_t number;

	(void)state;
	assert_true(json_read(text, strlen(text), &all, &error));
	assert_int_equal(json_type(&all), JSON_OBJECT);
	assert_true(json_next(&all, &next, &key, &value));
	assert_true(json_get_string(&key, string, sizeof(string)));
	assert_string_equal(string, "a");
	assert_true(json_get_string(&value, string, sizeof(string)));
	assert_string_equal(string, "x\xc3\xa4\xf0\x9f\x98\x80\n/");
	assert_true(json_get_string(&value, string, strlen(string) + 1));
	assert_false(json_get_string(&value, string, strlen(string)));
	assert_false(json_get_number(&value, &number));
	assert_true(json_next(&all, &next, &key, &value));
	assert_int_equal(json_type(&value), JSON_ARRAY);
	assert_true(json_next(&value, &inner, &key, &element) && json_get_number(&element, &number) && number == 1);
	assert_true(json_next(&value, &inner, &key, &element) && json_get_number(&element, &number) && number == 22);
	assert_true(json_next(&value, &inner, &key, &element) && json_type(&element) == JSON_STRING);
	assert_false(json_next(&value, &inner, &key, &element));
	assert_true(json_next(&all, &next, &key, &value) && json_get_number(&value, &number));
	assert_true(json_next(&all, &next, &key, &value) && json_type(&value) == JSON_OBJECT);
	inner = (struct json_place){ 0 };
	assert_false(json_next(&value, &inner, &key, &element));
	assert_true(json_next(&all, &next, &key, &value) && !json_get_number(&value, &number));
	assert_false(json_next(&all, &next, &key, &value));
}

static void no_zero_in_strings(void **state)
{
	static const char text[] = "\"a\\u0000b\"";
	struct json_value value;
	struct json_error error;
	char string[32];

	(void)state;
	assert_true(json_read(text, strlen(text), &value, &error));
	assert_false(json_get_string(&value, string, sizeof(string)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),
		cmocka_unit_test(tells_what_is_cut),
		cmocka_unit_test(right),
		cmocka_unit_test(wrong),
		cmocka_unit_test(deep),
		cmocka_unit_test(looks_up),
		cmocka_unit_test(no_zero_in_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
