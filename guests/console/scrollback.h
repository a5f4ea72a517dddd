/* scrollback.h: the last bytes that a partition printed. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SCROLLBACK_BYTES 65536u

struct scrollback {
	char *data;
	uint32_t size;	/* 0: keeps nothing */
	uint64_t total; /* bytes ever added */
};

/* `data` has `size` bytes, 0 to keep nothing. */
void scrollback_start(struct scrollback *scrollback, char *data, uint32_t size);

void scrollback_add(struct scrollback *scrollback, const char *text, size_t bytes);

/* Bytes kept. */
uint32_t scrollback_kept(const struct scrollback *scrollback);

/*
 * Where to begin to show the last `bytes`: the start of a line if one begins there, as a number of
 * bytes before the end, at most `bytes`.
 */
uint32_t scrollback_tail(const struct scrollback *scrollback, uint32_t bytes);

/* Copies up to `max` bytes, beginning `before_end` bytes before the end. Returns how many. */
uint32_t scrollback_copy(const struct scrollback *scrollback, uint32_t before_end, char *to, uint32_t max);
