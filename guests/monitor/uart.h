/*
 * uart.h: a 16550A (National Semiconductor's PC16550D data sheet) at COM1.
 *
 * A byte that the guest writes leaves at once, so its transmitter is empty again before the OUT has
 * ended; only when the outside has no room do up to 16 bytes stay, and the transmitter shows busy.
 * Baud rate and format are kept and mean nothing.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/lib/bh.h"
#include "wire.h"

#define UART_FIFO 16

struct uart_outside {
	bool (*put)(void *context, uint8_t byte); /* false: no room; call uart_service when there is */
	int (*get)(void *context);		  /* a byte, or -1: call uart_service when there is one */
	void *context;
};

struct uart_fifo {
	uint8_t data[UART_FIFO];
	uint8_t first, count;
};

struct uart {
	struct bh_lock lock;
	struct uart_outside outside;
	struct wire wire;
	bool line;	       /* of the wire */
	bool transmit_pending; /* "transmitter empty" has not been acknowledged */
	uint8_t ier, fcr, lcr, mcr, scratch, divisor_low, divisor_high;
	uint8_t line_errors; /* LSR bits 4:1, until read */
	uint8_t modem_delta; /* MSR bits 3:0, until read */
	struct uart_fifo receive, transmit;
};

void uart_init(struct uart *uart, const struct uart_outside *outside, const struct wire *wire);

/* Port handlers (port.h), byte-wide: the register is port & 7. Any vCPU. */
uint32_t uart_read(void *uart, uint16_t port, unsigned size);
void uart_write(void *uart, uint16_t port, unsigned size, uint32_t value);

/* The outside has bytes, or room. Any vCPU. */
void uart_service(struct uart *uart);
