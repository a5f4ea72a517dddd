/* bytes.h: numbers in frames (big-endian) and addresses. */
#pragma once
#include <stdint.h>

static inline uint16_t bytes_get16(const uint8_t *from) { return (uint16_t)(from[0] << 8 | from[1]); }

static inline uint32_t bytes_get32(const uint8_t *from)
{
	return (uint32_t)bytes_get16(from) << 16 | bytes_get16(from + 2);
}

static inline void bytes_put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static inline void bytes_put32(uint8_t *to, uint32_t value)
{
	bytes_put16(to, value >> 16);
	bytes_put16(to + 2, value);
}

/* An Ethernet address as a number, for comparing: its first byte is bits 7:0. */
static inline uint64_t bytes_mac(const uint8_t *from)
{
	uint32_t low;
	uint16_t high;

	__builtin_memcpy(&low, from, 4);
	__builtin_memcpy(&high, from + 4, 2);
	return low | (uint64_t)high << 32;
}

#define MAC_GROUP     0x1u /* I/G bit: an address of many (IEEE 802, 8.2) */
#define MAC_BROADCAST 0xffffffffffffull

/* A function for what seldom happens: kept out of its callers, which then are short and save fewer registers. */
#define SELDOM __attribute__((noinline, cold))

/* How many bits are set; the compiler's own needs a library. */
static inline unsigned bits_count(uint64_t set)
{
	unsigned count = 0;

	for (; set; set &= set - 1)
		count++;
	return count;
}
