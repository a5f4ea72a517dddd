#include "words.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"

#define LETTERS 32 /* names are compared as far as this */

const char *words_size(char text[WORDS_BYTES], uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned unit = 0;
	uint64_t whole = bytes, rest = 0;

	while (whole >= 1024) {
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	if (whole < 10 && rest * 10 / 1024)
		bh_snprintf(text, WORDS_BYTES, "%u.%u %s", (unsigned)whole, (unsigned)(rest * 10 / 1024), units[unit]);
	else
		bh_snprintf(text, WORDS_BYTES, "%u %s", (unsigned)whole, units[unit]);
	return text;
}

/* a * b / c without overflow in between, as long as the result fits and b * c does. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c) { return a / c * b + a % c * b / c; }

const char *words_ticks(char text[WORDS_BYTES], uint64_t ticks, uint64_t hz)
{
	uint64_t seconds = hz ? ticks / hz : 0;
	uint64_t ns = hz ? scale(ticks % hz, 1000000000, hz) : 0;

	if (seconds >= 86400)
		bh_snprintf(text, WORDS_BYTES, "%llud %02uh", (unsigned long long)(seconds / 86400),
			    (unsigned)(seconds / 3600 % 24));
	else if (seconds >= 3600)
		bh_snprintf(text, WORDS_BYTES, "%uh %02um", (unsigned)(seconds / 3600), (unsigned)(seconds / 60 % 60));
	else if (seconds >= 60)
		bh_snprintf(text, WORDS_BYTES, "%um %02us", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
	else if (seconds)
		bh_snprintf(text, WORDS_BYTES, "%u.%u s", (unsigned)seconds, (unsigned)(ns / 100000000));
	else if (ns >= 1000000)
		bh_snprintf(text, WORDS_BYTES, "%u.%u ms", (unsigned)(ns / 1000000), (unsigned)(ns / 100000 % 10));
	else if (ns >= 10000)
		bh_snprintf(text, WORDS_BYTES, "%u us", (unsigned)(ns / 1000));
	else
		bh_snprintf(text, WORDS_BYTES, "%u ns", (unsigned)ns);
	return text;
}

const char *words_share(char text[WORDS_BYTES], uint64_t part, uint64_t whole)
{
	/* Shifted until the product fits; that costs no digit that is shown. */
	while (part >= 1ull << 48 || whole >= 1ull << 48) {
		part >>= 1;
		whole >>= 1;
	}

	uint64_t hundredths = whole ? part * 10000 / whole : 0;

	bh_snprintf(text, WORDS_BYTES, "%u.%02u %%", (unsigned)(hundredths / 100), (unsigned)(hundredths % 100));
	return text;
}

const char *words_key(char *text)
{
	for (char *at = text; *at; at++) {
		if (*at == ' ')
			*at = '_';
		else if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	}
	return text;
}

bool words_number(const char *text, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (value > (max - (uint64_t)(*text - '0')) / 10)
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	*number = value;
	return value >= 1;
}

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

/* Levenshtein's distance: letters inserted, left out or changed, row by row of his table. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[LETTERS + 1];
	unsigned length = (unsigned)strnlen(b, LETTERS);

	for (unsigned j = 0; j <= length; j++)
		row[j] = j;
	for (unsigned i = 0; a[i] && i < LETTERS; i++) {
		unsigned diagonal = row[0];

		row[0] = i + 1;
		for (unsigned j = 0; j < length; j++) {
			unsigned changed = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = least(changed, least(row[j], row[j + 1]) + 1);
		}
	}
	return row[length];
}

int words_nearest(const char *typed, const char *const *names, unsigned count)
{
	size_t length = strlen(typed);
	unsigned best = 3;
	int found = -1;

	for (unsigned i = 0; i < count && length; i++)
		if (!strncmp(names[i], typed, length))
			return (int)i;
	for (unsigned i = 0; i < count; i++) {
		unsigned errors = distance(typed, names[i]);

		if (errors < best && errors < length) {
			best = errors;
			found = (int)i;
		}
	}
	return found;
}
