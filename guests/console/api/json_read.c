#include "json_read.h"
#include "guests/lib/bh_string.h"
#include "json_skip.h"

bool json_read(const char *text, size_t bytes, struct json_value *value, struct json_error *error)
{
	struct json_reader reader = { text, text + bytes, NULL };

	json_skip_space(&reader);
	value->at = reader.at;
	if (json_skip_value(&reader)) {
		value->end = reader.at;
		json_skip_space(&reader);
		if (reader.at == reader.end)
			return true;
		reader.wrong = "something follows the value";
	}
	*error = (struct json_error){ (size_t)(reader.at - text), reader.wrong };
	return false;
}

/* ---- looking up: the text is known to be right ---- */

enum json_type json_type(const struct json_value *value)
{
	switch (*value->at) {
	case '{': return JSON_OBJECT;
	case '[': return JSON_ARRAY;
	case '"': return JSON_STRING;
	case 't': return JSON_TRUE;
	case 'f': return JSON_FALSE;
	case 'n': return JSON_NULL;
	default: return JSON_NUMBER;
	}
}

bool json_next(const struct json_value *in, struct json_place *next, struct json_value *key, struct json_value *value)
{
	struct json_reader reader = { next->at ? next->at : in->at + 1, in->end, NULL };

	json_skip_space(&reader);
	if (reader.at + 1 >= in->end)
		return false;
	if (json_type(in) == JSON_OBJECT) {
		key->at = reader.at;
		json_skip_string(&reader);
		key->end = reader.at;
		json_skip_space(&reader);
		reader.at++;
		json_skip_space(&reader);
	}
	value->at = reader.at;
	json_skip_value(&reader);
	value->end = reader.at;
	json_skip_space(&reader);
	next->at = reader.at + (reader.at < reader.end && *reader.at == ',');
	return true;
}

/* ---- values ---- */

static size_t put_utf8(char to[4], uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* The character at `*at`, which goes behind it. */
static size_t take_character(const char **at, const char *end, char to[4])
{
	static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	uint32_t c;

	if (**at != '\\') {
		*to = *(*at)++;
		return 1;
	}
	*to = (*at)[1];
	*at += 2;
	if (*to != 'u') {
		const char *found = strchr(letters, *to);

		*to = found ? bytes[found - letters] : *to;
		return 1;
	}
	c = (uint32_t)json_hex4(*at, end);
	*at += 4;
	if (c >= 0xd800 && c <= 0xdbff) {
		c = 0x10000 + ((c & 0x3ff) << 10) + ((uint32_t)json_hex4(*at + 2, end) & 0x3ff);
		*at += 6;
	}
	return put_utf8(to, c);
}

bool json_get_string(const struct json_value *value, char *to, size_t size)
{
	const char *at = value->at + 1;
	size_t used = 0;

	if (json_type(value) != JSON_STRING)
		return false;
	while (at < value->end - 1) {
		char character[4];
		size_t length = take_character(&at, value->end, character);

		if (length + 1 > size - used || !character[0])
			return false;
		memcpy(to + used, character, length);
		used += length;
	}
	to[used] = 0;
	return true;
}

bool json_get_number(const struct json_value *value, uint64_t *number)
{
	*number = 0;
	for (const char *at = value->at; at < value->end; at++) {
		if (!(*at >= '0' && *at <= '9'))
			return false;
		*number = *number * 10 + (uint64_t)(*at - '0');
		if (*number >= 1ull << 53)
			return false;
	}
	return true;
}
