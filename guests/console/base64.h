/* base64.h: bytes as text in lines of 76 characters (RFC 2045, 6.8), and back. Pure: text goes out by a function. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE64_COLUMNS	  76
#define BASE64_LINE_BYTES (BASE64_COLUMNS / 4 * 3)

/* Takes a line without its end; it ends with 0. */
typedef void (*base64_put)(void *context, const char *line);

struct base64 {
	uint8_t bytes[BASE64_LINE_BYTES]; /* not yet put */
	unsigned count;
	base64_put put;
	void *context;
};

void base64_start(struct base64 *base64, base64_put put, void *context);
void base64_add(struct base64 *base64, const uint8_t *from, size_t bytes);

/* The last line, with what padding it needs. */
void base64_end(struct base64 *base64);

/* ---- and back ---- */

struct base64_reader {
	uint8_t *to;
	size_t size, count; /* `count` bytes are there */
	uint32_t bits;
	unsigned letters; /* of the four that make three bytes */
	unsigned padding;
	bool full; /* there were more */
};

/* Takes a piece without blanks; false: it is not base64, or more than `size`. */
bool base64_read(struct base64_reader *reader, const char *from, size_t bytes);

/* Whether all that came makes whole bytes. */
bool base64_whole(const struct base64_reader *reader);
