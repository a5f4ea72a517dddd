#include "bh_string.h"
#include <stdint.h>

#ifndef HOST_TEST
typedef uint64_t __attribute__((aligned(1), may_alias)) any64;
typedef uint32_t __attribute__((aligned(1), may_alias)) any32;
typedef uint16_t __attribute__((aligned(1), may_alias)) any16;

/* Less than eight bytes, forward. */
static inline void copy_few(char *to, const char *from, size_t bytes)
{
	if (bytes & 4) {
		*(any32 *)to = *(const any32 *)from;
		to += 4;
		from += 4;
	}
	if (bytes & 2) {
		*(any16 *)to = *(const any16 *)from;
		to += 2;
		from += 2;
	}
	if (bytes & 1)
		*to = *from;
}

/* Whole words, then the last eight bytes, of which the words may have brought some already. No step takes single bytes.
 */
void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	void *d = to;
	size_t words = bytes / 8;
	uint64_t last;

	if (!words) {
		copy_few(to, from, bytes);
		return to;
	}
	/* Read first: memmove comes here with a `from` that the words may write over. */
	last = *(const any64 *)((const char *)from + bytes - 8);
	__asm__ volatile("rep movsq" : "+D"(d), "+S"(from), "+c"(words) : : "memory");
	*(any64 *)((char *)to + bytes - 8) = last;
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	/* Forward is right unless `to` starts within `from`. */
	if ((uintptr_t)to - (uintptr_t)from >= bytes)
		return memcpy(to, from, bytes);

	char *d = (char *)to + bytes;
	const char *s = (const char *)from + bytes;

	while (bytes--) {
		*--d = *--s;
		__asm__ volatile("" : : : "memory"); /* or this loop becomes a call of memmove */
	}
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	void *d = to;
	size_t words = bytes / 8;
	uint64_t pattern = (uint8_t)value * 0x0101010101010101ull;

	bytes %= 8;
	__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(d), "+c"(bytes) : "a"(pattern) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < bytes; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

void *memchr(const void *in, int value, size_t bytes)
{
	const uint8_t *x = in;

	for (size_t i = 0; i < bytes; i++)
		if (x[i] == (uint8_t)value)
			return (void *)(x + i);
	return NULL;
}

size_t strnlen(const char *text, size_t max)
{
	size_t length = 0;

	while (length < max && text[length])
		length++;
	return length;
}

size_t strlen(const char *text)
{
	const char *end = text;

	while (*end) {
		end++;
		__asm__ volatile(""); /* or this loop becomes a call of strlen */
	}
	return (size_t)(end - text);
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (size_t i = 0; i < max; i++)
		if (a[i] != b[i] || !a[i])
			return (uint8_t)a[i] - (uint8_t)b[i];
	return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, SIZE_MAX); }

char *strchr(const char *text, int value)
{
	for (;; text++) {
		if (*text == (char)value)
			return (char *)text;
		if (!*text)
			return NULL;
	}
}

char *strrchr(const char *text, int value)
{
	const char *last = NULL;

	for (;; text++) {
		if (*text == (char)value)
			last = text;
		if (!*text)
			return (char *)last;
	}
}

char *strstr(const char *text, const char *part)
{
	size_t length = strlen(part);

	for (;; text++) {
		if (!strncmp(text, part, length))
			return (char *)text;
		if (!*text)
			return NULL;
	}
}
#endif

size_t bh_strlcpy(char *to, const char *from, size_t size)
{
	size_t length = strlen(from);

	if (size) {
		size_t copied = length < size ? length : size - 1;

		memcpy(to, from, copied);
		to[copied] = 0;
	}
	return length;
}
