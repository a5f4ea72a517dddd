/* test_monitor_uart.c: the 16550A as drivers use it: probing, interrupts, a full output, loopback. */
#include "monitor_host.h"
#include "guests/monitor/uart.h"

static struct uart uart;
static char out[64];
static unsigned out_count, out_room, rises;
static const char *in;
static bool level;

static bool put(void *context, uint8_t byte)
{
	(void)context;
	if (out_count == out_room)
		return false;
	out[out_count++] = (char)byte;
	return true;
}

static int get(void *context)
{
	(void)context;
	return in && *in ? (uint8_t)*in++ : -1;
}

static void set(void *context, unsigned irq, bool new_level)
{
	(void)context;
	assert_int_equal(irq, 4);
	assert_true(new_level != level); /* only changes are told */
	level = new_level;
	rises += level;
}

static uint8_t rd(unsigned reg) { return (uint8_t)uart_read(&uart, (uint16_t)(0x3f8 + reg), 1); }

static void wr(unsigned reg, uint8_t value) { uart_write(&uart, (uint16_t)(0x3f8 + reg), 1, value); }

static int setup(void **state)
{
	(void)state;
	host_reset();
	out_count = rises = 0;
	out_room = sizeof(out);
	in = NULL;
	level = false;
	uart_init(&uart, &(struct uart_outside){ put, get, NULL }, &(struct wire){ set, NULL, 4 });
	return 0;
}

static void test_probe(void **state)
{
	(void)state;
	wr(7, 0x5a);
	assert_int_equal(rd(7), 0x5a);
	wr(1, 0xff);
	assert_int_equal(rd(1), 0x0f);
	wr(1, 0);
	assert_int_equal(rd(2), 0x01); /* no FIFO, nothing pending */
	wr(2, 0x01);
	assert_int_equal(rd(2), 0xc1); /* a 16550A */
	assert_int_equal(rd(5), 0x60);
	assert_int_equal(rd(6), 0xb0);
}

static void test_divisor(void **state)
{
	(void)state;
	wr(3, 0x83);
	wr(0, 0x0c);
	wr(1, 0x01);
	assert_int_equal(rd(0), 0x0c);
	assert_int_equal(rd(1), 0x01);
	wr(3, 0x03);
	assert_int_equal(rd(1), 0); /* IER was not touched */
	assert_int_equal(out_count, 0);
}

static void test_transmit(void **state)
{
	(void)state;
	wr(2, 0x01);
	wr(0, 'h');
	wr(0, 'i');
	assert_int_equal(out_count, 2);
	assert_memory_equal(out, "hi", 2);
	assert_int_equal(rd(5), 0x60);
	assert_int_equal(rises, 0); /* interrupts are off */
}

/* A burst from an interrupt handler gives one new edge. */
static void test_transmit_interrupt(void **state)
{
	(void)state;
	wr(2, 0x01);
	wr(4, 0x08);
	wr(1, 0x02);
	assert_int_equal(rises, 1); /* enabling it with an empty transmitter raises it */
	assert_int_equal(rd(2), 0xc2);
	assert_false(level); /* reading the identity acknowledges it */
	assert_int_equal(rd(2), 0xc1);
	for (int i = 0; i < 16; i++)
		wr(0, 'x');
	assert_true(level);
	assert_int_equal(rises, 2);
	wr(1, 0);
	assert_false(level);
}

static void test_out2_gates(void **state)
{
	(void)state;
	wr(1, 0x02);
	assert_int_equal(rises, 0);
	wr(4, 0x08);
	assert_int_equal(rises, 1);
	wr(4, 0x18); /* loopback takes OUT2 away */
	assert_false(level);
}

static void test_no_room(void **state)
{
	(void)state;
	out_room = 3;
	wr(2, 0x01);
	wr(4, 0x08);
	wr(1, 0x02);
	rd(2);
	for (char c = 'a'; c < 'a' + 10; c++)
		wr(0, (uint8_t)c);
	assert_int_equal(out_count, 3);
	assert_int_equal(rd(5) & 0x60, 0); /* busy */
	assert_false(level);
	out_room = 5;
	uart_service(&uart);
	assert_int_equal(out_count, 5);
	assert_int_equal(rd(5) & 0x60, 0);
	out_room = sizeof(out);
	uart_service(&uart);
	assert_memory_equal(out, "abcdefghij", 10);
	assert_int_equal(rd(5) & 0x60, 0x60);
	assert_true(level);
}

/* More than the FIFO holds is lost, as on the chip; the order of the rest is right. */
static void test_overflow(void **state)
{
	(void)state;
	out_room = 0;
	wr(2, 0x01);
	for (char c = 'a'; c < 'a' + 20; c++)
		wr(0, (uint8_t)c);
	out_room = sizeof(out);
	uart_service(&uart);
	assert_int_equal(out_count, 16);
	assert_memory_equal(out, "abcdefghijklmnop", 16);
}

static void test_receive(void **state)
{
	(void)state;
	wr(2, 0xc1);
	wr(4, 0x08);
	wr(1, 0x01);
	in = "0123456789abcdefXY";
	uart_service(&uart);
	assert_int_equal(rises, 1);
	assert_int_equal(*in, 'X'); /* sixteen fit */
	assert_int_equal(rd(2), 0xc4);
	for (const char *c = "0123456789abcdefXY"; *c; c++) {
		assert_int_equal(rd(5) & 1, 1);
		assert_int_equal(rd(0), *c);
	}
	assert_int_equal(rd(5) & 1, 0);
	assert_false(level);
	in = "z";
	uart_service(&uart);
	assert_int_equal(rd(2), 0xcc); /* below the trigger level: timeout */
	assert_int_equal(rises, 2);
	wr(2, 0xc3); /* clears the receiver */
	assert_int_equal(rd(5) & 1, 0);
}

static void test_one_byte_without_fifo(void **state)
{
	(void)state;
	in = "ab";
	uart_service(&uart);
	assert_int_equal(*in, 'b');
	assert_int_equal(rd(0), 'a');
	assert_int_equal(rd(0), 'b');
	assert_int_equal(rd(0), 0);
}

static void test_loopback(void **state)
{
	(void)state;
	wr(4, 0x1a); /* RTS and OUT2 */
	assert_int_equal(rd(6) & 0xf0, 0x90);
	wr(0, 'q');
	assert_int_equal(out_count, 0);
	assert_int_equal(rd(0), 'q');
	wr(0, '1');
	wr(0, '2');
	assert_int_equal(rd(5) & 0x02, 0x02); /* overrun, once */
	assert_int_equal(rd(5) & 0x02, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_probe, setup),
		cmocka_unit_test_setup(test_divisor, setup),
		cmocka_unit_test_setup(test_transmit, setup),
		cmocka_unit_test_setup(test_transmit_interrupt, setup),
		cmocka_unit_test_setup(test_out2_gates, setup),
		cmocka_unit_test_setup(test_no_room, setup),
		cmocka_unit_test_setup(test_overflow, setup),
		cmocka_unit_test_setup(test_receive, setup),
		cmocka_unit_test_setup(test_one_byte_without_fifo, setup),
		cmocka_unit_test_setup(test_loopback, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
