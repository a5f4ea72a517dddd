#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "drivers/uart.h"

/* A 16550 whose FIFO loses what comes when it is full, and which is emptied by being polled. */
static struct {
	bool absent, stuck, no_scratch;
	uint8_t registers[8], divisor[2];
	unsigned fifo, lost, sent;
	unsigned polls_until_empty;
	char text[256];
} chip;

static uint8_t chip_read(void *context, unsigned offset)
{
	assert_ptr_equal(context, &chip);
	assert_in_range(offset, 0, 7);
	if (chip.absent)
		return 0xff;
	if (offset != 5)
		return chip.registers[offset];
	if (chip.stuck)
		return 0;
	if (chip.fifo && chip.polls_until_empty-- == 0)
		chip.fifo = 0;
	return chip.fifo ? 0 : 0x60;
}

static void chip_write(void *context, unsigned offset, uint8_t value)
{
	assert_ptr_equal(context, &chip);
	assert_in_range(offset, 0, 7);
	if (offset <= 1 && chip.registers[3] & 0x80) {
		chip.divisor[offset] = value;
	} else if (offset == 0) {
		if (chip.fifo == 16) {
			chip.lost++;
			return;
		}
		chip.fifo++;
		chip.polls_until_empty = 3;
		chip.text[chip.sent++ % sizeof(chip.text)] = (char)value;
	} else if (!(offset == 7 && chip.no_scratch)) {
		chip.registers[offset] = value;
	}
}

static const struct uart_access access_chip = { chip_read, chip_write, &chip };
static struct uart uart;

static int reset(void **state)
{
	(void)state;
	memset(&chip, 0, sizeof(chip));
	memset(chip.registers, 0x7f, sizeof(chip.registers));
	return 0;
}

static void test_start(void **state)
{
	(void)state;
	assert_true(uart_start(&uart, &access_chip));
	assert_int_equal(chip.divisor[0], 1);
	assert_int_equal(chip.divisor[1], 0);
	assert_int_equal(chip.registers[1], 0);
	assert_int_equal(chip.registers[2] & 1, 1);
	assert_int_equal(chip.registers[3], 3);
	assert_int_equal(chip.registers[4] & 3, 3);
}

static void test_absent(void **state)
{
	(void)state;
	chip.absent = true;
	assert_false(uart_start(&uart, &access_chip));
	uart_write(&uart, "x", 1);
	assert_int_equal(chip.sent, 0);
	reset(NULL);
	chip.no_scratch = true;
	assert_false(uart_start(&uart, &access_chip));
}

static void test_write(void **state)
{
	char line[100];

	(void)state;
	uart_start(&uart, &access_chip);
	uart_write(&uart, "a\nb", 3);
	assert_memory_equal(chip.text, "a\r\nb", 4);
	memset(line, '\n', sizeof(line));
	uart_write(&uart, line, 99);
	uart_write(&uart, "0123456789012345678901234567890123456789", 40);
	assert_int_equal(chip.lost, 0);
	assert_int_equal(chip.sent, 4 + 2 * 99 + 40);
}

static void test_stuck(void **state)
{
	(void)state;
	uart_start(&uart, &access_chip);
	chip.stuck = true;
	uart_write(&uart, "abc", 3);
	assert_int_equal(chip.sent, 0);
	assert_false(uart.present);
	chip.stuck = false;
	uart_start(&uart, &access_chip);
	uart_write(&uart, "abc", 3);
	assert_int_equal(chip.sent, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_start, reset),
		cmocka_unit_test_setup(test_absent, reset),
		cmocka_unit_test_setup(test_write, reset),
		cmocka_unit_test_setup(test_stuck, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
