/* clock.h: arithmetic on ticks. */
#pragma once
#include <stdint.h>

/*
 * a * b / c, rounded down, with the product in 128 bits; UINT64_MAX if the result does not fit. c
 * is not 0. Inline assembly, as C's division of 128 bits is a call into libgcc, which natives do
 * not have.
 */
static inline uint64_t clock_muldiv(uint64_t a, uint64_t b, uint64_t c)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;

	if (high >= c)
		return UINT64_MAX;
	__asm__("divq %2" : "+a"(low), "+d"(high) : "r"(c) : "cc");
	return low;
}
