/* screen.h: what the console prints on the serial line. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

/*
 * Prints text with CR before each LF. Waits, in the kernel, while the serial line's queue is full.
 * At most 511 bytes a call.
 */
void screen_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for `bytes` of text that somebody else wrote: control characters other than LF and tab
 * become '.'. */
void screen_text(const char *text, size_t bytes);

/* Bytes as they are. */
void screen_raw(const void *bytes, size_t count);
