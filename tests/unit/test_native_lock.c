/* bh_lock among threads, which are vCPUs here, under a fake kernel with sticky events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>
#include <cmocka.h>
#include "guests/lib/bh.h"

#define VCPUS  6
#define ROUNDS 4000

static _Thread_local unsigned self;
static mtx_t kernel;
static cnd_t wake[VCPUS];
static uint64_t events[VCPUS];
static _Atomic unsigned waits, signals;

unsigned bh_vcpu(void) { return self; }

/* A wait that lasts ten seconds is a lost wake-up. */
static int64_t fake_wait(uint64_t mask)
{
	struct timespec limit;
	int error = 0;

	timespec_get(&limit, TIME_UTC);
	limit.tv_sec += 10;
	mtx_lock(&kernel);
	waits++;
	while (!(events[self] & mask) && !error)
		error = cnd_timedwait(&wake[self], &kernel, &limit) != thrd_success;
	int64_t taken = (int64_t)(events[self] & mask);
	events[self] &= ~mask;
	mtx_unlock(&kernel);
	return error ? -1 : taken;
}

static _Atomic unsigned lost;

int64_t bh_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	(void)c, (void)d, (void)e;
	if (number == BH_WAIT) {
		int64_t result = fake_wait(a);

		lost += result < 0;
		return result;
	}
	if (number == BH_EVENT_SIGNAL && a < VCPUS) {
		mtx_lock(&kernel);
		signals++;
		events[a] |= b;
		cnd_signal(&wake[a]);
		mtx_unlock(&kernel);
		return 0;
	}
	return -BH_ENOSYS;
}

static struct bh_lock lock;
static volatile unsigned counter, inside, collisions;

static int work(void *index)
{
	self = (unsigned)(uintptr_t)index;
	for (unsigned i = 0; i < ROUNDS; i++) {
		bh_lock(&lock);
		if (inside++)
			collisions++;
		counter++;
		if (i % 16 == 0)
			thrd_yield(); /* so that others come and find it taken */
		inside--;
		bh_unlock(&lock);
	}
	return 0;
}

static void excludes_and_loses_no_wake_up(void **state)
{
	thrd_t thread[VCPUS];

	(void)state;
	mtx_init(&kernel, mtx_plain);
	for (uintptr_t i = 0; i < VCPUS; i++) {
		cnd_init(&wake[i]);
		events[i] = 1ull << BH_EVENT_RUNTIME; /* a stale event must not hurt */
	}
	for (uintptr_t i = 0; i < VCPUS; i++)
		assert_int_equal(thrd_create(&thread[i], work, (void *)i), thrd_success);
	for (unsigned i = 0; i < VCPUS; i++)
		thrd_join(thread[i], NULL);
	assert_int_equal(counter, VCPUS * ROUNDS);
	assert_int_equal(collisions, 0);
	assert_int_equal(lost, 0);
	assert_int_equal(lock.word, 0);
	assert_true(waits > 0);
}

static void costs_no_hypercall_when_free(void **state)
{
	struct bh_lock own = { 0 };
	unsigned before = waits + signals;

	(void)state;
	self = 3;
	for (unsigned i = 0; i < 10; i++) {
		bh_lock(&own);
		bh_unlock(&own);
	}
	assert_int_equal(waits + signals, before);
}

/* vCPUs 1 and 4 wait, 2 unlocks: 4 comes next, then 1. */
static void wakes_in_a_circle(void **state)
{
	struct bh_lock own = { 0x80000000u | 1u << 1 | 1u << 4 };

	(void)state;
	self = 2;
	events[1] = events[4] = 0;
	bh_unlock(&own);
	assert_int_equal(own.word, 1u << 1);
	assert_true(events[4]);
	own.word |= 0x80000000u;
	self = 4;
	bh_unlock(&own);
	assert_int_equal(own.word, 0);
	assert_true(events[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(excludes_and_loses_no_wake_up),
		cmocka_unit_test(costs_no_hypercall_when_free),
		cmocka_unit_test(wakes_in_a_circle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
