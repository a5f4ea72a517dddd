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
