#include "text.h"
#include <guests/lib/bh_format.h>

struct text text_of(const char *string)
{
	struct text text = { string, 0 };

	while (string[text.bytes])
		text.bytes++;
	return text;
}

bool text_is_blank(char c) { return c == ' ' || c == '\t'; }

bool text_is_digit(char c) { return c >= '0' && c <= '9'; }

struct text text_trim(struct text text)
{
	while (text.bytes && text_is_blank(text.at[0])) {
		text.at++;
		text.bytes--;
	}
	while (text.bytes && text_is_blank(text.at[text.bytes - 1]))
		text.bytes--;
	return text;
}

bool text_equal(struct text text, const char *string)
{
	for (size_t i = 0; i < text.bytes; i++)
		if (!string[i] || string[i] != text.at[i])
			return false;
	return !string[text.bytes];
}

bool text_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static struct text text_take(struct text *rest, size_t bytes, size_t separator_bytes)
{
	struct text taken = { rest->at, bytes };

	rest->at += bytes + separator_bytes;
	rest->bytes -= bytes + separator_bytes;
	return text_trim(taken);
}

struct text text_until(struct text *rest, char separator)
{
	size_t i = 0;

	while (i < rest->bytes && rest->at[i] != separator)
		i++;
	return text_take(rest, i, i < rest->bytes);
}

struct text text_word(struct text *rest)
{
	size_t i = 0;

	*rest = text_trim(*rest);
	while (i < rest->bytes && !text_is_blank(rest->at[i]))
		i++;
	return text_take(rest, i, i < rest->bytes);
}

bool text_copy(struct text text, char *out, size_t size)
{
	out[0] = 0;
	if (text.bytes >= size)
		return false;
	for (size_t i = 0; i < text.bytes; i++)
		out[i] = text.at[i];
	out[text.bytes] = 0;
	return true;
}

static bool digit_value(char c, unsigned base, unsigned *value)
{
	if (text_is_digit(c))
		*value = (unsigned)(c - '0');
	else if (base == 16 && c >= 'a' && c <= 'f')
		*value = (unsigned)(c - 'a') + 10;
	else if (base == 16 && c >= 'A' && c <= 'F')
		*value = (unsigned)(c - 'A') + 10;
	else
		return false;
	return true;
}

static bool read_digits(struct text text, unsigned base, uint64_t *value)
{
	unsigned digit;

	*value = 0;
	for (size_t i = 0; i < text.bytes; i++) {
		if (!digit_value(text.at[i], base, &digit))
			return false;
		if (*value > (UINT64_MAX - digit) / base)
			return false;
		*value = *value * base + digit;
	}
	return text.bytes > 0;
}

bool text_number(struct text text, uint64_t *value)
{
	if (text.bytes > 2 && text.at[0] == '0' && (text.at[1] == 'x' || text.at[1] == 'X'))
		return read_digits((struct text){ text.at + 2, text.bytes - 2 }, 16, value);
	return read_digits(text, 10, value);
}

bool text_hex(struct text text, size_t least, size_t most, uint64_t *value)
{
	return text.bytes >= least && text.bytes <= most && read_digits(text, 16, value);
}

bool text_number_unit(struct text text, uint64_t *value, struct text *unit)
{
	struct text number = { text.at, 0 };

	while (number.bytes < text.bytes && text_is_digit(text.at[number.bytes]))
		number.bytes++;
	unit->at = text.at + number.bytes;
	unit->bytes = text.bytes - number.bytes;
	*unit = text_trim(*unit);
	return text_number(number, value);
}

#define DISTANCE_MAX 24

unsigned text_distance(struct text a, const char *b)
{
	size_t b_bytes = text_of(b).bytes;
	unsigned row[DISTANCE_MAX];

	if (a.bytes >= DISTANCE_MAX || b_bytes >= DISTANCE_MAX)
		return 99;
	for (unsigned j = 0; j <= b_bytes; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.bytes; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b_bytes; j++) {
			unsigned best = diagonal + (a.at[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_bytes];
}

size_t text_vformat(char *out, size_t size, const char *format, va_list arguments)
{
	size_t whole = (size_t)bh_vsnprintf(out, size, format, arguments);

	return whole < size ? whole : size - 1;
}

size_t text_format(char *out, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t used;

	va_start(arguments, format);
	used = text_vformat(out, size, format, arguments);
	va_end(arguments);
	return used;
}

char *text_size(char *out, uint64_t bytes)
{
	static const char units[] = "\0KMGT";
	unsigned unit = 0;

	while (bytes && bytes % 1024 == 0 && units[unit + 1]) {
		bytes /= 1024;
		unit++;
	}
	if (unit)
		text_format(out, 24, "%llu%c", (unsigned long long)bytes, units[unit]);
	else
		text_format(out, 24, "%llu", (unsigned long long)bytes);
	return out;
}
