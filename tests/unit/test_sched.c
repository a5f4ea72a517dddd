#include "kernel_fakes.h"
#include <stdlib.h>
#include <string.h>
#include "build_vcpus.h"
#include "clock.h"
#include "event.h"
#include "trace.h"

/*
 * CPU 0 and eight natives on it, whose programs are simulated: each runs for `burst` ticks, then waits, and is woken
 * `sleep` ticks later. The time of the last wake-up to the next run is its delay.
 */
#define TASKS 8
#define MS    1000000ull /* ticks */
#define SLICE (5 * MS)

struct task {
	struct partition partition;
	struct config_partition config;
	struct entity *entity;
	struct vcpu *vcpu;
	uint64_t burst, sleep; /* burst 0: never waits */
	uint64_t left;	       /* of the burst */
	uint64_t wake_at;      /* UINT64_MAX: not by itself */
	uint64_t woken;	       /* when; 0: has run since */
	uint64_t ran, turns, longest_delay;
	unsigned work_left; /* slices */
};

static struct task task[TASKS];
static struct sched *sched = &fake_cpu[0].sched;

static int create(void **state)
{
	(void)state;
	fake_machine(2);
	sched_slice = SLICE;
	assert_true(trace_create(&fake_cpu[0]));
	for (unsigned i = 0; i < TASKS; i++) {
		struct task *t = &task[i];

		t->config = (struct config_partition){ .vcpus = 1, .weight = 100, .cap_percent = 100 };
		t->partition.id = i;
		t->partition.config = &t->config;
		assert_true(build_native_vcpus(&t->partition));
		t->vcpu = t->partition.vcpu[0];
		t->entity = t->vcpu->entity;
		partitions[i] = &t->partition;
	}
	partition_count = TASKS;
	return 0;
}

static int destroy(void **state)
{
	(void)state;
	fake_machine_end();
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	fake_on(0);
	fake_now = 1000 * MS;
	fake_idle = NULL;
	fake_state_from = fake_state_to = NULL;
	for (unsigned i = 0; i < 2; i++) {
		sched_init(&fake_cpu[i].sched);
		fake_cpu[i].sched.charged = fake_now;
		fake_kicks[i] = 0;
	}
	for (unsigned i = 0; i < TASKS; i++) {
		struct task *t = &task[i];
		struct entity *e = t->entity;

		*e = (struct entity){ .native = t->vcpu,
				      .unthrottle = { .deadline = TIMER_NEVER, .fire = e->unthrottle.fire },
				      .weight = 100,
				      .cap_percent = 100 };
		t->vcpu->state = VCPU_OFF;
		t->vcpu->events = 0;
		t->vcpu->wake_queued = false;
		t->vcpu->timer.deadline = TIMER_NEVER;
		t->burst = t->sleep = t->left = t->woken = t->ran = t->turns = t->longest_delay = 0;
		t->wake_at = UINT64_MAX;
	}
	return 0;
}

/* ---- the simulation ---------------------------------------------------------------------------- */

static void start(struct task *t, uint32_t weight, uint32_t cap)
{
	t->entity->weight = weight;
	t->entity->cap_percent = cap;
	t->vcpu->state = VCPU_RUNNABLE;
	sched_activate(sched, t->entity);
}

static void start_sleeper(struct task *t, uint32_t weight, uint64_t burst, uint64_t sleep)
{
	t->burst = t->left = burst;
	t->sleep = sleep;
	start(t, weight, 100);
}

/* BH_WAIT for event 0. */
static void sleep_now(struct task *t)
{
	t->vcpu->wait_mask = 1;
	t->vcpu->state = VCPU_WAITING;
}

static void wake(struct task *t)
{
	t->woken = fake_now;
	t->left = t->burst;
	t->wake_at = UINT64_MAX;
	event_signal(t->vcpu, 1);
}

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t next_wake(void)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < TASKS; i++)
		next = smaller(next, task[i].wake_at);
	return next;
}

static void wake_due(void)
{
	for (unsigned i = 0; i < TASKS; i++) {
		if (task[i].wake_at <= fake_now)
			wake(&task[i]);
	}
}

static void run_task(struct task *t, uint64_t end)
{
	uint64_t ticks;

	if (t->woken && fake_now - t->woken > t->longest_delay)
		t->longest_delay = fake_now - t->woken;
	t->woken = 0;
	end = smaller(end, smaller(next_wake(), sched_deadline(sched)));
	ticks = end > fake_now ? end - fake_now : 1;
	if (t->burst)
		ticks = smaller(ticks, t->left);
	fake_now += ticks;
	t->ran += ticks;
	t->turns++;
	t->left -= t->burst ? ticks : 0;
	if (t->burst && !t->left) {
		sleep_now(t);
		t->wake_at = fake_now + t->sleep;
	}
}

static void run(uint64_t ticks)
{
	uint64_t end = fake_now + ticks;

	while (fake_now < end) {
		struct vcpu *vcpu = fake_run(0);

		if (vcpu) {
			run_task(&task[vcpu->partition->id], end);
		} else {
			uint64_t next = smaller(end, smaller(next_wake(), fake_timer_deadline[0]));

			fake_now = next > fake_now ? next : fake_now + 1;
		}
		wake_due();
	}
	fake_run(0);
}

static void forget(void)
{
	for (unsigned i = 0; i < TASKS; i++)
		task[i].ran = task[i].turns = task[i].longest_delay = 0;
}

/* `t` ran for `percent` of `ticks`, give or take 1 percent of them. */
static void assert_share(const struct task *t, double percent, uint64_t ticks)
{
	double share = 100.0 * (double)t->ran / (double)ticks;

	if (share < percent - 1 || share > percent + 1)
		fail_msg("task %u ran for %.2f percent, not %.2f", t->partition.id, share, percent);
}

/* ---- one alone --------------------------------------------------------------------------------- */

static void test_nobody(void **state)
{
	(void)state;
	assert_null(fake_run(0));
	assert_true(sched_deadline(sched) == TIMER_NEVER);
	fake_now += 7 * MS;
	assert_null(fake_run(0));
	assert_int_equal(sched->idle, 7 * MS);
}

static void test_alone_has_no_tick(void **state)
{
	(void)state;
	start(&task[0], 100, 100);
	for (unsigned i = 0; i < 100; i++) {
		assert_ptr_equal(fake_run(0), task[0].vcpu);
		assert_true(sched_deadline(sched) == TIMER_NEVER);
		fake_now += 50 * MS;
		sched->look = 1;
	}
	assert_int_equal(sched->idle, 0);
}

/* The other one comes, and goes: then the slice's timer goes too, after one more turn at most. */
static void test_tick_ends_with_the_rival(void **state)
{
	(void)state;
	start(&task[0], 100, 100);
	start(&task[1], 100, 100);
	run(100 * MS);
	assert_true(sched_deadline(sched) <= fake_now + SLICE);
	sleep_now(&task[1]);
	run(2 * SLICE);
	assert_true(sched_deadline(sched) == TIMER_NEVER);
	wake(&task[1]);
	run(1);
	assert_true(sched_deadline(sched) <= fake_now + SLICE);
}

/* ---- shares ------------------------------------------------------------------------------------ */

static void test_equal_shares(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		start(&task[i], 100, 100);
	run(20000 * MS);
	for (unsigned i = 0; i < 4; i++) {
		assert_share(&task[i], 25, 20000 * MS);
		assert_in_range(task[i].turns, 900, 1100); /* slices are used */
	}
	assert_int_equal(sched->idle, 0);
}

static void test_weights(void **state)
{
	static const uint32_t weight[] = { 100, 300, 600, 1000 };

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		start(&task[i], weight[i], 100);
	run(20000 * MS);
	for (unsigned i = 0; i < 4; i++)
		assert_share(&task[i], weight[i] / 20.0, 20000 * MS);
}

static void test_extreme_weights(void **state)
{
	(void)state;
	start(&task[0], 10000, 100);
	start(&task[1], 100, 100);
	run(50000 * MS);
	assert_share(&task[0], 99.01, 50000 * MS);
	assert_in_range(task[1].turns, 50, 200);

	set_up(NULL);
	start(&task[0], 1, 100);
	start(&task[1], 100, 100);
	run(50000 * MS);
	assert_share(&task[0], 0.99, 50000 * MS);
	assert_true(task[0].turns > 0);
}

/* Who leaves half of his share leaves it to the others by their weights. */
static void test_unused_share(void **state)
{
	(void)state;
	start_sleeper(&task[0], 100, 1 * MS, 9 * MS);
	start(&task[1], 100, 100);
	start(&task[2], 200, 100);
	run(20000 * MS);
	assert_true(task[0].ran > 1600 * MS);
	assert_share(&task[1], (20000.0 * MS - task[0].ran) / (20000.0 * MS) * 100 / 3, 20000 * MS);
	assert_share(&task[2], (20000.0 * MS - task[0].ran) / (20000.0 * MS) * 200 / 3, 20000 * MS);
}

/* ---- caps -------------------------------------------------------------------------------------- */

static void test_cap_alone(void **state)
{
	(void)state;
	start(&task[0], 100, 25);
	run(10000 * MS);
	assert_share(&task[0], 25, 10000 * MS);
	assert_true(sched->idle > 7400 * MS);
	/* A few turns a period: its timer does not fire over and over. */
	assert_true(task[0].turns < 100 * 4);
}

static void test_cap_in_each_period(void **state)
{
	(void)state;
	start(&task[0], 100, 30);
	start(&task[1], 100, 100);
	for (unsigned i = 0; i < 50; i++) {
		forget();
		run(SCHED_CAP_PERIOD_MS * MS);
		assert_in_range(task[0].ran, 29 * MS, 36 * MS);
	}
}

static void test_cap_below_share(void **state)
{
	(void)state;
	start(&task[0], 1000, 10);
	start(&task[1], 100, 100);
	start(&task[2], 200, 100);
	run(20000 * MS);
	assert_share(&task[0], 10, 20000 * MS);
	assert_share(&task[1], 30, 20000 * MS);
	assert_share(&task[2], 60, 20000 * MS);
}

static void test_cap_above_share(void **state)
{
	(void)state;
	start(&task[0], 100, 80);
	start(&task[1], 300, 100);
	run(20000 * MS);
	assert_share(&task[0], 25, 20000 * MS);
}

static void test_caps_of_all(void **state)
{
	(void)state;
	start(&task[0], 100, 20);
	start(&task[1], 100, 30);
	run(20000 * MS);
	assert_share(&task[0], 20, 20000 * MS);
	assert_share(&task[1], 30, 20000 * MS);
}

/* Sleep does not save up run time for later periods, and a wake-up does not end the throttling. */
static void test_cap_and_sleep(void **state)
{
	(void)state;
	start(&task[0], 100, 20);
	sleep_now(&task[0]);
	run(1000 * MS);
	wake(&task[0]);
	forget();
	run(100 * MS);
	assert_in_range(task[0].ran, 20 * MS, 21 * MS);

	forget();
	run(30 * MS);
	assert_true(task[0].entity->throttled);
	task[0].ran = 0;
	vcpu_wake(task[0].vcpu);
	run(40 * MS);
	assert_int_equal(task[0].ran, 0);
}

/* Somebody comes while one with a cap runs, who had the CPU for himself. */
static void test_rival_of_capped(void **state)
{
	(void)state;
	start(&task[0], 100, 90);
	start(&task[1], 100, 100);
	run(200 * MS);
	sleep_now(&task[1]);
	run(200 * MS + 11 * MS);
	/* So that it does not get in by the credit of a sleeper, but by a slice. */
	task[1].entity->weighted = task[0].entity->weighted;
	forget();
	wake(&task[1]);
	run(50 * MS);
	assert_in_range(task[1].ran, 20 * MS, 30 * MS);
	assert_true(task[1].longest_delay <= SLICE);
}

static void test_deactivated_while_throttled(void **state)
{
	(void)state;
	start(&task[0], 100, 10);
	run(20 * MS);
	assert_true(task[0].entity->throttled);
	sched_deactivate(sched, task[0].entity);
	run(200 * MS);
	assert_int_equal(task[0].ran, 10 * MS);
	sched_activate(sched, task[0].entity);
	run(5 * MS);
	assert_int_equal(task[0].ran, 15 * MS);
}

/* ---- sleepers ---------------------------------------------------------------------------------- */

static void test_sleeper_gets_in_soon(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		start(&task[i], 100, 100);
	start_sleeper(&task[4], 100, MS / 10, 20 * MS);
	run(1000 * MS);
	forget();
	run(5000 * MS);
	assert_in_range(task[4].ran, 24 * MS, 26 * MS);
	assert_true(task[4].longest_delay <= SLICE);
}

/* A heavy one that wakes often has no more than its share while the others want theirs. */
static void test_sleeper_does_not_starve(void **state)
{
	(void)state;
	start(&task[0], 100, 100);
	start_sleeper(&task[1], 100, 9 * MS, MS / 10);
	run(1000 * MS);
	forget();
	run(10000 * MS);
	assert_true(task[0].ran >= 4900 * MS);
}

/* One that slept for long, or that is new, does not take the CPU for as long. */
static void test_no_saving_up(void **state)
{
	(void)state;
	start(&task[0], 100, 100);
	start(&task[1], 100, 100);
	run(100 * MS);
	sleep_now(&task[1]);
	run(10000 * MS);
	forget();
	wake(&task[1]);
	run(1000 * MS);
	assert_in_range(task[0].ran, 470 * MS, 530 * MS);

	forget();
	start(&task[2], 100, 100);
	run(900 * MS);
	assert_in_range(task[2].ran, 280 * MS, 330 * MS);
	assert_in_range(task[0].ran, 270 * MS, 310 * MS);
}

/* Nor does anybody pay later for what he ran when nobody else wanted to. */
static void test_no_debt(void **state)
{
	(void)state;
	start(&task[0], 100, 100);
	run(10000 * MS);
	sleep_now(&task[0]);
	start(&task[1], 100, 100);
	run(50 * MS);
	forget();
	wake(&task[0]);
	run(1000 * MS);
	assert_in_range(task[0].ran, 470 * MS, 530 * MS);
	assert_true(task[0].longest_delay <= 3 * SLICE);
}

/* ---- activation -------------------------------------------------------------------------------- */

static void test_inactive_leaves(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		start(&task[i], 100, 100);
	run(300 * MS);
	/* The current one and a waiting one. */
	sched_deactivate(sched, sched->current);
	sched_deactivate(sched, sched->queue);
	forget();
	run(300 * MS);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(task[i].ran, task[i].entity->active ? 300 * MS : 0);

	/* Events that come meanwhile do not bring them back; activation does. */
	for (unsigned i = 0; i < 3; i++)
		vcpu_wake(task[i].vcpu);
	run(1);
	assert_null(sched->queue);
	for (unsigned i = 0; i < 3; i++)
		sched_activate(sched, task[i].entity);
	forget();
	run(3000 * MS);
	for (unsigned i = 0; i < 3; i++)
		assert_share(&task[i], 33.33, 3000 * MS);
}

static void test_deactivated_and_back_at_once(void **state)
{
	(void)state;
	start(&task[0], 100, 100);
	start(&task[1], 100, 100);
	run(50 * MS);
	for (unsigned i = 0; i < 2; i++) {
		sched_deactivate(sched, task[i].entity);
		sched_activate(sched, task[i].entity);
	}
	forget();
	run(1000 * MS);
	assert_share(&task[0], 50, 1000 * MS);
	assert_share(&task[1], 50, 1000 * MS);
}

static void test_waits_while_inactive(void **state)
{
	(void)state;
	start(&task[0], 100, 100);
	sleep_now(&task[0]);
	run(MS);
	sched_deactivate(sched, task[0].entity);
	wake(&task[0]);
	assert_null(fake_run(0));
	sched_activate(sched, task[0].entity);
	assert_ptr_equal(fake_run(0), task[0].vcpu);
}

/* ---- work -------------------------------------------------------------------------------------- */

static void work(struct entity *entity)
{
	struct task *t = &task[entity->native->partition->id];

	fake_now += MS;
	t->ran += MS;
	if (--t->work_left == 0)
		entity->work = NULL;
}

static void start_work(struct task *t, unsigned slices)
{
	t->work_left = slices;
	t->entity->work = work;
	sched_wake(sched, t->entity);
}

/* Work is done for entities that are not active, charged to them, beside the others. */
static void test_work(void **state)
{
	(void)state;
	start_work(&task[0], 100);
	assert_null(fake_run(0));
	assert_int_equal(task[0].work_left, 0);
	assert_false(task[0].entity->queued);

	set_up(NULL);
	start(&task[1], 300, 100);
	start_work(&task[0], 1000000);
	run(4000 * MS);
	assert_share(&task[0], 25, 4000 * MS);
	assert_share(&task[1], 75, 4000 * MS);
}

/* ---- pairs, extended state ---------------------------------------------------------------------- */

static struct vcpu guest = { .is_guest = true };

/* Task 0 becomes the monitor of a guest. */
static void start_pair(void)
{
	guest = (struct vcpu){ .is_guest = true, .entity = task[0].entity, .state = VCPU_RUNNABLE };
	task[0].entity->guest = &guest;
	start(&task[0], 100, 100);
}

static void test_monitor_before_guest(void **state)
{
	(void)state;
	start_pair();
	assert_ptr_equal(fake_run(0), task[0].vcpu);
	sleep_now(&task[0]);
	assert_ptr_equal(fake_run(0), &guest);
	guest.state = VCPU_MESSAGE;
	assert_null(fake_run(0));
	task[0].vcpu->state = VCPU_RUNNABLE;
	vcpu_wake(task[0].vcpu);
	assert_ptr_equal(fake_run(0), task[0].vcpu);
}

/* The guest's extended state stays while its monitor runs, and while the CPU idles; it goes for anybody else. */
static void test_extended_state(void **state)
{
	(void)state;
	start_pair();
	sleep_now(&task[0]);
	assert_ptr_equal(fake_run(0), &guest);
	assert_null(fake_state_from);
	assert_ptr_equal(fake_state_to, &guest);

	fake_state_from = fake_state_to = NULL;
	task[0].vcpu->state = VCPU_RUNNABLE;
	assert_ptr_equal(fake_run(0), task[0].vcpu);
	sleep_now(&task[0]);
	guest.state = VCPU_HALTED;
	assert_null(fake_run(0));
	guest.state = VCPU_RUNNABLE;
	sched_wake(sched, task[0].entity);
	assert_ptr_equal(fake_run(0), &guest);
	assert_null(fake_state_from);
	assert_null(fake_state_to);

	guest.state = VCPU_HALTED;
	start(&task[1], 100, 100);
	assert_ptr_equal(fake_run(0), task[1].vcpu);
	assert_ptr_equal(fake_state_from, &guest);
	assert_ptr_equal(fake_state_to, task[1].vcpu);
}

/* ---- waking ------------------------------------------------------------------------------------ */

/* Another CPU kicks once, however often it wakes, until the CPU has looked. */
static void test_wake_from_another_cpu(void **state)
{
	(void)state;
	start(&task[0], 100, 100);
	start(&task[1], 100, 100);
	sleep_now(&task[0]);
	sleep_now(&task[1]);
	assert_null(fake_run(0));
	fake_on(1);
	event_signal(task[0].vcpu, 1);
	event_signal(task[0].vcpu, 1);
	event_signal(task[1].vcpu, 1);
	assert_int_equal(fake_kicks[0], 1);
	assert_non_null(fake_run(0));
	assert_int_equal(task[0].vcpu->state, VCPU_RUNNABLE);
	assert_int_equal(task[1].vcpu->state, VCPU_RUNNABLE);

	sleep_now(&task[0]);
	sleep_now(&task[1]);
	assert_null(fake_run(0));
	fake_on(1);
	event_signal(task[1].vcpu, 1);
	assert_int_equal(fake_kicks[0], 2);
	assert_ptr_equal(fake_run(0), task[1].vcpu);
	event_signal(task[0].vcpu, 1);
	assert_int_equal(fake_kicks[0], 2); /* itself it does not kick */
	assert_true(sched->look);
}

/* Set between the last look and the halt: the CPU must not sleep. */
static void wake_in_idle(void)
{
	static unsigned calls;

	calls++;
	assert_int_equal(calls, 1);
	event_signal(task[0].vcpu, 1);
}

static void test_wake_in_idle(void **state)
{
	(void)state;
	start(&task[0], 100, 100);
	sleep_now(&task[0]);
	fake_idle = wake_in_idle;
	assert_ptr_equal(fake_run(0), task[0].vcpu);
	assert_true(fake_timer_deadline[0] == UINT64_MAX);
}

static void test_idle_until_deadline(void **state)
{
	(void)state;
	start(&task[0], 100, 100);
	sleep_now(&task[0]);
	vcpu_set_timer(task[0].vcpu, fake_now + 3 * MS);
	assert_null(fake_run(0));
	assert_int_equal(fake_timer_deadline[0], fake_now + 3 * MS);
	fake_now += 3 * MS;
	assert_ptr_equal(fake_run(0), task[0].vcpu);
	assert_int_equal(task[0].vcpu->arch.gpr[BH_RAX], 0);
}

/* ---- everything at once ------------------------------------------------------------------------ */

static void check_queue(void)
{
	const struct entity *before = NULL;
	unsigned queued = 0;

	for (const struct entity *e = sched->queue; e; before = e, e = e->next) {
		assert_true(e->queued && e != sched->current);
		assert_true(!before || before->weighted <= e->weighted);
		queued++;
	}
	for (unsigned i = 0; i < TASKS; i++)
		queued -= task[i].entity->queued && task[i].entity != sched->current;
	assert_int_equal(queued, 0);
	assert_true(!sched->current || sched->current->queued);
}

static void do_something(struct task *t)
{
	switch (rand() % 8) {
	case 0: sched_deactivate(sched, t->entity); break;
	case 1:
	case 2: sched_activate(sched, t->entity); break;
	case 3:
		if (t->vcpu->state == VCPU_RUNNABLE)
			sleep_now(t);
		break;
	case 4:
	case 5: wake(t); break;
	case 6: start_work(t, 1 + (unsigned)rand() % 3); break;
	case 7: run((unsigned)rand() % (40 * MS)); break;
	}
}

/* Whatever happens, nobody is lost: who is active and runnable is in the queue, or throttled until a timer. */
static void test_random(void **state)
{
	(void)state;
	srand(1);
	for (unsigned i = 0; i < TASKS; i++)
		start(&task[i], 1u << rand() % 10, i % 3 ? 100 : 40);
	for (unsigned round = 0; round < 20000; round++) {
		do_something(&task[rand() % TASKS]);
		check_queue();
		fake_run(0);
		check_queue();
		for (unsigned i = 0; i < TASKS; i++) {
			struct entity *e = task[i].entity;
			bool wants = e->active && task[i].vcpu->state == VCPU_RUNNABLE;
			bool waits = e->throttled && e->unthrottle.deadline != TIMER_NEVER;

			assert_true(!wants || e->queued || waits);
			assert_true(!e->work || e->queued);
		}
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_nobody),
		TEST(test_alone_has_no_tick),
		TEST(test_tick_ends_with_the_rival),
		TEST(test_equal_shares),
		TEST(test_weights),
		TEST(test_extreme_weights),
		TEST(test_unused_share),
		TEST(test_cap_alone),
		TEST(test_cap_in_each_period),
		TEST(test_cap_below_share),
		TEST(test_cap_above_share),
		TEST(test_caps_of_all),
		TEST(test_cap_and_sleep),
		TEST(test_rival_of_capped),
		TEST(test_deactivated_while_throttled),
		TEST(test_sleeper_gets_in_soon),
		TEST(test_sleeper_does_not_starve),
		TEST(test_no_saving_up),
		TEST(test_no_debt),
		TEST(test_inactive_leaves),
		TEST(test_deactivated_and_back_at_once),
		TEST(test_waits_while_inactive),
		TEST(test_work),
		TEST(test_monitor_before_guest),
		TEST(test_extended_state),
		TEST(test_wake_from_another_cpu),
		TEST(test_wake_in_idle),
		TEST(test_idle_until_deadline),
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, create, destroy);
}
