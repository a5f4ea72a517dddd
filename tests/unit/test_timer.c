#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "kernel/timer.h"

#define TIMERS 64

static struct timer_queue queue;
static struct timer timer[TIMERS];
static uint64_t fired[64]; /* numbers of the timers that fired, in order */
static unsigned fired_count;
static uint64_t again; /* what fire_again arms for; 100 later the next time */

static void fire(struct timer *t)
{
	assert_true(t->deadline == TIMER_NEVER);
	assert_in_range(fired_count, 0, 63);
	fired[fired_count++] = (uint64_t)(t - timer);
}

static void fire_again(struct timer *t)
{
	fire(t);
	timer_set(&queue, t, again);
	again += 100;
}

/* Disarms timer 1. */
static void fire_other(struct timer *t)
{
	fire(t);
	timer_set(&queue, &timer[1], TIMER_NEVER);
}

static int set_up(void **state)
{
	(void)state;
	queue = (struct timer_queue){ .next = TIMER_NEVER };
	for (unsigned i = 0; i < TIMERS; i++)
		timer[i] = (struct timer){ .deadline = TIMER_NEVER, .fire = fire };
	fired_count = 0;
	return 0;
}

/* The queue holds `count` timers, sorted, and `next` is the first one's. */
static void assert_queue(unsigned count)
{
	uint64_t before = 0;

	assert_true(queue.next == (queue.first ? queue.first->deadline : TIMER_NEVER));
	for (const struct timer *t = queue.first; t; t = t->next) {
		assert_true(t->deadline >= before && t->deadline != TIMER_NEVER);
		before = t->deadline;
		assert_int_not_equal(count--, 0);
	}
	assert_int_equal(count, 0);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_nothing_armed(void **state)
{
	(void)state;
	assert_queue(0);
	timer_expire(&queue, TIMER_NEVER - 1);
	assert_queue(0);
	timer_set(&queue, &timer[0], TIMER_NEVER);
	assert_queue(0);
	assert_int_equal(fired_count, 0);
}

static void test_order(void **state)
{
	static const uint64_t deadlines[] = { 50, 10, 30, 40, 20 }, order[] = { 1, 4, 2, 3, 0 };

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		timer_set(&queue, &timer[i], deadlines[i]);
	assert_queue(5);
	assert_int_equal(queue.next, 10);

	timer_expire(&queue, 9);
	assert_int_equal(fired_count, 0);
	timer_expire(&queue, 10);
	assert_int_equal(fired_count, 1);
	assert_queue(4);
	assert_int_equal(queue.next, 20);
	timer_expire(&queue, 1000);
	assert_queue(0);
	assert_int_equal(fired_count, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(fired[i], order[i]);
}

/* Of timers that are due together the one that was armed first fires first. */
static void test_equal(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		timer_set(&queue, &timer[i], 7);
	timer_expire(&queue, 7);
	assert_int_equal(fired_count, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(fired[i], i);
}

static void test_moved(void **state)
{
	(void)state;
	timer_set(&queue, &timer[0], 10);
	timer_set(&queue, &timer[1], 20);
	timer_set(&queue, &timer[0], 30);
	assert_queue(2);
	assert_int_equal(queue.next, 20);
	timer_set(&queue, &timer[0], 5);
	assert_queue(2);
	assert_int_equal(queue.next, 5);
	timer_set(&queue, &timer[0], 5);
	assert_queue(2);
	timer_expire(&queue, 100);
	assert_int_equal(fired_count, 2);
	assert_int_equal(fired[0], 0);
}

static void test_disarmed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		timer_set(&queue, &timer[i], 10 + i);
	timer_set(&queue, &timer[1], TIMER_NEVER);
	assert_queue(2);
	timer_set(&queue, &timer[0], TIMER_NEVER);
	assert_queue(1);
	assert_int_equal(queue.next, 12);
	timer_set(&queue, &timer[0], TIMER_NEVER);
	assert_queue(1);
	timer_expire(&queue, 100);
	assert_int_equal(fired_count, 1);
	assert_int_equal(fired[0], 2);
}

/* Memory that is all zero is a timer that is in no queue, whatever its deadline says. */
static void test_zeroed(void **state)
{
	(void)state;
	timer_set(&queue, &timer[1], 10);
	timer[0].deadline = 0;
	timer_set(&queue, &timer[0], TIMER_NEVER);
	assert_queue(1);
	timer[0].deadline = 0;
	timer_set(&queue, &timer[0], 5);
	assert_queue(2);
}

static void test_fire_arms_again(void **state)
{
	(void)state;
	timer[0].fire = fire_again;
	again = 200;
	timer_set(&queue, &timer[0], 100);
	timer_set(&queue, &timer[1], 150);
	timer_expire(&queue, 120);
	assert_int_equal(fired_count, 1);
	assert_queue(2);
	assert_int_equal(queue.next, 150);

	/* For a time that is due too: it fires again in the same call, in its place. */
	timer[2].fire = fire_again;
	again = 140;
	timer_set(&queue, &timer[2], 130);
	fired_count = 0;
	timer_expire(&queue, 155);
	assert_int_equal(fired_count, 3);
	assert_int_equal(fired[0], 2);
	assert_int_equal(fired[1], 2);
	assert_int_equal(fired[2], 1);
	assert_queue(2);
	assert_int_equal(queue.next, 200);
	timer_expire(&queue, 240);
	assert_queue(2);
	assert_int_equal(queue.next, 340);
}

static void test_fire_disarms_another(void **state)
{
	(void)state;
	timer[0].fire = fire_other;
	timer_set(&queue, &timer[0], 10);
	timer_set(&queue, &timer[1], 10);
	timer_set(&queue, &timer[2], 10);
	timer_expire(&queue, 10);
	assert_int_equal(fired_count, 2);
	assert_int_equal(fired[1], 2);
	assert_queue(0);
}

static void test_extremes(void **state)
{
	(void)state;
	timer_set(&queue, &timer[0], 0);
	assert_int_equal(queue.next, 0);
	timer_set(&queue, &timer[1], TIMER_NEVER - 1);
	timer_expire(&queue, 0);
	assert_int_equal(fired_count, 1);
	timer_expire(&queue, TIMER_NEVER - 2);
	assert_int_equal(fired_count, 1);
	timer_expire(&queue, TIMER_NEVER - 1);
	assert_int_equal(fired_count, 2);
}

/* Against a model: thousands of random settings, and what fires is what is due, in order. */
static void test_random(void **state)
{
	uint64_t model[TIMERS], now = 0;

	(void)state;
	srand(1);
	for (unsigned i = 0; i < TIMERS; i++)
		model[i] = TIMER_NEVER;
	for (unsigned round = 0; round < 20000; round++) {
		unsigned i = (unsigned)rand() % TIMERS, armed = 0;
		uint64_t last = 0;

		model[i] = rand() % 4 ? now + (unsigned)rand() % 1000 : TIMER_NEVER;
		timer_set(&queue, &timer[i], model[i]);
		now += (unsigned)rand() % 20;
		fired_count = 0;
		timer_expire(&queue, now);
		for (unsigned f = 0; f < fired_count; f++) {
			assert_true(model[fired[f]] <= now && model[fired[f]] >= last);
			last = model[fired[f]];
			model[fired[f]] = TIMER_NEVER;
		}
		for (unsigned t = 0; t < TIMERS; t++) {
			assert_true(model[t] == timer[t].deadline);
			assert_true(model[t] > now);
			armed += model[t] != TIMER_NEVER;
		}
		assert_queue(armed);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_armed),   TEST(test_order),
		TEST(test_equal),	    TEST(test_moved),
		TEST(test_disarmed),	    TEST(test_zeroed),
		TEST(test_fire_arms_again), TEST(test_fire_disarms_another),
		TEST(test_extremes),	    TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
