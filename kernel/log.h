/*
 * log.h: the kernel's log: one line per call, kept in a ring in memory and shown on every output.
 *
 * Positions are absolute: they count the bytes ever logged, so a reader that keeps its position
 * never reads a byte twice and knows how many it lost.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_RING_BYTES 65536u
#define LOG_LINE_BYTES 256u /* longer lines are cut */

/*
 * Logs one line, "[ssss.mmmmmm] text"; the newline is added. Bytes that are not printable ASCII
 * become '?'. Any CPU. Waits for the UART only while log_uart_enable(true) holds, which it does
 * until the console service takes the UART.
 */
__attribute__((format(printf, 1, 2))) void log_printf(const char *fmt, ...);

/* Whether lines also go to the UART. Turning it on programs the UART again. */
void log_uart_enable(bool enable);
bool log_uart_enabled(void);

/* The positions of the oldest byte kept and of the byte after the newest. Any CPU. */
uint64_t log_first(void);
uint64_t log_end(void);

/*
 * Copies up to `n` bytes from `position` on into `buffer` and returns how many: 0 at or past the
 * end. A position that the ring no longer holds also returns 0: start again at log_first(). Any
 * CPU.
 */
size_t log_read(uint64_t position, char *buffer, size_t n);

/* For panic only: from now on nobody waits for the log's lock, whose holder may have been stopped.
 */
void log_break_lock(void);
