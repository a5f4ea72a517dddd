#include "secret.h"

char *secret_to_hex(char *to, const void *from, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *byte = from;

	for (size_t i = 0; i < bytes; i++) {
		*to++ = digits[byte[i] >> 4];
		*to++ = digits[byte[i] & 15];
	}
	*to = 0;
	return to;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool secret_from_hex(void *to, const char *from, size_t bytes)
{
	uint8_t *byte = to;

	for (size_t i = 0; i < bytes; i++, from += 2) {
		if (digit(from[0]) < 0 || digit(from[1]) < 0)
			return false;
		byte[i] = (uint8_t)(digit(from[0]) << 4 | digit(from[1]));
	}
	return true;
}
