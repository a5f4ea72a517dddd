/* serial.c: the 16550. Register names and bits are the data sheet's, section 8. */
#include "serial.h"

#define RBR	  0 /* read: received byte */
#define THR	  0 /* write: byte to send */
#define IER	  1
#define IER_RX	  0x01
#define IER_THRE  0x02
#define IIR	  2 /* read */
#define IIR_NONE  0x01
#define FCR	  2 /* write */
#define FCR_ON	  0x01
#define FCR_RX_8  0x80 /* interrupt at 8 bytes, or when the line has been quiet for 4 characters */
#define LCR	  3
#define LCR_8N1	  0x03
#define LCR_DLAB  0x80 /* registers 0 and 1 are the divisor */
#define MCR	  4
#define MCR_READY 0x0b /* DTR, RTS, OUT2 (lets the interrupt out on a PC) */
#define LSR	  5
#define LSR_DR	  0x01
#define LSR_THRE  0x20
#define MSR	  6
#define SCR	  7

#define DIVISOR_115200 1

static struct serial_access uart;
static bool present;
static uint8_t interrupts; /* as last written to IER */

static uint8_t out[SERIAL_OUT_BYTES], in[SERIAL_IN_BYTES];
static uint32_t out_put, out_got, in_put, in_got; /* count bytes; sizes are powers of two */

static uint8_t get(unsigned offset) { return uart.read(uart.context, offset); }

static void set(unsigned offset, uint8_t value) { uart.write(uart.context, offset, value); }

static bool answers(void)
{
	set(SCR, 0x5a);
	if (get(SCR) != 0x5a)
		return false;
	set(SCR, 0xa5);
	return get(SCR) == 0xa5;
}

static void set_interrupts(uint8_t value)
{
	if (interrupts == value)
		return;
	interrupts = value;
	set(IER, value);
}

bool serial_start(const struct serial_access *access)
{
	uart = *access;
	out_put = out_got = in_put = in_got = 0;
	present = answers();
	if (!present)
		return false;

	set(IER, 0);
	interrupts = 0;
	set(LCR, LCR_8N1 | LCR_DLAB);
	/* The kernel has set the speed already; setting it again could spoil the byte that is on
	 * the line. */
	if (get(0) != DIVISOR_115200 || get(1) != 0) {
		set(0, DIVISOR_115200);
		set(1, 0);
	}
	set(LCR, LCR_8N1);
	set(FCR, FCR_ON | FCR_RX_8); /* without the bits that clear the FIFOs */
	set(MCR, MCR_READY);
	set_interrupts(IER_RX);
	serial_service();
	return true;
}

bool serial_present(void) { return present; }

static void receive(void)
{
	/* A device gone mad could have a byte ready for ever: take no more than fit. */
	for (uint32_t i = 0; i < SERIAL_IN_BYTES && get(LSR) & LSR_DR; i++) {
		uint8_t byte = get(RBR);

		if (in_put - in_got < SERIAL_IN_BYTES)
			in[in_put++ % SERIAL_IN_BYTES] = byte;
	}
}

static void transmit(void)
{
	if (get(LSR) & LSR_THRE)
		for (unsigned i = 0; i < SERIAL_FIFO && out_got != out_put; i++)
			set(THR, out[out_got++ % SERIAL_OUT_BYTES]);
	/* One interrupt more, when the FIFO is empty, as long as something waits. */
	set_interrupts(out_got != out_put ? IER_RX | IER_THRE : IER_RX);
}

void serial_service(void)
{
	if (!present)
		return;
	/*
	 * The interrupt is edge-triggered: until every cause is gone the line stays up and nothing
	 * is heard of again. Reading IIR clears the transmitter's cause, RBR the receiver's, LSR
	 * and MSR theirs.
	 */
	for (unsigned i = 0; i < 8; i++) {
		uint8_t cause = get(IIR);

		receive();
		get(MSR);
		transmit();
		if (cause & IIR_NONE)
			return;
	}
}

size_t serial_room(void) { return SERIAL_OUT_BYTES - (out_put - out_got); }

size_t serial_write(const void *from, size_t bytes)
{
	const uint8_t *text = from;
	size_t room = serial_room();
	size_t count = bytes < room ? bytes : room;

	if (!present)
		return bytes;
	for (size_t i = 0; i < count; i++)
		out[out_put++ % SERIAL_OUT_BYTES] = text[i];
	transmit();
	return count;
}

bool serial_sending(void) { return present && out_put != out_got; }

int serial_read(void) { return in_put == in_got ? -1 : in[in_got++ % SERIAL_IN_BYTES]; }

bool serial_interrupted(void)
{
	for (uint32_t at = in_put; at != in_got; at--) {
		if (in[(at - 1) % SERIAL_IN_BYTES] == 0x03) {
			in_got = at;
			return true;
		}
	}
	return false;
}

void serial_give_up(void)
{
	present = false;
	out_got = out_put;
}
