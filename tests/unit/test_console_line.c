/* Line editing: what is typed against the text and against what a terminal would show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "guests/console/line.h"

/* ---- a terminal of one line, as far as line.c uses one ---- */

static char screen[512];
static size_t column, widest;
static unsigned escape, number, bells, rows;

static void put_byte(char c)
{
	if (escape == 1) {
		escape = c == '[' ? 2 : 0;
		number = 0;
		return;
	}
	if (escape == 2) {
		if (c >= '0' && c <= '9') {
			number = number * 10 + (unsigned)(c - '0');
			return;
		}
		escape = 0;
		if (c == 'K')
			screen[column] = 0;
		else if (c == 'D')
			column -= number;
		else if (c == 'J')
			screen[0] = 0;
		else if (c == 'H')
			column = 0;
		else
			fail_msg("unknown sequence ending in %c", c);
		return;
	}
	switch (c) {
	case 0x1b: escape = 1; return;
	case '\r': column = 0; return;
	case '\n':
		rows++;
		screen[0] = 0;
		column = 0;
		return;
	case '\a': bells++; return;
	}
	assert_true(column <= strlen(screen));
	if (!screen[column])
		screen[column + 1] = 0;
	screen[column++] = c;
	if (column > widest)
		widest = column;
}

static void put(const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_byte(bytes[i]);
}

static unsigned complete(const char *text, size_t start, size_t end, const char **candidates, unsigned max)
{
	static const char *const words[] = { "start", "stat", "stop", "list" };
	unsigned count = 0;

	for (unsigned i = 0; i < 4 && count < max; i++)
		if (!strncmp(words[i], text + start, end - start))
			candidates[count++] = words[i];
	return count;
}

static struct line line;

static int fresh(void **state)
{
	(void)state;
	memset(screen, 0, sizeof(screen));
	column = widest = escape = bells = rows = 0;
	line_start(&line, "> ", put, complete);
	line_show(&line);
	return 0;
}

static enum line_result type(const char *keys)
{
	enum line_result result = LINE_EDITING;

	for (; *keys; keys++) {
		result = line_input(&line, *keys);
		if (result != LINE_EDITING)
			return result;
		/* The screen shows what the line holds, and the cursor stands where it is. */
		if (line.length + 2 < LINE_COLUMNS) {
			assert_memory_equal(screen, "> ", 2);
			assert_string_equal(screen + 2, line.text);
			assert_int_equal(column, line.cursor + 2);
		}
		assert_int_equal(strlen(line.text), line.length);
		assert_true(line.cursor <= line.length);
	}
	return result;
}

static void enter(const char *keys)
{
	assert_int_equal(type(keys), LINE_EDITING);
	assert_int_equal(type("\r"), LINE_DONE);
	line_next(&line);
	line_show(&line);
}

static void plain_text(void **state)
{
	(void)state;
	assert_int_equal(type("list\r"), LINE_DONE);
	assert_string_equal(line.text, "list");
}

static void moves_and_deletes(void **state)
{
	(void)state;
	type("hello");
	type("\x1b[D\x1b[D\x1b[D");
	type("XY");
	assert_string_equal(line.text, "heXYllo");
	type("\x7f");
	assert_string_equal(line.text, "heXllo");
	type("\x1b[3~");
	assert_string_equal(line.text, "heXlo");
	type("\x1b[H*\x1b[F!");
	assert_string_equal(line.text, "*heXlo!");
	type("\x01+\x05+");
	assert_string_equal(line.text, "+*heXlo!+");
	type("\x1b[1~\x1b[C\x0b");
	assert_string_equal(line.text, "+");
	type("\x1bOH<\x1bOF>");
	assert_string_equal(line.text, "<+>");
	type("\x02\x15");
	assert_string_equal(line.text, ">");
	type("\x01\x04\x04\x08\x7f\x1b[D\x06");
	assert_string_equal(line.text, "");
}

static void cuts_words(void **state)
{
	(void)state;
	type("stop linux1  ");
	type("\x17");
	assert_string_equal(line.text, "stop ");
	type("\x17\x17");
	assert_string_equal(line.text, "");
}

static void history(void **state)
{
	(void)state;
	enter("one");
	enter("two");
	enter("two"); /* the same again is not kept twice */
	enter("");
	type("dra\x1b[A");
	assert_string_equal(line.text, "two");
	type("\x1b[A");
	assert_string_equal(line.text, "one");
	type("\x1b[A\x1b[A");
	assert_string_equal(line.text, "one");
	type("\x1b[B\x1b[B");
	assert_string_equal(line.text, "dra");
	type("\x1b[B");
	assert_string_equal(line.text, "dra");
	type("\x10+\r");
	assert_string_equal(line.text, "two+");
}

static void history_goes_round(void **state)
{
	char text[16];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "n%d", i);
		enter(text);
	}
	for (int i = 0; i < 100; i++)
		type("\x1b[A");
	assert_string_equal(line.text, "n68");
	for (int i = 0; i < 100; i++)
		type("\x1b[B");
	assert_string_equal(line.text, "");
}

static void answers_are_not_remembered(void **state)
{
	(void)state;
	line.secret_history = true;
	enter("yes");
	line.secret_history = false;
	type("\x1b[A");
	assert_string_equal(line.text, "");
}

static void completes(void **state)
{
	(void)state;
	type("li\t");
	assert_string_equal(line.text, "list ");
	type("\x15st\t");
	assert_string_equal(line.text, "st");
	assert_int_equal(rows, 2); /* shown what there is */
	type("a\t");
	assert_string_equal(line.text, "sta");
	type("r\t");
	assert_string_equal(line.text, "start ");
	type("x\t");
	assert_string_equal(line.text, "start x");
	assert_true(bells > 0);
	/* In the middle: no second space. */
	type("\x15li foo\x01\x06\x06\t");
	assert_string_equal(line.text, "list foo");
}

static void long_lines_scroll(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++)
		type("x");
	assert_int_equal(line.length, LINE_BYTES - 1);
	assert_true(bells > 0);
	assert_true(widest <= LINE_COLUMNS);
	type("\x01");
	assert_int_equal(column, 2);
	for (int i = 0; i < 300; i++)
		type("\x1b[C");
	assert_true(column <= LINE_COLUMNS);
	type("\x15");
	assert_string_equal(line.text, "");
}

static void ctrl_c_drops(void **state)
{
	(void)state;
	assert_int_equal(type("abc\x03"), LINE_DROPPED);
	assert_string_equal(line.text, "");
}

static void carriage_return_and_line_feed_are_one(void **state)
{
	(void)state;
	assert_int_equal(type("a\r"), LINE_DONE);
	line_next(&line);
	line_show(&line);
	assert_int_equal(line_input(&line, '\n'), LINE_EDITING);
	assert_int_equal(type("b\n"), LINE_DONE);
}

static void hide_and_show(void **state)
{
	(void)state;
	type("abcd\x1b[D");
	line_hide(&line);
	assert_string_equal(screen, "");
	line_show(&line);
	assert_string_equal(screen, "> abcd");
	assert_int_equal(column, 5);
}

static void noise(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		char key[2] = { (char)(rand() % 4 ? rand() % 128 : "\x1b[ADHF~3\t\x08"[rand() % 10]), 0 };

		if (key[0] == 0x0c || key[0] == '\t')
			continue;
		if (type(key) != LINE_EDITING) {
			line_next(&line);
			screen[0] = 0;
			line_show(&line);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(plain_text, fresh),
		cmocka_unit_test_setup(moves_and_deletes, fresh),
		cmocka_unit_test_setup(cuts_words, fresh),
		cmocka_unit_test_setup(history, fresh),
		cmocka_unit_test_setup(history_goes_round, fresh),
		cmocka_unit_test_setup(answers_are_not_remembered, fresh),
		cmocka_unit_test_setup(completes, fresh),
		cmocka_unit_test_setup(long_lines_scroll, fresh),
		cmocka_unit_test_setup(ctrl_c_drops, fresh),
		cmocka_unit_test_setup(carriage_return_and_line_feed_are_one, fresh),
		cmocka_unit_test_setup(hide_and_show, fresh),
		cmocka_unit_test_setup(noise, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
