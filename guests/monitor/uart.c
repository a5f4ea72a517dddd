/* uart.c: registers of the 16550A. Names are the data sheet's. */
#include "uart.h"

enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RECEIVE  0x01
#define IER_TRANSMIT 0x02
#define IER_LINE     0x04
#define IER_MODEM    0x08

#define IIR_NONE     0x01
#define IIR_MODEM    0x00
#define IIR_TRANSMIT 0x02
#define IIR_RECEIVE  0x04
#define IIR_LINE     0x06
#define IIR_TIMEOUT  0x0c
#define IIR_FIFO     0xc0

#define FCR_ENABLE	   0x01
#define FCR_CLEAR_RECEIVE  0x02
#define FCR_CLEAR_TRANSMIT 0x04

#define LCR_DLAB 0x80

#define MCR_OUT2 0x08
#define MCR_LOOP 0x10

#define LSR_DATA    0x01
#define LSR_OVERRUN 0x02
#define LSR_THRE    0x20
#define LSR_TEMT    0x40

#define MSR_LINES 0xb0 /* CTS, DSR, DCD: somebody listens */

static void fifo_put(struct uart_fifo *fifo, uint8_t byte)
{
	fifo->data[(fifo->first + fifo->count) % UART_FIFO] = byte;
	fifo->count++;
}

static uint8_t fifo_get(struct uart_fifo *fifo)
{
	uint8_t byte = fifo->data[fifo->first];

	fifo->first = (fifo->first + 1) % UART_FIFO;
	fifo->count--;
	return byte;
}

static unsigned fifo_depth(const struct uart *uart) { return uart->fcr & FCR_ENABLE ? UART_FIFO : 1; }

/* Received bytes show "data available" from the trigger level on, and "timeout" below it: at once,
 * as no time passes here. */
static uint8_t receive_identity(const struct uart *uart)
{
	static const uint8_t trigger[] = { 1, 4, 8, 14 };

	if (!(uart->fcr & FCR_ENABLE) || uart->receive.count >= trigger[uart->fcr >> 6])
		return IIR_RECEIVE;
	return IIR_TIMEOUT;
}

/* The most urgent enabled interrupt (data sheet, table 4). */
static uint8_t identity(const struct uart *uart)
{
	if (uart->ier & IER_LINE && uart->line_errors)
		return IIR_LINE;
	if (uart->ier & IER_RECEIVE && uart->receive.count)
		return receive_identity(uart);
	if (uart->ier & IER_TRANSMIT && uart->transmit_pending)
		return IIR_TRANSMIT;
	if (uart->ier & IER_MODEM && uart->modem_delta)
		return IIR_MODEM;
	return IIR_NONE;
}

/* OUT2 gates the interrupt in a PC, and is off in loopback. */
static void update_line(struct uart *uart)
{
	bool level = identity(uart) != IIR_NONE && (uart->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

	if (level == uart->line)
		return;
	uart->line = level;
	wire_set(&uart->wire, level);
}

static void fill_receiver(struct uart *uart)
{
	int byte;

	while (uart->receive.count < fifo_depth(uart) && (byte = uart->outside.get(uart->outside.context)) >= 0)
		fifo_put(&uart->receive, (uint8_t)byte);
}

/* Sends what waited for room. The transmitter is empty when all of it has gone. */
static void drain_transmitter(struct uart *uart)
{
	if (!uart->transmit.count)
		return;
	while (uart->transmit.count) {
		if (!uart->outside.put(uart->outside.context, uart->transmit.data[uart->transmit.first]))
			return;
		fifo_get(&uart->transmit);
	}
	uart->transmit_pending = true;
}

static void receive_loopback(struct uart *uart, uint8_t byte)
{
	if (uart->receive.count < fifo_depth(uart))
		fifo_put(&uart->receive, byte);
	else
		uart->line_errors |= LSR_OVERRUN;
	uart->transmit_pending = true;
}

static void transmit(struct uart *uart, uint8_t byte)
{
	if (uart->mcr & MCR_LOOP) {
		receive_loopback(uart, byte);
		return;
	}
	if (!uart->transmit.count && uart->outside.put(uart->outside.context, byte)) {
		/* Empty again already: the line need not fall in between, one edge serves a whole
		 * burst. */
		uart->transmit_pending = true;
		return;
	}
	uart->transmit_pending = false;
	if (uart->transmit.count < fifo_depth(uart))
		fifo_put(&uart->transmit, byte);
}

static uint8_t receive(struct uart *uart)
{
	uint8_t byte = uart->receive.count ? fifo_get(&uart->receive) : 0;

	if (!uart->receive.count && !(uart->mcr & MCR_LOOP))
		fill_receiver(uart);
	return byte;
}

static uint8_t line_status(struct uart *uart)
{
	uint8_t status = uart->line_errors | (uart->receive.count ? LSR_DATA : 0);

	if (!uart->transmit.count)
		status |= LSR_THRE | LSR_TEMT;
	uart->line_errors = 0;
	return status;
}

/* In loopback the modem's inputs are the MCR's outputs: DTR, RTS, OUT1, OUT2 to DSR, CTS, RI, DCD.
 */
static uint8_t modem_lines(const struct uart *uart)
{
	uint8_t mcr = uart->mcr;

	if (!(mcr & MCR_LOOP))
		return MSR_LINES;
	return (uint8_t)((mcr & 1) << 5 | (mcr & 2) << 3 | (mcr & 4) << 4 | (mcr & 8) << 4);
}

static uint8_t modem_status(struct uart *uart)
{
	uint8_t status = modem_lines(uart) | uart->modem_delta;

	uart->modem_delta = 0;
	return status;
}

static uint8_t interrupt_identity(struct uart *uart)
{
	uint8_t id = identity(uart);

	/* Reading it acknowledges "transmitter empty" (data sheet, table 4). */
	if (id == IIR_TRANSMIT)
		uart->transmit_pending = false;
	return id | (uart->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static void write_mcr(struct uart *uart, uint8_t value)
{
	uint8_t before = modem_lines(uart), changed;

	uart->mcr = value & 0x1f;
	changed = before ^ modem_lines(uart);
	/* RI (bit 6) only counts when it falls. */
	uart->modem_delta |= changed >> 4 & 0x0b;
	if (changed & before & 0x40)
		uart->modem_delta |= 0x04;
}

static void write_ier(struct uart *uart, uint8_t value)
{
	/* Enabling the interrupt of an empty transmitter raises it; drivers probe for that. */
	if (value & ~uart->ier & IER_TRANSMIT && !uart->transmit.count)
		uart->transmit_pending = true;
	uart->ier = value & 0x0f;
}

static void write_fcr(struct uart *uart, uint8_t value)
{
	/* Switching FIFOs on or off clears both. */
	if ((value ^ uart->fcr) & FCR_ENABLE)
		value |= FCR_CLEAR_RECEIVE | FCR_CLEAR_TRANSMIT;
	if (value & FCR_CLEAR_RECEIVE)
		uart->receive.count = 0;
	if (value & FCR_CLEAR_TRANSMIT && uart->transmit.count) {
		uart->transmit.count = 0;
		uart->transmit_pending = true;
	}
	uart->fcr = value & (0xc0 | FCR_ENABLE);
	if (!(uart->mcr & MCR_LOOP))
		fill_receiver(uart);
}

static uint8_t read_register(struct uart *uart, unsigned reg)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (reg) {
	case RBR_THR: return dlab ? uart->divisor_low : receive(uart);
	case IER: return dlab ? uart->divisor_high : uart->ier;
	case IIR_FCR: return interrupt_identity(uart);
	case LCR: return uart->lcr;
	case MCR: return uart->mcr;
	case LSR: return line_status(uart);
	case MSR: return modem_status(uart);
	default: return uart->scratch;
	}
}

static void write_register(struct uart *uart, unsigned reg, uint8_t value)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (reg) {
	case RBR_THR:
		if (dlab)
			uart->divisor_low = value;
		else
			transmit(uart, value);
		break;
	case IER:
		if (dlab)
			uart->divisor_high = value;
		else
			write_ier(uart, value);
		break;
	case IIR_FCR: write_fcr(uart, value); break;
	case LCR: uart->lcr = value; break;
	case MCR: write_mcr(uart, value); break;
	case SCR: uart->scratch = value; return;
	}
	update_line(uart);
}

uint32_t uart_read(void *device, uint16_t port, unsigned size)
{
	struct uart *uart = device;

	(void)size;
	bh_lock(&uart->lock);
	uint8_t value = read_register(uart, port & 7);
	update_line(uart);
	bh_unlock(&uart->lock);
	return value;
}

void uart_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct uart *uart = device;

	(void)size;
	bh_lock(&uart->lock);
	write_register(uart, port & 7, (uint8_t)value);
	bh_unlock(&uart->lock);
}

void uart_service(struct uart *uart)
{
	bh_lock(&uart->lock);
	drain_transmitter(uart);
	if (!(uart->mcr & MCR_LOOP))
		fill_receiver(uart);
	update_line(uart);
	bh_unlock(&uart->lock);
}

void uart_init(struct uart *uart, const struct uart_outside *outside, const struct wire *wire)
{
	*uart = (struct uart){ .outside = *outside, .wire = *wire };
}
