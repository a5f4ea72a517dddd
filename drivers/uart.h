/*
 * uart.h: a 16550 (National Semiconductor PC16550D), polled, output only.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How its eight registers are reached; `offset` 0..7. */
struct uart_access {
	uint8_t (*read)(void *context, unsigned offset);
	void (*write)(void *context, unsigned offset, uint8_t value);
	void *context;
};

struct uart {
	struct uart_access access;
	bool present;
};

/*
 * Programs it to 115200 8N1, FIFOs on, interrupts off. False, and uart->present too, when none
 * answers. May be called again to take a UART back from somebody who has used it.
 */
bool uart_start(struct uart *uart, const struct uart_access *access);

/*
 * Sends `n` bytes, CR before each LF, waiting for room. A UART that takes nothing for long is given
 * up: `present` becomes false.
 */
void uart_write(struct uart *uart, const char *text, size_t n);
