#include "json_skip.h"
#include "guests/lib/bh_string.h"
#include "json_read.h"
#include "json_write.h"

static bool fail(struct json_reader *reader, const char *what)
{
	if (!reader->wrong)
		reader->wrong = what;
	return false;
}

static char peek(const struct json_reader *reader) { return reader->at < reader->end ? *reader->at : 0; }

void json_skip_space(struct json_reader *reader)
{
	while (reader->at < reader->end && *reader->at && strchr(" \t\r\n", *reader->at))
		reader->at++;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int json_hex4(const char *at, const char *end)
{
	int value = 0;

	if (end - at < 4)
		return -1;
	for (unsigned i = 0; i < 4; i++) {
		if (hex(at[i]) < 0)
			return -1;
		value = value << 4 | hex(at[i]);
	}
	return value;
}

/* ---- scalars ---- */

/* Behind a backslash. A high surrogate must have its low one, and the other way round. */
static bool skip_escape(struct json_reader *reader)
{
	char c = peek(reader);
	int unit;

	if (!c || !strchr("\"\\/bfnrtu", c))
		return fail(reader, "there is no such escape");
	reader->at++;
	if (c != 'u')
		return true;
	unit = json_hex4(reader->at, reader->end);
	if (unit < 0)
		return fail(reader, "\\u has four hexadecimal digits");
	reader->at += 4;
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (unit > 0xdbff || reader->end - reader->at < 6 || reader->at[0] != '\\' || reader->at[1] != 'u' ||
	    (json_hex4(reader->at + 2, reader->end) & ~0x3ff) != 0xdc00)
		return fail(reader, "a surrogate stands alone");
	reader->at += 6;
	return true;
}

bool json_skip_string(struct json_reader *reader)
{
	reader->at++;
	while (reader->at < reader->end) {
		unsigned char c = (unsigned char)*reader->at;
		size_t length = json_utf8(reader->at, (size_t)(reader->end - reader->at));

		if (c < 0x20)
			return fail(reader, "a control character in a string is written as an escape");
		if (!length)
			return fail(reader, "a string is UTF-8");
		reader->at += length;
		if (c == '"')
			return true;
		if (c == '\\' && !skip_escape(reader))
			return false;
	}
	return fail(reader, "a string does not end");
}

static bool skip_digits(struct json_reader *reader)
{
	if (!is_digit(peek(reader)))
		return fail(reader, "a digit is expected");
	while (is_digit(peek(reader)))
		reader->at++;
	return true;
}

static bool skip_number(struct json_reader *reader)
{
	if (peek(reader) == '-')
		reader->at++;
	if (peek(reader) == '0')
		reader->at++;
	else if (!skip_digits(reader))
		return false;
	if (peek(reader) == '.') {
		reader->at++;
		if (!skip_digits(reader))
			return false;
	}
	if ((peek(reader) | 0x20) == 'e') {
		reader->at++;
		if (peek(reader) == '+' || peek(reader) == '-')
			reader->at++;
		return skip_digits(reader);
	}
	return true;
}

static bool skip_word(struct json_reader *reader)
{
	static const char *const words[] = { "true", "false", "null" };

	for (unsigned i = 0; i < 3; i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(reader->end - reader->at) >= length && !strncmp(reader->at, words[i], length)) {
			reader->at += length;
			return true;
		}
	}
	return fail(reader, "a value is expected");
}

static bool skip_scalar(struct json_reader *reader)
{
	char c = peek(reader);

	if (c == '"')
		return json_skip_string(reader);
	return c == '-' || is_digit(c) ? skip_number(reader) : skip_word(reader);
}

/* ---- objects and arrays, without recursion ---- */

static bool skip_key(struct json_reader *reader)
{
	json_skip_space(reader);
	if (peek(reader) != '"')
		return fail(reader, "a key is expected");
	if (!json_skip_string(reader))
		return false;
	json_skip_space(reader);
	if (peek(reader) != ':')
		return fail(reader, "a colon is expected");
	reader->at++;
	return true;
}

/* Behind a value: closes what ends here. True: there is another value to come. */
static bool go_on(struct json_reader *reader, uint32_t *objects, unsigned *depth)
{
	while (*depth) {
		bool object = *objects & 1;

		json_skip_space(reader);
		if (peek(reader) == ',') {
			reader->at++;
			return !object || skip_key(reader);
		}
		if (peek(reader) != (object ? '}' : ']'))
			return fail(reader, object ? "a comma or } is expected" : "a comma or ] is expected");
		reader->at++;
		*objects >>= 1;
		--*depth;
	}
	return false;
}

/* At a bracket. True: a value within is to come. Bit 0 of `objects` says what the innermost level is. */
static bool open_level(struct json_reader *reader, uint32_t *objects, unsigned *depth)
{
	bool object = *reader->at++ == '{';

	if (++*depth > JSON_DEPTH)
		return fail(reader, "it is nested too deeply");
	*objects = *objects << 1 | object;
	json_skip_space(reader);
	if (peek(reader) == (object ? '}' : ']'))
		return false; /* go_on closes it */
	return !object || skip_key(reader);
}

bool json_skip_value(struct json_reader *reader)
{
	uint32_t objects = 0;
	unsigned depth = 0;
	bool more;

	do {
		json_skip_space(reader);
		more = false;
		if (peek(reader) == '{' || peek(reader) == '[')
			more = open_level(reader, &objects, &depth);
		else
			skip_scalar(reader);
		if (!reader->wrong && !more)
			more = go_on(reader, &objects, &depth);
	} while (more && !reader->wrong);
	return !reader->wrong;
}
