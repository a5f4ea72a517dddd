/* text.h: text that is put together in a buffer of fixed size. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *to;
	size_t room, used;
	bool cut; /* something found no room: what is there is not the whole */
};

static inline struct text text_in(char *to, size_t room) { return (struct text){ to, room, 0, false }; }

void text_bytes(struct text *text, const void *from, size_t bytes);
void text_add(struct text *text, const char *string);

/* At most 255 bytes a call. */
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
