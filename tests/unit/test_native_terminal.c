/* The rings of a console channel: both ends, two threads, and peers that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>
#include <cmocka.h>
#include "guests/lib/bh.h"
#include "guests/lib/terminal.h"

#define PARTITION_CHANNEL 1u
#define CONSOLE_CHANNEL	  2u

static struct bh_terminal shared;
static struct bh_info info;
static mtx_t mutex;
static cnd_t cond;
static unsigned signalled[3]; /* by the handle of who is to hear it */

int64_t bh_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	(void)b, (void)c, (void)d, (void)e;
	if (number == BH_CHANNEL_BIND)
		return a == PARTITION_CHANNEL ? 0 : -BH_EBADF;
	assert_int_equal(number, BH_CHANNEL_SIGNAL);
	mtx_lock(&mutex);
	signalled[3 - a]++;
	cnd_broadcast(&cond);
	mtx_unlock(&mutex);
	return 0;
}

const struct bh_info *bh_info(void) { return &info; }

uint64_t bh_rdtsc(void) { return 0; }

unsigned bh_vcpu(void) { return 0; }

static struct terminal partition, console;

static int setup(void **state)
{
	(void)state;
	memset(&shared, 0, sizeof(shared));
	memset(signalled, 0, sizeof(signalled));
	terminal_open(&partition, &shared, PARTITION_CHANNEL, TERMINAL_PARTITION);
	terminal_open(&console, &shared, CONSOLE_CHANNEL, TERMINAL_CONSOLE);
	return 0;
}

static void carries_both_ways(void **state)
{
	char text[16] = { 0 };

	(void)state;
	assert_int_equal(terminal_write(&partition, "hello", 5), 5);
	assert_int_equal(terminal_read(&console, text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(terminal_read(&console, text, sizeof(text)), 0);
	assert_int_equal(terminal_write(&console, "abc", 3), 3);
	assert_int_equal(terminal_read(&partition, text, 2), 2);
	assert_int_equal(terminal_read(&partition, text + 2, 2), 1);
	assert_memory_equal(text, "abc", 3);
}

static void signals_only_a_reader_that_may_sleep(void **state)
{
	char text[16];

	(void)state;
	terminal_write(&partition, "a", 1);
	terminal_write(&partition, "b", 1);
	assert_int_equal(signalled[CONSOLE_CHANNEL], 1);
	terminal_read(&console, text, sizeof(text));
	terminal_write(&partition, "c", 1);
	assert_int_equal(signalled[CONSOLE_CHANNEL], 2);
}

static void full_ring_asks_for_a_signal(void **state)
{
	static uint8_t big[BH_TERMINAL_OUT_BYTES + 10];
	static uint8_t back[sizeof(big)];

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(terminal_write(&partition, big, sizeof(big)), BH_TERMINAL_OUT_BYTES);
	assert_int_equal(terminal_room(&partition), 0);
	assert_int_equal(signalled[PARTITION_CHANNEL], 0);
	assert_int_equal(terminal_read(&console, back, 100), 100);
	assert_int_equal(signalled[PARTITION_CHANNEL], 1);
	assert_int_equal(terminal_write(&partition, big + BH_TERMINAL_OUT_BYTES, 10), 10);
	assert_int_equal(terminal_read(&console, back + 100, sizeof(back)), sizeof(big) - 100);
	assert_memory_equal(big, back, sizeof(big));
	assert_int_equal(signalled[PARTITION_CHANNEL], 1);
}

static void positions_wrap_at_32_bits(void **state)
{
	(void)state;
	shared.out_position.written = shared.out_position.read = UINT32_MAX - 5;
	terminal_open(&partition, &shared, PARTITION_CHANNEL, TERMINAL_PARTITION);
	terminal_open(&console, &shared, CONSOLE_CHANNEL, TERMINAL_CONSOLE);
	for (unsigned i = 0; i < 10; i++) {
		char text[8] = { 0 };

		assert_int_equal(terminal_write(&partition, "1234567", 7), 7);
		assert_int_equal(terminal_read(&console, text, 8), 7);
		assert_string_equal(text, "1234567");
	}
}

static void what_was_not_read_survives_a_restart(void **state)
{
	char text[8] = { 0 };

	(void)state;
	terminal_write(&partition, "before", 6);
	terminal_open(&partition, &shared, PARTITION_CHANNEL, TERMINAL_PARTITION);
	terminal_open(&console, &shared, CONSOLE_CHANNEL, TERMINAL_CONSOLE);
	terminal_write(&partition, "!", 1);
	assert_int_equal(terminal_read(&console, text, sizeof(text)), 7);
	assert_string_equal(text, "before!");
}

static void lying_writer_is_skipped(void **state)
{
	char text[8];

	(void)state;
	shared.out_position.written = 0x80000000u;
	assert_int_equal(terminal_read(&console, text, sizeof(text)), 0);
	terminal_open(&partition, &shared, PARTITION_CHANNEL, TERMINAL_PARTITION);
	assert_int_equal(terminal_write(&partition, "ok", 2), 2);
	assert_int_equal(terminal_read(&console, text, sizeof(text)), 2);
	assert_memory_equal(text, "ok", 2);
}

static void lying_reader_does_not_block(void **state)
{
	(void)state;
	shared.out_position.read = 77;
	assert_int_equal(terminal_write(&partition, "abc", 3), 3);
	shared.out_position.read = 0xffff0000u;
	assert_int_equal(terminal_write(&partition, "abc", 3), 3);
	assert_true(terminal_room(&partition) > 0);
}

static void finds_the_console_channel(void **state)
{
	struct terminal own;

	(void)state;
	memset(&info, 0, sizeof(info));
	assert_false(terminal_open_console(&own, 0, 1));
	info.handles = 1;
	info.handle[0] = (struct bh_info_handle){ .name = "console",
						  .type = BH_HANDLE_CHANNEL,
						  .handle = PARTITION_CHANNEL,
						  .address = (uintptr_t)&shared,
						  .bytes = 4096 };
	assert_false(terminal_open_console(&own, 0, 1)); /* too small */
	info.handle[0].bytes = BH_TERMINAL_BYTES;
	assert_true(terminal_open_console(&own, 0, 1));
	terminal_printf(&own, "%d", 42);
	assert_int_equal(terminal_read(&console, &own, 5), 2);
}

/* Two threads, sleeping only on signals: a lost one hangs, which the wait's limit turns into a
 * failure. */
#define STREAM 2000000u
static _Atomic bool timed_out;

static void sleep_on(unsigned channel, unsigned *seen)
{
	struct timespec limit;

	timespec_get(&limit, TIME_UTC);
	limit.tv_sec += 10;
	mtx_lock(&mutex);
	while (signalled[channel] == *seen && !timed_out)
		if (cnd_timedwait(&cond, &mutex, &limit) != thrd_success)
			timed_out = true;
	*seen = signalled[channel];
	mtx_unlock(&mutex);
}

static int stream(void *unused)
{
	uint32_t sent = 0, random = 1;
	unsigned seen = 0;

	while (sent < STREAM && !timed_out) {
		uint8_t chunk[3000];
		uint32_t count = (random = random * 1103515245 + 12345) >> 8 & 2047;

		count = count < STREAM - sent ? count + 1 : STREAM - sent;
		count = count < STREAM - sent ? count : STREAM - sent;
		for (uint32_t i = 0; i < count; i++)
			chunk[i] = (uint8_t)((sent + i) * 131 >> 5);
		for (uint32_t done = 0; done < count && !timed_out;) {
			size_t taken = terminal_write(&partition, chunk + done, count - done);

			done += (uint32_t)taken;
			if (done < count)
				sleep_on(PARTITION_CHANNEL, &seen);
		}
		sent += count;
	}
	(void)unused;
	return 0;
}

static void loses_nothing_between_threads(void **state)
{
	thrd_t writer;
	uint32_t got = 0, wrong = 0;
	unsigned seen = 0;

	(void)state;
	timed_out = false;
	assert_int_equal(thrd_create(&writer, stream, NULL), thrd_success);
	while (got < STREAM && !timed_out) {
		uint8_t chunk[5000];
		size_t count = terminal_read(&console, chunk, sizeof(chunk));

		for (size_t i = 0; i < count; i++)
			wrong += chunk[i] != (uint8_t)((got + i) * 131 >> 5);
		got += (uint32_t)count;
		if (!count)
			sleep_on(CONSOLE_CHANNEL, &seen);
	}
	thrd_join(writer, NULL);
	assert_false(timed_out);
	assert_int_equal(wrong, 0);
	assert_int_equal(got, STREAM);
}

int main(void)
{
	mtx_init(&mutex, mtx_plain);
	cnd_init(&cond);

	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(carries_both_ways, setup),
		cmocka_unit_test_setup(signals_only_a_reader_that_may_sleep, setup),
		cmocka_unit_test_setup(full_ring_asks_for_a_signal, setup),
		cmocka_unit_test_setup(positions_wrap_at_32_bits, setup),
		cmocka_unit_test_setup(what_was_not_read_survives_a_restart, setup),
		cmocka_unit_test_setup(lying_writer_is_skipped, setup),
		cmocka_unit_test_setup(lying_reader_does_not_block, setup),
		cmocka_unit_test_setup(finds_the_console_channel, setup),
		cmocka_unit_test_setup(loses_nothing_between_threads, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
