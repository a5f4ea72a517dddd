/*
 * bh_format.h: printf's formats for native programs, the kernel and the loader.
 *
 * %d %i %u %x %X %c %s %p %%, with flags - 0 #, width and precision (numbers or *), and lengths hh
 * h l ll z j t. No floating point. An unknown conversion is printed as it stands.
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>

/* ISO C 7.21.6.12: at most size - 1 bytes and a 0 (nothing if size is 0); returns what the whole
 * would have taken. */
int bh_vsnprintf(char *to, size_t size, const char *format, va_list list) __attribute__((format(printf, 3, 0)));
int bh_snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
