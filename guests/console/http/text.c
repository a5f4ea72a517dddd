#include "text.h"
#include <stdarg.h>
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"

void text_bytes(struct text *text, const void *from, size_t bytes)
{
	if (bytes > text->room - text->used) {
		text->cut = true;
		bytes = text->room - text->used;
	}
	memcpy(text->to + text->used, from, bytes);
	text->used += bytes;
}

void text_add(struct text *text, const char *string) { text_bytes(text, string, strlen(string)); }

void text_printf(struct text *text, const char *format, ...)
{
	char piece[256];
	va_list list;

	va_start(list, format);
	int length = bh_vsnprintf(piece, sizeof(piece), format, list);
	va_end(list);
	if (length >= (int)sizeof(piece))
		text->cut = true;
	text_add(text, piece);
}

/* Years begin in March, so that the leap day comes last; 400 of them have 146097 days. */
static void civil(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t from = days + 719468, era = from / 146097;
	unsigned left = (unsigned)(from % 146097);
	unsigned years = (left - left / 1460 + left / 36524 - left / 146096) / 365;
	unsigned in_year = left - (365 * years + years / 4 - years / 100), march = (5 * in_year + 2) / 153;

	*day = in_year - (153 * march + 2) / 5 + 1;
	*month = march < 10 ? march + 3 : march - 9;
	*year = (unsigned)(era * 400) + years + (*month <= 2);
}

void text_date(struct text *text, uint64_t seconds)
{
	static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	unsigned year, month, day, rest = (unsigned)(seconds % 86400);
	uint64_t count = seconds / 86400;

	civil(count, &year, &month, &day);
	text_printf(text, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * (count % 7), day,
		    months + 3 * (month - 1), year, rest / 3600, rest / 60 % 60, rest % 60);
}
