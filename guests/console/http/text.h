/* text.h: text that is put together in a buffer of fixed size. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *to;
	size_t room, used;
	bool cut; /* something found no room: what is there is not the whole */
};

static inline struct text text_in(char *to, size_t room) { return (struct text){ to, room, 0, false }; }

void text_bytes(struct text *text, const void *from, size_t bytes);
void text_add(struct text *text, const char *string);

/* Seconds since 1970 as HTTP has them (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". Up to the year 9999. */
void text_date(struct text *text, uint64_t seconds);

/* At most 255 bytes a call. */
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
