#include "uart.h"

#define THR 0u /* transmit; with LCR.DLAB: divisor latch, low */
#define IER 1u /* with LCR.DLAB: divisor latch, high */
#define FCR 2u
#define LCR 3u
#define MCR 4u
#define LSR 5u
#define SCR 7u

#define LCR_8N1	       0x03u
#define LCR_DLAB       0x80u
#define FCR_ENABLE     0x07u /* FIFOs on and emptied */
#define MCR_DTR_RTS    0x03u
#define LSR_THR_EMPTY  0x20u
#define DIVISOR_115200 1u /* of 1.8432 MHz / 16 */
#define FIFO_BYTES     16u
#define POLLS_MAX      1000000u

static uint8_t get(const struct uart *u, unsigned offset) { return u->access.read(u->access.context, offset); }

static void set(const struct uart *u, unsigned offset, uint8_t value)
{
	u->access.write(u->access.context, offset, value);
}

/* The scratch register keeps what is written, but only where there is one. */
static bool answers(const struct uart *u)
{
	set(u, SCR, 0xa5);
	if (get(u, SCR) != 0xa5)
		return false;
	set(u, SCR, 0x5a);
	return get(u, SCR) == 0x5a && get(u, LSR) != 0xff;
}

bool uart_start(struct uart *u, const struct uart_access *access)
{
	u->access = *access;
	u->present = answers(u);
	if (!u->present)
		return false;
	set(u, LCR, LCR_DLAB);
	set(u, THR, DIVISOR_115200);
	set(u, IER, 0);
	set(u, LCR, LCR_8N1);
	set(u, IER, 0); /* no interrupts */
	set(u, FCR, FCR_ENABLE);
	set(u, MCR, MCR_DTR_RTS);
	return true;
}

static bool wait_empty(struct uart *u)
{
	for (uint32_t i = 0; i < POLLS_MAX; i++) {
		if (get(u, LSR) & LSR_THR_EMPTY)
			return true;
	}
	u->present = false;
	return false;
}

void uart_write(struct uart *u, const char *text, size_t n)
{
	unsigned room = 0; /* the FIFO is empty when LSR says so: then 16 bytes fit */

	for (size_t i = 0; u->present && i < n; i++) {
		if (room < 2) { /* for CR and LF */
			if (!wait_empty(u))
				return;
			room = FIFO_BYTES;
		}
		if (text[i] == '\n') {
			set(u, THR, '\r');
			room--;
		}
		set(u, THR, (uint8_t)text[i]);
		room--;
	}
}
