/* test_monitor_pit.c: counters, outputs and interrupts of the 8254 at chosen moments. */
#include "monitor_host.h"
#include "guests/monitor/pit.h"

static struct pit pit;
static unsigned interrupts, deadline_changes;

static uint64_t now(void *context)
{
	(void)context;
	return host_tsc;
}

static void changed(void *context)
{
	(void)context;
	deadline_changes++;
}

static void set(void *context, unsigned irq, bool level)
{
	(void)context;
	assert_int_equal(irq, 0);
	interrupts += level;
}

static void wr(uint16_t port, uint8_t value) { pit_write(&pit, port, 1, value); }

static uint8_t rd(uint16_t port) { return (uint8_t)pit_read(&pit, port, 1); }

/* TSC ticks (nanoseconds) of so many PIT ticks, rounded up. */
static uint64_t ns(uint64_t ticks) { return (ticks * HOST_HZ + PIT_HZ - 1) / PIT_HZ; }

static uint16_t rd_both(unsigned channel)
{
	uint8_t low = rd((uint16_t)(0x40 + channel));

	return (uint16_t)(low | rd((uint16_t)(0x40 + channel)) << 8);
}

static uint16_t latched(unsigned channel)
{
	wr(0x43, (uint8_t)(channel << 6));
	return rd_both(channel);
}

static int setup(void **state)
{
	(void)state;
	host_reset();
	host_tsc = 12345;
	interrupts = deadline_changes = 0;
	pit_init(&pit, &(struct pit_outside){ now, changed, NULL, HOST_HZ }, &(struct wire){ set, NULL, 0 });
	return 0;
}

static void test_counts(void **state)
{
	(void)state;
	wr(0x43, 0x30); /* channel 0, both bytes, mode 0 */
	wr(0x40, 0x10);
	wr(0x40, 0x27); /* 10000 */
	host_tsc += ns(1234);
	assert_int_equal(latched(0), 10000 - 1234);
	wr(0x43, 0x00);
	host_tsc += ns(500); /* latched: does not move */
	wr(0x43, 0x00);	     /* nor by a second latch */
	assert_int_equal(rd_both(0), 10000 - 1234);
}

static void test_mode_0_interrupts_once(void **state)
{
	(void)state;
	assert_true(pit_deadline(&pit) == BH_FOREVER);
	wr(0x43, 0x30);
	wr(0x40, 0xe8);
	wr(0x40, 0x03); /* 1000 */
	assert_true(deadline_changes >= 1);
	uint64_t deadline = pit_deadline(&pit);

	assert_in_range(deadline, host_tsc + ns(1000) - 1, host_tsc + ns(1000) + 2);
	host_tsc = deadline - 10;
	pit_service(&pit);
	assert_int_equal(interrupts, 0);
	host_tsc = deadline;
	pit_service(&pit);
	assert_int_equal(interrupts, 1);
	host_tsc += ns(100000);
	pit_service(&pit);
	assert_int_equal(interrupts, 1);
	assert_true(pit_deadline(&pit) == BH_FOREVER);
}

static void test_mode_2_interrupts_again(void **state)
{
	(void)state;
	wr(0x43, 0x34);
	wr(0x40, 0xe8);
	wr(0x40, 0x03);
	uint64_t start = host_tsc;

	for (unsigned i = 1; i <= 100; i++) {
		host_tsc = pit_deadline(&pit);
		assert_in_range(host_tsc, start + ns(1000 * i) - 1, start + ns(1000 * i) + 2);
		pit_service(&pit);
		assert_int_equal(interrupts, i);
	}
	host_tsc += ns(5500); /* late by five periods: one interrupt, not five */
	pit_service(&pit);
	assert_int_equal(interrupts, 101);
	assert_in_range(pit_deadline(&pit), host_tsc, host_tsc + ns(1000));
	wr(0x43, 0x30);
	assert_true(pit_deadline(&pit) == BH_FOREVER);
}

/* Linux measures the TSC so: gate, mode 0, a count, until the output rises. */
static void test_channel_2(void **state)
{
	(void)state;
	pit_write_61(&pit, 0x01);
	wr(0x43, 0xb0);
	wr(0x42, 0xff);
	wr(0x42, 0xff);
	host_tsc += ns(65534);
	assert_int_equal(pit_read_61(&pit) & 0x21, 0x01);
	host_tsc += ns(2);
	assert_int_equal(pit_read_61(&pit) & 0x21, 0x21);
	assert_int_equal(interrupts, 0);
}

static void test_gate_stops(void **state)
{
	(void)state;
	pit_write_61(&pit, 0x01);
	wr(0x43, 0xb0);
	wr(0x42, 0x10);
	wr(0x42, 0x27);
	host_tsc += ns(100);
	pit_write_61(&pit, 0x02);
	host_tsc += ns(5000);
	assert_int_equal(latched(2), 9900);
	pit_write_61(&pit, 0x03);
	host_tsc += ns(100);
	assert_in_range(latched(2), 9799, 9800);
}

static void test_mode_3_output(void **state)
{
	(void)state;
	pit_write_61(&pit, 0x01);
	wr(0x43, 0xb6);
	wr(0x42, 0xe8);
	wr(0x42, 0x03);
	host_tsc += ns(400);
	assert_true(pit_read_61(&pit) & 0x20);
	host_tsc += ns(400);
	assert_false(pit_read_61(&pit) & 0x20);
	host_tsc += ns(400);
	assert_true(pit_read_61(&pit) & 0x20);
}

static void test_read_back(void **state)
{
	(void)state;
	wr(0x43, 0x34);
	wr(0x40, 0);
	wr(0x40, 0); /* 65536 */
	host_tsc += ns(10);
	wr(0x43, 0xc2); /* count and status of channel 0 */
	assert_int_equal(rd(0x40), 0xb4);
	assert_int_equal(rd_both(0), 65526);
	wr(0x43, 0x14); /* low byte only */
	wr(0x40, 100);
	host_tsc += ns(1);
	assert_int_equal(rd(0x40), 99);
	assert_int_equal(rd(0x40), 99);
	assert_int_equal(rd(0x43), 0xff);
}

/* A year later nothing overflows. */
static void test_long(void **state)
{
	(void)state;
	wr(0x43, 0x34);
	wr(0x40, 2);
	wr(0x40, 0);
	host_tsc += 365ull * 86400 * HOST_HZ;
	pit_service(&pit);
	assert_int_equal(interrupts, 1);
	assert_in_range(pit_deadline(&pit), host_tsc, host_tsc + ns(2) + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_counts, setup),
		cmocka_unit_test_setup(test_mode_0_interrupts_once, setup),
		cmocka_unit_test_setup(test_mode_2_interrupts_again, setup),
		cmocka_unit_test_setup(test_channel_2, setup),
		cmocka_unit_test_setup(test_gate_stops, setup),
		cmocka_unit_test_setup(test_mode_3_output, setup),
		cmocka_unit_test_setup(test_read_back, setup),
		cmocka_unit_test_setup(test_long, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
