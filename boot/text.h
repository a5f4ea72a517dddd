/*
 * text.h: slices of text and formatting without libc; for the loader, the kernel's side of boot/,
 * the host tools and the fuzzers alike.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of a longer text; not ended by 0. */
struct text {
	const char *at;
	size_t bytes;
};

/* For the format "%.*s". */
#define TEXT_ARGUMENTS(text) ((int)(text).bytes), (text).at

struct text text_of(const char *string);

bool text_is_blank(char c);
bool text_is_digit(char c);

/* Without the blanks (space, tab) at both ends. */
struct text text_trim(struct text text);

bool text_equal(struct text text, const char *string);

/* Whether two strings are equal. */
bool text_same(const char *a, const char *b);

/* Takes what stands before the first `separator` off `rest`, trimmed; all of it when there is none.
 */
struct text text_until(struct text *rest, char separator);

/* Takes the next word (without blanks) off `rest`; empty at the end. */
struct text text_word(struct text *rest);

/* Copies into `out` of `size` bytes, ended by 0; false, with `out` empty, when it does not fit. */
bool text_copy(struct text text, char *out, size_t size);

/* Decimal, or hexadecimal after 0x. False unless all of `text` is a number that fits 64 bits. */
bool text_number(struct text text, uint64_t *value);

/* Hexadecimal without a prefix, `least` to `most` digits. */
bool text_hex(struct text text, size_t least, size_t most, uint64_t *value);

/* Digits followed by a unit: text is split in two. False when there is no number in front. */
bool text_number_unit(struct text text, uint64_t *value, struct text *unit);

/* Number of insertions, deletions and replacements from one to the other; 99 for longer than 23
 * bytes. */
unsigned text_distance(struct text a, const char *b);

/*
 * Formats as bh_format.h says into `out` of `size` bytes (at least 1), always ended by 0; what does not fit is cut off.
 * Returns the bytes written without the 0.
 */
size_t text_format(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t text_vformat(char *out, size_t size, const char *format, va_list arguments);

/* `bytes` as configuration files write it: "128M", "1G", "4100K"; `out` holds at least 24 bytes.
 * Returns `out`. */
char *text_size(char *out, uint64_t bytes);
