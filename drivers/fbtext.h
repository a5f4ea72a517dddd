/* fbtext.h: text on a linear framebuffer of 32 bits a pixel. Pixels are only written, never read.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define FBTEXT_GLYPH_WIDTH  8u
#define FBTEXT_GLYPH_HEIGHT 16u

struct fbtext {
	volatile uint32_t *pixels;
	uint32_t stride; /* pixels per line */
	uint32_t columns, rows;
	uint32_t column, row; /* of the next character */
	uint8_t *cells;	      /* what each cell shows; columns * rows */
};

/* Bytes that `cells` needs for such a framebuffer; 0: too small for text. */
size_t fbtext_cells(uint32_t width, uint32_t height);

/* Clears the screen. `cells` has fbtext_cells(width, height) bytes. */
void fbtext_start(struct fbtext *text, volatile uint32_t *pixels, uint32_t width, uint32_t height, uint32_t stride,
		  uint8_t *cells);

/*
 * Shows `n` bytes at the cursor; LF begins a new line, long lines are wrapped. At the bottom the
 * screen moves up by half, and only cells that change are drawn.
 */
void fbtext_write(struct fbtext *text, const char *bytes, size_t n);
