/* test_monitor_pvclock.c: what the guest computes from the structures, as Linux does, against true time. */
#include "monitor_host.h"
#include "guests/monitor/clock.h"
#include "guests/monitor/pvclock.h"

#define RAM    0x10000
#define WALL   0x4b564d00u
#define SYSTEM 0x4b564d01u

struct time_info {
	uint32_t version, pad0;
	uint64_t tsc_timestamp, system_time;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, pad[2];
};

static uint8_t ram[RAM];
static struct guest_memory memory;
static struct pvclock pvclock;

/* Linux's pvclock_scale_delta. */
static uint64_t guest_time(const struct time_info *t, uint64_t tsc)
{
	uint64_t delta = tsc - t->tsc_timestamp;

	delta = t->shift < 0 ? delta >> -t->shift : delta << t->shift;
	return t->system_time + (uint64_t)((unsigned __int128)delta * t->mul >> 32);
}

static struct time_info info_at(uint64_t address)
{
	struct time_info info;

	memcpy(&info, ram + address, sizeof(info));
	return info;
}

static int setup(void **state)
{
	(void)state;
	host_reset();
	memset(ram, 0xa5, sizeof(ram));
	guest_memory_init(&memory, ram, RAM);
	pvclock_init(&pvclock, &memory, HOST_HZ, 5000000000, 1700000000, 3500000000);
	return 0;
}

static void test_muldiv(void **state)
{
	(void)state;
	assert_int_equal(clock_muldiv(UINT64_MAX, UINT64_MAX, UINT64_MAX), UINT64_MAX);
	assert_int_equal(clock_muldiv(1ull << 63, 6, 4), 3ull << 62);
	assert_true(clock_muldiv(1ull << 63, 4, 2) == UINT64_MAX); /* does not fit */
	assert_int_equal(clock_muldiv(7, 10, 4), 17);
	assert_int_equal(clock_muldiv(0, 10, 4), 0);
}

/* Every frequency from 100 MHz to 5 GHz, at a second, an hour and a year: error at most 2e-9. */
static void test_scale(void **state)
{
	(void)state;
	static const uint64_t seconds[] = { 1, 3600, 365 * 86400 };

	for (uint64_t hz = 100000000; hz <= 5000000000; hz += 33333331) {
		struct time_info t = { 0 };

		pvclock_scale(hz, &t.mul, &t.shift);
		assert_true(t.mul >= 0x80000000u - 1);
		for (unsigned i = 0; i < 3; i++) {
			uint64_t ns = guest_time(&t, hz * seconds[i]);
			uint64_t truth = seconds[i] * 1000000000;
			uint64_t error = ns > truth ? ns - truth : truth - ns;

			if (error > 2 * seconds[i] + 2)
				fail_msg("%lu Hz: %lu ns in %lu s", hz, error, seconds[i]);
		}
	}
}

static void test_exact_frequencies(void **state)
{
	(void)state;
	static const uint64_t some[] = { 100000000,  1000000000, 1000000001, 2000000000,
					 2000000001, 3500000000, 5000000000 };

	for (unsigned i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct time_info t = { 0 };

		pvclock_scale(some[i], &t.mul, &t.shift);
		assert_in_range(guest_time(&t, some[i]), 999999997, 1000000000);
	}
}

static void test_system_time(void **state)
{
	(void)state;
	uint64_t value = 1, offset = -4000000000ull;

	assert_true(pvclock_read(&pvclock, 1, SYSTEM, &value));
	assert_int_equal(value, 0);
	assert_true(pvclock_write(&pvclock, 1, SYSTEM, 0x1040 | 1, offset));
	struct time_info info = info_at(0x1040);

	assert_int_equal(info.version & 1, 0);
	assert_int_equal(info.flags, 1);
	assert_int_equal(info.tsc_timestamp, 1000000000);
	assert_in_range(guest_time(&info, 3000000000), 1999999998, 2000000000);
	assert_true(pvclock_read(&pvclock, 1, SYSTEM, &value));
	assert_int_equal(value, 0x1041);
	assert_true(pvclock_read(&pvclock, 0, SYSTEM, &value));
	assert_int_equal(value, 0); /* each vCPU has its own */
	uint32_t version = info.version;

	assert_true(pvclock_write(&pvclock, 1, SYSTEM, 0x1040 | 1, offset));
	assert_true(info_at(0x1040).version > version);
	assert_true(pvclock_write(&pvclock, 1, SYSTEM, 0, offset)); /* off: memory is left alone */
	assert_int_equal(ram[0x1039], 0xa5);
	assert_int_equal(ram[0x1060], 0xa5);
}

static void test_wall_clock(void **state)
{
	(void)state;
	uint32_t words[3];

	assert_true(pvclock_write(&pvclock, 0, WALL, 0x2004, 0));
	memcpy(words, ram + 0x2004, sizeof(words));
	assert_int_equal(words[0] & 1, 0);
	assert_int_equal(words[1], 1700000001); /* 1.5 s after wall_tsc */
	assert_int_equal(words[2], 500000000);
}

static void test_refused(void **state)
{
	(void)state;
	uint64_t value;
	static const uint64_t bad[] = { RAM | 1, (RAM - 16) | 1, 0xfffffffffffffff1, 0x1002 | 1, 0xfee00001 };

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(pvclock_write(&pvclock, 0, SYSTEM, bad[i], 0));
		assert_false(pvclock_write(&pvclock, 0, WALL, bad[i], 0));
	}
	assert_false(pvclock_write(&pvclock, 0, 0x4b564d02, 0x1001, 0));
	assert_false(pvclock_write(&pvclock, 16, SYSTEM, 0x1001, 0));
	assert_false(pvclock_read(&pvclock, 0, 0x4b564dff, &value));
	assert_false(pvclock_read(&pvclock, 16, SYSTEM, &value));
	for (unsigned i = 0; i < RAM; i++)
		assert_int_equal(ram[i], 0xa5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_muldiv, setup),
		cmocka_unit_test_setup(test_scale, setup),
		cmocka_unit_test_setup(test_exact_frequencies, setup),
		cmocka_unit_test_setup(test_system_time, setup),
		cmocka_unit_test_setup(test_wall_clock, setup),
		cmocka_unit_test_setup(test_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
