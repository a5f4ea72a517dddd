/* io.h: port I/O. */
#pragma once
#include <stdint.h>

#define DEFINE_IO(type, suffix)                                                                  \
	static inline type in##suffix(uint16_t port)                                             \
	{                                                                                        \
		type value;                                                                      \
		__asm__ volatile("in" #suffix " %1, %0" : "=a"(value) : "Nd"(port) : "memory");  \
		return value;                                                                    \
	}                                                                                        \
	static inline void out##suffix(uint16_t port, type value)                                \
	{                                                                                        \
		__asm__ volatile("out" #suffix " %0, %1" : : "a"(value), "Nd"(port) : "memory"); \
	}

DEFINE_IO(uint8_t, b)
DEFINE_IO(uint16_t, w)
DEFINE_IO(uint32_t, l)
#undef DEFINE_IO
