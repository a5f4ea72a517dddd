#include "base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Three bytes make four letters; one and two make two and three, and padding. */
static void encode(char to[4], const uint8_t *from, unsigned count)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < 3; i++)
		bits = bits << 8 | (i < count ? from[i] : 0);
	for (unsigned i = 0; i < 4; i++)
		to[i] = i <= count ? letters[bits >> (18 - 6 * i) & 63] : '=';
}

static void put_line(struct base64 *base64)
{
	char line[BASE64_COLUMNS + 1];
	unsigned length = 0;

	for (unsigned i = 0; i < base64->count; i += 3, length += 4)
		encode(line + length, base64->bytes + i, base64->count - i);
	line[length] = 0;
	base64->count = 0;
	base64->put(base64->context, line);
}

void base64_start(struct base64 *base64, base64_put put, void *context)
{
	base64->count = 0;
	base64->put = put;
	base64->context = context;
}

void base64_add(struct base64 *base64, const uint8_t *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		base64->bytes[base64->count++] = from[i];
		if (base64->count == BASE64_LINE_BYTES)
			put_line(base64);
	}
}

void base64_end(struct base64 *base64)
{
	if (base64->count)
		put_line(base64);
}

/* ---- and back ---- */

static int value(char letter)
{
	for (unsigned i = 0; i < 64; i++)
		if (letters[i] == letter)
			return (int)i;
	return -1;
}

/* Four letters make three bytes, less one for each '=' at the end. */
static bool finish_group(struct base64_reader *reader)
{
	unsigned bytes = 3 - reader->padding;

	reader->letters = 0;
	reader->full = reader->size - reader->count < bytes;
	if (reader->full)
		return false;
	for (unsigned i = 0; i < bytes; i++)
		reader->to[reader->count++] = (uint8_t)(reader->bits >> (16 - 8 * i));
	return true;
}

bool base64_read(struct base64_reader *reader, const char *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		int number = value(from[i]);

		/* Behind the end there is nothing; it does not begin before the third letter. */
		if ((reader->padding && (number >= 0 || !reader->letters)) ||
		    (number < 0 && (from[i] != '=' || reader->letters < 2)))
			return false;
		reader->padding += number < 0;
		reader->bits = reader->bits << 6 | (uint32_t)(number < 0 ? 0 : number);
		if (++reader->letters == 4 && !finish_group(reader))
			return false;
	}
	return true;
}

bool base64_whole(const struct base64_reader *reader) { return !reader->letters; }
