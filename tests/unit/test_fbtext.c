#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "drivers/fbtext.h"
#include "drivers/font.h"

#define WIDTH	84u /* 10 columns and half a one */
#define HEIGHT	70u /* 4 rows and some pixels */
#define STRIDE	90u
#define COLUMNS 10u
#define ROWS	4u

static uint32_t *pixels;
static uint8_t *cells;
static struct fbtext text;

static int set_up(void **state)
{
	(void)state;
	pixels = malloc(STRIDE * HEIGHT * 4);
	memset(pixels, 0x55, STRIDE * HEIGHT * 4);
	cells = malloc(fbtext_cells(WIDTH, HEIGHT));
	fbtext_start(&text, pixels, WIDTH, HEIGHT, STRIDE, cells);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(pixels);
	free(cells);
	return 0;
}

static void show(const char *bytes) { fbtext_write(&text, bytes, strlen(bytes)); }

/* What the pixels of a cell show; 0 when it is no glyph. */
static char glyph_at(unsigned column, unsigned row)
{
	for (unsigned c = FONT_FIRST; c <= FONT_LAST; c++) {
		bool same = true;

		for (unsigned y = 0; y < 16; y++) {
			for (unsigned x = 0; x < 8; x++) {
				uint32_t pixel = pixels[(row * 16 + y) * STRIDE + column * 8 + x];
				bool lit = font_glyph[c - FONT_FIRST][y / 2] & 0x80u >> x;

				same &= (pixel != 0) == lit;
			}
		}
		if (same)
			return (char)c;
	}
	return 0;
}

static void assert_row(unsigned row, const char *expected)
{
	char shown[COLUMNS + 1] = { 0 };

	for (unsigned column = 0; column < COLUMNS; column++)
		shown[column] = glyph_at(column, row);
	assert_string_equal(shown, expected);
}

static void test_start(void **state)
{
	(void)state;
	assert_int_equal(fbtext_cells(WIDTH, HEIGHT), COLUMNS * ROWS);
	assert_int_equal(fbtext_cells(7, 1000), 0);
	assert_int_equal(fbtext_cells(1000, 15), 0);
	for (unsigned y = 0; y < HEIGHT; y++) {
		for (unsigned x = 0; x < STRIDE; x++)
			assert_int_equal(pixels[y * STRIDE + x], x < WIDTH ? 0 : 0x55555555);
	}
}

static void test_lines(void **state)
{
	(void)state;
	show("Ab\nlonger than a row");
	assert_row(0, "Ab        ");
	assert_row(1, "longer tha");
	assert_row(2, "n a row   ");
	show("\n\x01\xff~");
	assert_row(3, "??~       ");
}

static void test_scroll(void **state)
{
	(void)state;
	show("1\n2\n3\n4");
	assert_row(3, "4         ");
	show("\n"); /* a newline alone need not move anything */
	assert_row(0, "1         ");
	show("5");
	assert_row(0, "3         ");
	assert_row(1, "4         ");
	assert_row(2, "5         ");
	assert_row(3, "          ");
	for (int i = 0; i < 1000; i++)
		show("a line that wraps\n");
	assert_row(0, "a line tha");
}

/* The right edge and the bottom beyond the last row are never touched. */
static void test_bounds(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++)
		show("#%");
	for (unsigned y = 0; y < HEIGHT; y++) {
		for (unsigned x = COLUMNS * 8; x < STRIDE; x++)
			assert_int_equal(pixels[y * STRIDE + x], x < WIDTH ? 0 : 0x55555555);
	}
	for (unsigned x = 0; x < WIDTH; x++)
		assert_int_equal(pixels[(HEIGHT - 1) * STRIDE + x], 0);
}

static void test_no_room(void **state)
{
	struct fbtext none;

	(void)state;
	fbtext_start(&none, pixels, 7, 7, STRIDE, NULL);
	fbtext_write(&none, "abc\n", 4);
}

/* All glyphs differ: otherwise one of them is drawn wrong. */
static void test_font(void **state)
{
	unsigned count = FONT_LAST - FONT_FIRST + 1;

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = i + 1; j < count; j++)
			assert_memory_not_equal(font_glyph[i], font_glyph[j], 8);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_start),  TEST(test_lines),   TEST(test_scroll),
		TEST(test_bounds), TEST(test_no_room), TEST(test_font),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
