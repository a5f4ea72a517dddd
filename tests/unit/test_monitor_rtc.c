/* test_monitor_rtc.c: the calendar against the host's, BCD and binary, setting the time; and the PM block. */
#include "monitor_host.h"
#include <time.h>
#include "guests/monitor/pm.h"
#include "guests/monitor/rtc.h"

static struct rtc rtc;
static struct pm pm;
static bool powered_off;

static uint64_t now(void *context)
{
	(void)context;
	return host_tsc;
}

static void power_off(void *context)
{
	(void)context;
	powered_off = true;
}

static uint8_t rd(uint8_t index)
{
	rtc_write(&rtc, 0x70, 1, index);
	return (uint8_t)rtc_read(&rtc, 0x71, 1);
}

static void wr(uint8_t index, uint8_t value)
{
	rtc_write(&rtc, 0x70, 1, index);
	rtc_write(&rtc, 0x71, 1, value);
}

static void start_at(uint64_t seconds)
{
	host_tsc = 777;
	rtc_init(&rtc, &(struct rtc_outside){ now, NULL, HOST_HZ, seconds, host_tsc });
}

static uint8_t bcd(int value) { return (uint8_t)(value / 10 << 4 | value % 10); }

static int setup(void **state)
{
	(void)state;
	host_reset();
	powered_off = false;
	start_at(1700000000);
	pm_init(&pm, &(struct pm_outside){ now, power_off, NULL, HOST_HZ });
	return 0;
}

static void check_against_host(time_t seconds)
{
	struct tm tm;

	gmtime_r(&seconds, &tm);
	assert_int_equal(rd(0), bcd(tm.tm_sec));
	assert_int_equal(rd(2), bcd(tm.tm_min));
	assert_int_equal(rd(4), bcd(tm.tm_hour));
	assert_int_equal(rd(6), tm.tm_wday + 1);
	assert_int_equal(rd(7), bcd(tm.tm_mday));
	assert_int_equal(rd(8), bcd(tm.tm_mon + 1));
	assert_int_equal(rd(9), bcd(tm.tm_year % 100));
	assert_int_equal(rd(0x32), bcd((tm.tm_year + 1900) / 100));
}

static void test_calendar(void **state)
{
	(void)state;
	const time_t moments[] = { 0,	       951782399,  951782400,  951868800, /* around 2000-02-29 */
				   1709164800, 1709251200, 1735689599, 1735689600,
				   4107542399, 4107542400 /* 2100, no leap year */ };

	for (unsigned i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		start_at((uint64_t)moments[i]);
		check_against_host(moments[i]);
	}
	for (time_t t = 3600; t < 4000000000; t += 86400 * 37 + 4711) {
		start_at((uint64_t)t);
		check_against_host(t);
	}
}

static void test_runs(void **state)
{
	(void)state;
	host_tsc += 12345 * HOST_HZ + 1;
	check_against_host(1700012345);
}

static void test_binary_12_hours(void **state)
{
	(void)state;
	start_at(86400 * 365 + 13 * 3600);
	wr(0x0b, 0x04);
	assert_int_equal(rd(4), 0x81); /* 1 PM */
	wr(0x0b, 0x06);
	assert_int_equal(rd(4), 13);
	wr(0x0b, 0x04);
	wr(4, 12); /* 12 AM is midnight */
	wr(0x0b, 0x06);
	assert_int_equal(rd(4), 0);
}

static void test_update_in_progress(void **state)
{
	(void)state;
	assert_int_equal(rd(0x0a), 0x26);
	host_tsc += HOST_HZ - 1000;
	assert_int_equal(rd(0x0a), 0xa6);
	host_tsc += 1000;
	assert_int_equal(rd(0x0a), 0x26);
}

static void test_set(void **state)
{
	(void)state;
	wr(0x0b, 0x82); /* SET */
	wr(0, 0x59);
	wr(2, 0x59);
	wr(4, 0x23);
	wr(7, 0x31);
	wr(8, 0x12);
	wr(9, 0x99);
	wr(0x32, 0x19);
	host_tsc += 10 * HOST_HZ;
	assert_int_equal(rd(0), 0x59); /* stands still */
	wr(0x0b, 0x02);
	check_against_host(946684799);
	host_tsc += HOST_HZ;
	check_against_host(946684800);
	assert_int_equal(rd(0x0c), 0);
	assert_int_equal(rd(0x0d), 0x80);
}

static void test_set_nonsense(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++)
		for (uint8_t index = 0; index < 0x40; index++) {
			wr(index, (uint8_t)i);
			rd(index);
		}
	wr(0x0f, 0xab); /* the rest is memory */
	wr(0x7f, 0xcd);
	assert_int_equal(rd(0x0f), 0xab);
	assert_int_equal(rd(0xff), 0xcd); /* bit 7 is the NMI mask */
}

static void test_pm(void **state)
{
	(void)state;
	host_tsc = 0;
	uint32_t before = pm_read(&pm, PM_TIMER, 4);

	host_tsc += HOST_HZ;
	assert_int_equal(pm_read(&pm, PM_TIMER, 4) - before, 3579545);
	assert_int_equal(pm_read(&pm, PM_CONTROL, 2), 1);
	pm_write(&pm, PM_EVENT, 2, 0xffff); /* status: nothing to clear */
	pm_write(&pm, PM_EVENT + 2, 2, 0x0120);
	assert_int_equal(pm_read(&pm, PM_EVENT, 4), 0x01200000);
	pm_write(&pm, PM_CONTROL, 2, 1 << 10 | 0x2000); /* S1: not there */
	assert_false(powered_off);
	pm_write(&pm, PM_CONTROL, 2, PM_SLEEP_S5 << 10);
	assert_false(powered_off);
	pm_write(&pm, PM_CONTROL, 2, PM_SLEEP_S5 << 10 | 0x2000);
	assert_true(powered_off);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_calendar, setup),
		cmocka_unit_test_setup(test_runs, setup),
		cmocka_unit_test_setup(test_binary_12_hours, setup),
		cmocka_unit_test_setup(test_update_in_progress, setup),
		cmocka_unit_test_setup(test_set, setup),
		cmocka_unit_test_setup(test_set_nonsense, setup),
		cmocka_unit_test_setup(test_pm, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
