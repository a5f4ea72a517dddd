/* string.h: what lwIP and mbedTLS find under this name. */
#pragma once
#include "guests/lib/bh_string.h"

/* ISO C 7.24.2.4. */
static inline char *strncpy(char *restrict to, const char *restrict from, size_t bytes)
{
	size_t length = strnlen(from, bytes);

	memcpy(to, from, length);
	memset(to + length, 0, bytes - length);
	return to;
}
