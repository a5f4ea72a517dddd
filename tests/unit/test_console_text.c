/* Pure parts of the console: numbers in words, nearest names, exits in words, scrollback, the UART.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <bulkhead/abi.h>
#include "guests/console/exit_words.h"
#include "guests/console/scrollback.h"
#include "guests/console/serial.h"
#include "guests/console/words.h"

static void sizes(void **state)
{
	char text[WORDS_BYTES];

	(void)state;
	assert_string_equal(words_size(text, 0), "0 B");
	assert_string_equal(words_size(text, 1023), "1023 B");
	assert_string_equal(words_size(text, 1024), "1 KiB");
	assert_string_equal(words_size(text, 1536), "1.5 KiB");
	assert_string_equal(words_size(text, 64ull << 20), "64 MiB");
	assert_string_equal(words_size(text, 5ull << 29), "2.5 GiB");
	assert_string_equal(words_size(text, UINT64_MAX), "15 EiB");
}

static void durations(void **state)
{
	char text[WORDS_BYTES];
	const uint64_t hz = 100000000;

	(void)state;
	assert_string_equal(words_ticks(text, 12, hz), "120 ns");
	assert_string_equal(words_ticks(text, 1200, hz), "12 us");
	assert_string_equal(words_ticks(text, 340000, hz), "3.4 ms");
	assert_string_equal(words_ticks(text, 59 * hz + hz / 5, hz), "59.2 s");
	assert_string_equal(words_ticks(text, 200 * hz, hz), "3m 20s");
	assert_string_equal(words_ticks(text, (5 * 3600 + 120) * hz, hz), "5h 02m");
	assert_string_equal(words_ticks(text, 76 * 3600 * hz, hz), "3d 04h");
	assert_string_equal(words_ticks(text, UINT64_MAX, 3000000000u), "71167d 23h");
	assert_string_equal(words_ticks(text, 5, 0), "0 ns");
}

static void shares(void **state)
{
	char text[WORDS_BYTES];

	(void)state;
	assert_string_equal(words_share(text, 0, 0), "0.00 %");
	assert_string_equal(words_share(text, 307, 10000), "3.07 %");
	assert_string_equal(words_share(text, 1ull << 62, 1ull << 63), "50.00 %");
}

static void numbers(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_true(words_number("1", 500, &n));
	assert_int_equal(n, 1);
	assert_true(words_number("500", 500, &n));
	assert_int_equal(n, 500);
	assert_false(words_number("501", 500, &n));
	assert_false(words_number("0", 500, &n));
	assert_false(words_number("", 500, &n));
	assert_false(words_number("-3", 500, &n));
	assert_false(words_number("3x", 500, &n));
	assert_false(words_number("99999999999999999999999", 500, &n));
}

static void nearest_names(void **state)
{
	const char *const names[] = { "linux1", "linux2", "hello", "ping" };

	(void)state;
	assert_int_equal(words_nearest("helo", names, 4), 2);
	assert_int_equal(words_nearest("pign", names, 4), 3);
	assert_int_equal(words_nearest("linux", names, 4), 0);
	assert_int_equal(words_nearest("linux3", names, 4), 0);
	assert_int_equal(words_nearest("xyzzy", names, 4), -1);
	assert_int_equal(words_nearest("q", names, 4), -1);
	assert_int_equal(words_nearest("", names, 4), -1);
	assert_int_equal(words_nearest("a-very-long-name-that-is-longer-than-any-name-may-be", names, 4), -1);
}

static void exits_in_words(void **state)
{
	char text[EXIT_WORDS_BYTES];

	(void)state;
	assert_string_equal(exit_words(text, BH_EXIT_PIO, 0x3f8 << 16), "out 0x3f8 (COM1)");
	assert_string_equal(exit_words(text, BH_EXIT_PIO, 0x1234000b), "in 0x1234");
	assert_string_equal(exit_words(text, BH_EXIT_PIO, 0x00700010), "outs 0x70 (RTC)");
	assert_string_equal(exit_words(text, BH_EXIT_CONTROL_REGISTER, 0x304), "mov to cr4");
	assert_string_equal(exit_words(text, BH_EXIT_CPUID, 1), "cpuid 0x1");
	assert_string_equal(exit_words(text, BH_EXIT_HYPERCALL, BH_WAIT), "hypercall BH_WAIT");
	assert_string_equal(exit_words(text, BH_EXIT_HYPERCALL, 9), "hypercall 0x9");
	assert_string_equal(exit_words(text, BH_EXIT_MSR_WRITE, 0x6e0), "wrmsr 0x6e0 (TSC_DEADLINE)");
	assert_string_equal(exit_words(text, BH_EXIT_HLT, 7), "hlt");
	assert_string_equal(exit_words(text, BH_EXIT_REASONS, 0), "unknown exit 0x15");
	for (uint64_t reason = 0; reason < 40; reason++)
		assert_true(strlen(exit_words(text, reason, UINT64_MAX)) < EXIT_WORDS_BYTES - 1);
}

static void scrollback_keeps_the_last(void **state)
{
	static char data[1024];
	struct scrollback s;
	char text[1100];

	(void)state;
	scrollback_start(&s, data, sizeof(data));
	assert_int_equal(scrollback_tail(&s, 100), 0);
	scrollback_add(&s, "one\ntwo\nthree", 13);
	assert_int_equal(scrollback_kept(&s), 13);
	assert_int_equal(scrollback_tail(&s, 1000), 13);
	/* Cut to a line's start: "three" and not "o\nthree". */
	assert_int_equal(scrollback_tail(&s, 7), 5);
	assert_int_equal(scrollback_copy(&s, 5, text, sizeof(text)), 5);
	assert_memory_equal(text, "three", 5);

	for (int i = 0; i < 1000; i++)
		scrollback_add(&s, "0123456", 7);
	assert_int_equal(scrollback_kept(&s), 1024);
	assert_int_equal(scrollback_tail(&s, UINT32_MAX), 1024); /* no line to begin at */
	assert_int_equal(scrollback_copy(&s, 14, text, 7), 7);
	assert_memory_equal(text, "0123456", 7);

	memset(text, 'x', sizeof(text));
	text[1099] = 'y';
	scrollback_add(&s, text, 1100); /* more than fits */
	assert_int_equal(scrollback_copy(&s, 2, text, 2), 2);
	assert_memory_equal(text, "xy", 2);
}

static void scrollback_without_memory(void **state)
{
	struct scrollback s;

	(void)state;
	scrollback_start(&s, NULL, 65536);
	scrollback_add(&s, "abc", 3);
	assert_int_equal(scrollback_kept(&s), 0);
	assert_int_equal(scrollback_tail(&s, 100), 0);
}

/* ---- a 16550 that remembers ---- */

static struct fake {
	bool absent, empty; /* empty: the transmitter */
	uint8_t reg[8], divisor[2];
	char typed[128], sent[256];
	size_t typed_count, typed_got, sent_count, divisor_writes, clears;
} fake;

static uint8_t fake_read(void *context, unsigned offset)
{
	(void)context;
	if (fake.absent)
		return 0xff;
	if (offset < 2 && fake.reg[3] & 0x80)
		return fake.divisor[offset];
	switch (offset) {
	case 0: assert_true(fake.typed_got < fake.typed_count); return (uint8_t)fake.typed[fake.typed_got++];
	case 2:
		if (fake.reg[1] & 1 && fake.typed_got < fake.typed_count)
			return 0xc4;
		return fake.reg[1] & 2 && fake.empty ? 0xc2 : 0xc1;
	case 5: return (uint8_t)((fake.empty ? 0x60 : 0) | (fake.typed_got < fake.typed_count ? 1 : 0));
	default: return fake.reg[offset];
	}
}

static void fake_write(void *context, unsigned offset, uint8_t value)
{
	(void)context;
	if (offset < 2 && fake.reg[3] & 0x80) {
		fake.divisor[offset] = value;
		fake.divisor_writes++;
		return;
	}
	if (offset == 0) {
		fake.sent[fake.sent_count++] = (char)value;
		if (fake.sent_count % 16 == 0)
			fake.empty = false;
		return;
	}
	if (offset == 2 && value & 6)
		fake.clears++;
	fake.reg[offset] = value;
}

static const struct serial_access access = { fake_read, fake_write, NULL };

static int fresh_uart(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.empty = true;
	fake.divisor[0] = 1;
	return 0;
}

static void uart_sends_by_interrupt(void **state)
{
	char text[40];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_true(serial_start(&access));
	assert_int_equal(fake.divisor_writes, 0); /* the speed was right */
	assert_int_equal(fake.clears, 0);
	assert_int_equal(fake.reg[1], 1);
	assert_int_equal(fake.reg[4], 0x0b);

	assert_int_equal(serial_write(text, sizeof(text)), sizeof(text));
	assert_int_equal(fake.sent_count, 16);
	assert_int_equal(fake.reg[1], 3); /* wants to hear when it is empty */
	serial_service();
	assert_int_equal(fake.sent_count, 16);
	fake.empty = true;
	serial_service();
	assert_int_equal(fake.sent_count, 32);
	assert_true(serial_sending());
	fake.empty = true;
	serial_service();
	assert_int_equal(fake.sent_count, 40);
	assert_false(serial_sending());
	assert_int_equal(fake.reg[1], 1);
}

static void uart_receives(void **state)
{
	(void)state;
	assert_true(serial_start(&access));
	memcpy(fake.typed,
	       "ab\x03"
	       "c",
	       4);
	fake.typed_count = 4;
	serial_service();
	assert_int_equal(serial_read(), 'a');
	assert_true(serial_interrupted());
	assert_false(serial_interrupted());
	assert_int_equal(serial_read(), 'c');
	assert_int_equal(serial_read(), -1);
}

static void uart_sets_the_speed(void **state)
{
	(void)state;
	fake.divisor[0] = 12;
	assert_true(serial_start(&access));
	assert_int_equal(fake.divisor[0], 1);
	assert_int_equal(fake.reg[3], 3);
}

static void no_uart(void **state)
{
	(void)state;
	fake.absent = true;
	assert_false(serial_start(&access));
	assert_int_equal(serial_write("abc", 3), 3);
	serial_service();
	assert_false(serial_sending());
	assert_int_equal(serial_read(), -1);
}

static void full_queue_takes_what_fits(void **state)
{
	static char text[SERIAL_OUT_BYTES + 100];

	(void)state;
	assert_true(serial_start(&access));
	fake.empty = false;
	assert_int_equal(serial_write(text, sizeof(text)), SERIAL_OUT_BYTES);
	assert_int_equal(serial_room(), 0);
	assert_int_equal(serial_write(text, 1), 0);
	serial_give_up();
	assert_int_equal(serial_write(text, 1), 1);
	assert_false(serial_sending());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(shares),
		cmocka_unit_test(numbers),
		cmocka_unit_test(nearest_names),
		cmocka_unit_test(exits_in_words),
		cmocka_unit_test(scrollback_keeps_the_last),
		cmocka_unit_test(scrollback_without_memory),
		cmocka_unit_test_setup(uart_sends_by_interrupt, fresh_uart),
		cmocka_unit_test_setup(uart_receives, fresh_uart),
		cmocka_unit_test_setup(uart_sets_the_speed, fresh_uart),
		cmocka_unit_test_setup(no_uart, fresh_uart),
		cmocka_unit_test_setup(full_queue_takes_what_fits, fresh_uart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
