/* font.h: an 8x8 font of the printable ASCII characters; each glyph is eight rows, the leftmost
 * pixel is bit 7. */
#pragma once
#include <stdint.h>

#define FONT_FIRST 0x20u
#define FONT_LAST  0x7eu

extern const uint8_t font_glyph[FONT_LAST - FONT_FIRST + 1][8];
