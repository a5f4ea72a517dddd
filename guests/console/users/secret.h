/* secret.h: comparing secrets, bytes as text. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes the same time whatever the difference. */
static inline bool secret_same(const void *a, const void *b, size_t bytes)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t difference = 0;

	for (size_t i = 0; i < bytes; i++)
		difference |= x[i] ^ y[i];
	return difference == 0;
}

/* 2 * bytes digits and a 0. Returns what is behind the digits. */
char *secret_to_hex(char *to, const void *from, size_t bytes);
/* False unless `from` begins with 2 * bytes small hexadecimal digits. */
bool secret_from_hex(void *to, const char *from, size_t bytes);
