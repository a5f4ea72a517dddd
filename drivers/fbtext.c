#include "fbtext.h"
#include <stdbool.h>
#include "font.h"

#define COLUMNS_MAX 512u
#define ROWS_MAX    256u
#define LIGHT	    0xd0d0d0u /* the same in RGB and BGR */
#define DARK	    0u

size_t fbtext_cells(uint32_t width, uint32_t height)
{
	uint32_t columns = width / FBTEXT_GLYPH_WIDTH, rows = height / FBTEXT_GLYPH_HEIGHT;

	if (columns > COLUMNS_MAX)
		columns = COLUMNS_MAX;
	if (rows > ROWS_MAX)
		rows = ROWS_MAX;
	return (size_t)columns * rows;
}

/* The font's 8 lines are drawn twice each. */
static void draw(const struct fbtext *t, uint32_t column, uint32_t row, uint8_t c)
{
	const uint8_t *glyph = font_glyph[c - FONT_FIRST];
	volatile uint32_t *line =
		t->pixels + (size_t)row * FBTEXT_GLYPH_HEIGHT * t->stride + (size_t)column * FBTEXT_GLYPH_WIDTH;

	for (unsigned y = 0; y < FBTEXT_GLYPH_HEIGHT; y++, line += t->stride) {
		for (unsigned x = 0; x < FBTEXT_GLYPH_WIDTH; x++)
			line[x] = glyph[y / 2] & 0x80u >> x ? LIGHT : DARK;
	}
}

static void set_cell(struct fbtext *t, uint32_t column, uint32_t row, uint8_t c)
{
	uint8_t *cell = &t->cells[(size_t)row * t->columns + column];

	if (*cell == c)
		return;
	*cell = c;
	draw(t, column, row, c);
}

void fbtext_start(struct fbtext *t, volatile uint32_t *pixels, uint32_t width, uint32_t height, uint32_t stride,
		  uint8_t *cells)
{
	size_t count = fbtext_cells(width, height);

	*t = (struct fbtext){ .pixels = pixels, .stride = stride, .cells = cells };
	if (!count)
		return;
	t->columns = width / FBTEXT_GLYPH_WIDTH;
	if (t->columns > COLUMNS_MAX)
		t->columns = COLUMNS_MAX;
	t->rows = (uint32_t)(count / t->columns);
	for (size_t i = 0; i < count; i++)
		cells[i] = ' ';
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++)
			pixels[(size_t)y * stride + x] = DARK;
	}
}

/* Moves up by half of the screen: one line at a time would draw nearly everything for each line. */
static void scroll(struct fbtext *t)
{
	uint32_t by = t->rows / 2 ? t->rows / 2 : 1;

	for (uint32_t row = 0; row < t->rows; row++) {
		for (uint32_t column = 0; column < t->columns; column++) {
			bool below = row + by < t->rows;
			size_t from = (size_t)(row + by) * t->columns + column;

			set_cell(t, column, row, below ? t->cells[from] : ' ');
		}
	}
	t->row -= by;
}

static void new_line(struct fbtext *t)
{
	t->column = 0;
	t->row++;
}

void fbtext_write(struct fbtext *t, const char *bytes, size_t n)
{
	for (size_t i = 0; t->rows && i < n; i++) {
		uint8_t c = (uint8_t)bytes[i];

		if (c == '\n') {
			new_line(t);
			continue;
		}
		if (t->column == t->columns)
			new_line(t);
		if (t->row == t->rows)
			scroll(t);
		set_cell(t, t->column++, t->row, c < FONT_FIRST || c > FONT_LAST ? '?' : c);
	}
}
