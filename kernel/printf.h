/* printf.h: formatted text in a buffer. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

/*
 * Formats into `buffer`, always ended by 0 when size > 0. Conversions: %d %i %u %x %X %s %c %p %%,
 * flags '0' and '-', widths and %.Ns (also '*'), lengths h, l, ll, z. An unknown conversion is
 * copied as it stands; %s of NULL is "(null)". Returns the length that the whole text has, which
 * may be more than fits (INT_MAX at most).
 */
__attribute__((format(printf, 3, 4))) int format(char *buffer, size_t size, const char *fmt, ...);
__attribute__((format(printf, 3, 0))) int format_va(char *buffer, size_t size, const char *fmt, va_list arguments);
