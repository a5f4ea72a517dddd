#include "fake_system.h"
#include <string.h>
#include "channel.h"
#include "event.h"
#include "frame.h"
#include "report.h"

/* ---- means --------------------------------------------------------------------------------------- */

static void dirty(const struct partition *partition)
{
	for (unsigned i = 0; i < partition->extents; i++)
		fake_memory_fill(partition->extent[i].physical, partition->extent[i].bytes, 0xee);
}

static bool memory_is(const struct partition *partition, uint8_t value)
{
	for (unsigned i = 0; i < partition->extents; i++) {
		if (!fake_memory_is(partition->extent[i].physical, partition->extent[i].bytes, value))
			return false;
	}
	return true;
}

/* Guest-physical `address` of a native. */
static uint8_t *memory_at(const struct partition *partition, uint64_t address)
{
	for (unsigned i = 0; i < partition->extents; i++) {
		const struct extent *extent = &partition->extent[i];

		if (address >= extent->address && address - extent->address < extent->bytes)
			return fake_memory(extent->physical + (address - extent->address));
	}
	fail_msg("no memory at %llx", (unsigned long long)address);
	return NULL;
}

/* CPU `index` looks at its mailbox once, without working. */
static void attend(unsigned index, struct partition *leader)
{
	struct sched *sched = &fake_cpu[index].sched;

	fake_on(index);
	assert_true(atomic_exchange(&sched->attend[0], 0) == 1ull << leader->id);
	sched->look = 0;
	partition_attend(&fake_cpu[index], leader);
}

static bool told(unsigned index, const struct partition *leader)
{
	return fake_cpu[index].sched.attend[0] >> leader->id & 1;
}

/* One slice of its work. */
static void work(struct partition *leader)
{
	struct entity *entity = leader->vcpu[0]->entity;

	fake_on(leader->vcpu[0]->cpu);
	assert_non_null(entity->work);
	entity->work(entity);
}

static void stop(struct partition *leader)
{
	assert_int_equal(partition_control(leader, BH_STOP), 0);
	fake_settle();
	assert_int_equal(leader->state, BH_STATE_STOPPED);
}

static void end(struct partition *partition, enum bh_cause cause)
{
	partition_end(partition, cause, false);
	fake_settle();
}

static void assert_all_off(const struct partition *partition)
{
	for (unsigned i = 0; i < partition->vcpus; i++) {
		assert_int_equal(partition->vcpu[i]->state, VCPU_OFF);
		assert_false(partition->vcpu[i]->entity->active);
		assert_null(partition->vcpu[i]->entity->work);
	}
}

/* ---- start ------------------------------------------------------------------------------------- */

static void test_built(void **state)
{
	(void)state;
	assert_int_equal(the_console->state, BH_STATE_STOPPED);
	assert_int_equal(the_broken->state, BH_STATE_FAILED_CONFIG);
	assert_int_equal(the_linux->cpu_mask[0], 7);
	assert_int_equal(the_ping->cpu_mask[0], 9);
	assert_ptr_equal(the_linux->monitor, the_monitor);
	assert_int_equal(the_monitor->vcpus, 3);
}

static void test_start(void **state)
{
	(void)state;
	dirty(the_linux);
	dirty(the_monitor);
	fake_on(3);
	fake_now = 12345;
	assert_int_equal(partition_control(the_linux, BH_START), 0);
	assert_int_equal(the_linux->state, BH_STATE_BUILDING);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(told(i, the_linux));
		assert_int_equal(fake_kicks[i], 1);
	}
	assert_false(told(3, the_linux));

	/* The CPU of its first vCPU builds; the others have nothing to do. */
	assert_null(fake_run(0));
	assert_null(fake_run(2));
	assert_int_equal(the_linux->state, BH_STATE_BUILDING);
	assert_ptr_equal(fake_run(1), the_monitor->vcpu[0]);
	assert_int_equal(the_linux->state, BH_STATE_RUNNING);
	assert_int_equal(the_linux->epoch, 1);
	assert_int_equal(the_linux->started, 12345);
	assert_true(memory_is(the_linux, 0));

	assert_int_equal(the_monitor->vcpu[2]->state, VCPU_OFF);
	assert_ptr_equal(fake_run(0), the_monitor->vcpu[2]);
	assert_ptr_equal(fake_run(2), the_monitor->vcpu[1]);
	assert_int_equal(the_linux->vcpu[0]->state, VCPU_MESSAGE);
	assert_int_equal(the_linux->vcpu[0]->message->reason, BH_MSG_START);
	assert_int_equal(the_linux->vcpu[1]->state, VCPU_WAIT_SIPI);
	assert_int_equal(fake_resets, 5);
	assert_null(fake_run(3));
}

static void test_program_in_memory(void **state)
{
	const struct bh_info *info;

	(void)state;
	dirty(the_ping);
	fake_start(the_ping);
	for (uint64_t at = 0; at < 0x3000; at++)
		assert_int_equal(*memory_at(the_ping, 0x100000 + at), 0x11);
	assert_int_equal(*memory_at(the_ping, 0x103000), 0);
	for (uint64_t at = 0; at < 0x3456; at++)
		assert_int_equal(*memory_at(the_ping, 0x200000 + at), 0x22);
	for (uint64_t at = 0x3456; at < 0x7000; at++)
		assert_int_equal(*memory_at(the_ping, 0x200000 + at), 0);

	info = (const struct bh_info *)memory_at(the_ping, BH_GPA_INFO);
	assert_true(info->magic == BH_INFO_MAGIC);
	assert_int_equal(info->kind, BH_KIND_NATIVE);
	assert_string_equal(info->name, "ping");
	assert_int_equal(info->memory_bytes, 4 * FAKE_MIB);
	assert_int_equal(info->vcpus, 2);
	assert_int_equal(info->restarts, 0);
	assert_int_equal(info->handles, 2); /* console, talk */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(info->handle[i].type, BH_HANDLE_CHANNEL);
		assert_int_equal(info->handle[i].rights, BH_RIGHT_USE);
		assert_int_equal(info->handle[i].kind, i ? BH_KIND_NATIVE : BH_KIND_CONSOLE);
		assert_int_equal(info->handle[i].handle,
				 fake_handle(the_ping, BH_HANDLE_CHANNEL, i ? "talk" : "console"));
	}
}

static void test_monitors_info(void **state)
{
	const struct bh_info *info;

	(void)state;
	fake_start(the_linux);
	info = (const struct bh_info *)memory_at(the_monitor, BH_GPA_INFO);
	assert_string_equal(info->guest_name, "linux");
	assert_int_equal(info->guest_vcpus, 2);
	assert_int_equal(info->guest_memory_bytes, 8 * FAKE_MIB);
	assert_string_equal(info->command, "console=ttyS0");
	assert_int_equal(info->handles, 3); /* its guest, the kernel's image, the console */
}

static void test_start_again_and_again(void **state)
{
	const struct bh_info *info;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		fake_start(the_ping);
		assert_int_equal(the_ping->epoch, i + 1);
		info = (const struct bh_info *)memory_at(the_ping, BH_GPA_INFO);
		assert_int_equal(info->handles, 2);
		assert_int_equal(info->restarts, i);
		dirty(the_ping);
		stop(the_ping);
		assert_true(memory_is(the_ping, 0));
	}
}

static void test_autostart(void **state)
{
	(void)state;
	partition_autostart();
	fake_settle();
	assert_int_equal(the_console->state, BH_STATE_RUNNING);
	assert_int_equal(the_ping->state, BH_STATE_RUNNING);
	assert_int_equal(the_pong->state, BH_STATE_STOPPED);
	assert_int_equal(the_linux->state, BH_STATE_STOPPED);
	assert_int_equal(the_broken->state, BH_STATE_FAILED_CONFIG);
}

/* ---- what is allowed when -------------------------------------------------------------------------- */

static void assert_control(struct partition *partition, int64_t start, int64_t stop_it, int64_t pause, int64_t resume)
{
	/* Those that are refused, so that nothing happens. */
	if (start)
		assert_int_equal(partition_control(partition, BH_START), start);
	if (stop_it)
		assert_int_equal(partition_control(partition, BH_STOP), stop_it);
	if (pause)
		assert_int_equal(partition_control(partition, BH_PAUSE), pause);
	if (resume)
		assert_int_equal(partition_control(partition, BH_RESUME), resume);
	assert_int_equal(partition_control(partition, 0), -BH_EINVAL);
	assert_int_equal(partition_control(partition, BH_RESTART + 1), -BH_EINVAL);
}

static void test_refusals(void **state)
{
	(void)state;
	assert_control(the_ping, 0, -BH_ESTATE, -BH_ESTATE, -BH_ESTATE);
	partition_control(the_ping, BH_START);
	assert_control(the_ping, -BH_ESTATE, 0, -BH_ESTATE, -BH_ESTATE);
	fake_settle();
	assert_control(the_ping, -BH_ESTATE, 0, 0, -BH_ESTATE);
	partition_control(the_ping, BH_PAUSE);
	assert_control(the_ping, -BH_ESTATE, 0, -BH_ESTATE, 0);
	fake_settle();
	partition_end(the_ping, BH_CAUSE_FINISHED, false);
	assert_control(the_ping, -BH_ESTATE, 0, -BH_ESTATE, -BH_ESTATE);
	assert_int_equal(the_ping->state, BH_STATE_DYING);
	fake_settle();
	assert_int_equal(the_ping->state, BH_STATE_STOPPED);

	assert_control(the_broken, -BH_ESTATE, -BH_ESTATE, -BH_ESTATE, -BH_ESTATE);
	assert_int_equal(partition_control(the_broken, BH_RESTART), -BH_ESTATE);
	for (enum bh_control how = BH_START; how <= BH_RESTART; how++)
		assert_int_equal(partition_control(the_monitor, how), -BH_EINVAL);
	partition_end(the_broken, BH_CAUSE_FAILED, true);
	assert_int_equal(the_broken->state, BH_STATE_FAILED_CONFIG);
	partition_end(the_ping, BH_CAUSE_FAILED, true);
	assert_int_equal(the_ping->state, BH_STATE_STOPPED);
	assert_int_equal(the_ping->cause, BH_CAUSE_FINISHED);
}

/* ---- stop -------------------------------------------------------------------------------------------- */

/* In whatever order the CPUs come: nothing is wiped before the last one has let go, and it ends once. */
static void test_stop_in_every_order(void **state)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		fake_start(the_linux);
		dirty(the_linux);
		dirty(the_monitor);
		fake_log_lines = 0;
		fake_on(3);
		assert_int_equal(partition_control(the_linux, BH_STOP), 0);
		for (unsigned cpu = 0; cpu < 3; cpu++) {
			assert_int_equal(the_linux->state, BH_STATE_DYING);
			assert_int_equal(the_linux->letting_go, 3 - cpu);
			assert_true(memory_is(the_linux, 0xee));
			assert_true(memory_is(the_monitor, 0xee));
			assert_null(fake_run(orders[i][cpu]));
			assert_null(fake_run(orders[i][cpu])); /* looks a second time: counts once */
		}
		assert_int_equal(the_linux->letting_go, 0);
		fake_settle();
		assert_int_equal(the_linux->state, BH_STATE_STOPPED);
		assert_int_equal(the_linux->cause, BH_CAUSE_STOPPED);
		assert_int_equal(fake_log_lines, 1);
		assert_string_equal(fake_log, "linux: stopped, its memory wiped");
		assert_true(memory_is(the_linux, 0));
		assert_true(memory_is(the_monitor, 0));
		assert_all_off(the_linux);
		assert_all_off(the_monitor);
	}
}

/* The wiping goes slice by slice, and only then the partition is STOPPED. */
static void test_wiped_before_stopped(void **state)
{
	(void)state;
	fake_start(the_ping);
	dirty(the_ping);
	partition_control(the_ping, BH_STOP);
	attend(3, the_ping);
	assert_null(the_ping->vcpu[0]->entity->work);
	attend(0, the_ping);
	for (unsigned slice = 0; slice < 2; slice++) {
		assert_int_equal(the_ping->state, BH_STATE_DYING);
		assert_false(memory_is(the_ping, 0));
		work(the_ping);
	}
	assert_true(memory_is(the_ping, 0));
	assert_int_equal(the_ping->state, BH_STATE_DYING);
	work(the_ping);
	assert_int_equal(the_ping->state, BH_STATE_STOPPED);
	assert_null(the_ping->vcpu[0]->entity->work);
}

/* Nothing of a stopped vCPU stays behind: its extended state, its timer, its place in the queue. */
static void test_nothing_stays(void **state)
{
	struct vcpu *guest = the_linux->vcpu[0], *monitor = the_monitor->vcpu[0];

	(void)state;
	fake_start(the_linux);
	fake_on(1);
	vcpu_set_timer(monitor, fake_now + 1000000);
	assert_ptr_equal(fake_cpu[1].sched.loaded, guest->entity);
	partition_control(the_linux, BH_STOP);
	assert_null(fake_run(1));
	assert_ptr_equal(fake_state_from, guest);
	assert_null(fake_state_to);
	fake_settle();
	assert_int_equal(the_linux->state, BH_STATE_STOPPED);
	assert_null(fake_cpu[1].sched.loaded);
	assert_null(fake_cpu[1].sched.current);
	assert_null(fake_cpu[1].sched.queue);
	assert_null(fake_cpu[1].sched.timers.first);
	assert_int_equal(fake_releases, 5);

	/* Signals that come late wake nobody. */
	fake_on(3);
	event_signal(monitor, 1);
	vcpu_wake(monitor);
	vcpu_wake(guest);
	assert_null(fake_run(1));
}

/* ---- pause ------------------------------------------------------------------------------------------ */

static void test_pause(void **state)
{
	struct vcpu *first = the_ping->vcpu[0];

	(void)state;
	fake_start(the_ping);
	assert_ptr_equal(fake_run(0), first);
	first->wait_mask = 1;
	first->state = VCPU_WAITING;
	assert_int_equal(partition_control(the_ping, BH_PAUSE), 0);
	fake_settle();
	assert_int_equal(the_ping->state, BH_STATE_PAUSED);
	assert_null(fake_run(0));
	assert_null(fake_run(3));

	/* An event meanwhile is not lost, and does not make it run. */
	event_signal(first, 1);
	assert_null(fake_run(0));
	assert_int_equal(partition_control(the_ping, BH_RESUME), 0);
	assert_ptr_equal(fake_run(0), first);
	assert_ptr_equal(fake_run(3), the_ping->vcpu[1]);
	assert_int_equal(first->arch.gpr[BH_RAX], 1);
	assert_int_equal(the_ping->epoch, 1);
	assert_int_equal(fake_resets, 2);
}

/* A deadline that passes in the pause fires once, after it. */
static void test_deadline_in_pause(void **state)
{
	struct vcpu *first = the_ping->vcpu[0];

	(void)state;
	fake_start(the_ping);
	fake_call(first, BH_WAIT, 1, fake_now + 1000, 0, 0, 0);
	partition_control(the_ping, BH_PAUSE);
	fake_settle();
	fake_now += 1000000;
	assert_null(fake_run(0));
	assert_null(fake_cpu[0].sched.timers.first);
	partition_control(the_ping, BH_RESUME);
	assert_ptr_equal(fake_run(0), first);
	assert_int_equal(first->arch.gpr[BH_RAX], 0);
}

static void test_pause_unnoticed(void **state)
{
	(void)state;
	fake_start(the_ping);
	partition_control(the_ping, BH_PAUSE);
	fake_run(0);
	partition_control(the_ping, BH_RESUME);
	fake_settle();
	assert_ptr_equal(fake_run(0), the_ping->vcpu[0]);
	assert_ptr_equal(fake_run(3), the_ping->vcpu[1]);
	assert_int_equal(fake_resets, 2);
}

/* Paused before one of its CPUs has started its vCPU. */
static void test_pause_at_once(void **state)
{
	(void)state;
	partition_control(the_ping, BH_START);
	fake_run(0);
	assert_int_equal(the_ping->state, BH_STATE_RUNNING);
	partition_control(the_ping, BH_PAUSE);
	assert_null(fake_run(3));
	assert_int_equal(fake_resets, 1);
	partition_control(the_ping, BH_RESUME);
	assert_ptr_equal(fake_run(3), the_ping->vcpu[1]);
	assert_int_equal(fake_resets, 2);
	assert_ptr_equal(fake_run(0), the_ping->vcpu[0]);
}

static void test_stop_in_pause(void **state)
{
	(void)state;
	fake_start(the_ping);
	dirty(the_ping);
	partition_control(the_ping, BH_PAUSE);
	fake_settle();
	stop(the_ping);
	assert_true(memory_is(the_ping, 0));
	fake_start(the_ping);
	assert_ptr_equal(fake_run(3), the_ping->vcpu[1]);
}

/* ---- restart ----------------------------------------------------------------------------------------- */

static void test_restart(void **state)
{
	(void)state;
	fake_start(the_linux);
	dirty(the_linux);
	assert_int_equal(partition_control(the_linux, BH_RESTART), 0);
	fake_settle();
	assert_int_equal(the_linux->state, BH_STATE_RUNNING);
	assert_int_equal(the_linux->cause, BH_CAUSE_NONE);
	assert_int_equal(the_linux->epoch, 2);
	assert_true(memory_is(the_linux, 0));
	assert_int_equal(the_linux->failures, 0);

	stop(the_linux);
	assert_int_equal(partition_control(the_linux, BH_RESTART), 0);
	fake_settle();
	assert_int_equal(the_linux->state, BH_STATE_RUNNING);
	assert_int_equal(the_linux->epoch, 3);
}

/* Whoever asks last while it dies decides what comes after. */
static void test_control_while_dying(void **state)
{
	static const struct {
		enum bh_control how[3];
		uint32_t state;
	} cases[] = {
		{ { BH_RESTART }, BH_STATE_RUNNING },
		{ { BH_START }, BH_STATE_RUNNING },
		{ { BH_STOP }, BH_STATE_STOPPED },
		{ { BH_RESTART, BH_STOP }, BH_STATE_STOPPED },
		{ { BH_START, BH_STOP }, BH_STATE_STOPPED },
		{ { BH_RESTART, BH_STOP, BH_START }, BH_STATE_RUNNING },
		{ { BH_STOP, BH_RESTART }, BH_STATE_RUNNING },
	};

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		/* At each step of its death. */
		for (unsigned step = 0; step < 5; step++) {
			fake_system_reset(NULL);
			fake_start(the_ping);
			dirty(the_ping);
			fake_log_lines = 0;
			partition_control(the_ping, BH_STOP);
			if (step > 0)
				attend(3, the_ping);
			if (step > 1)
				attend(0, the_ping);
			for (unsigned slice = 2; slice < step; slice++)
				work(the_ping);
			for (unsigned n = 0; n < 3 && cases[i].how[n]; n++)
				assert_int_equal(partition_control(the_ping, cases[i].how[n]), 0);
			assert_int_equal(the_ping->state, BH_STATE_DYING);
			fake_settle();
			assert_int_equal(the_ping->state, cases[i].state);
			assert_int_equal(the_ping->epoch, cases[i].state == BH_STATE_RUNNING ? 2 : 1);
			assert_int_equal(fake_log_lines, 1);
			assert_int_equal(the_ping->letting_go, 0);
		}
	}
}

/* Asked for while it dies of itself. */
static void test_restart_while_failing(void **state)
{
	(void)state;
	fake_start(the_linux);
	partition_end(the_linux, BH_CAUSE_FAILED, false);
	assert_int_equal(partition_control(the_linux, BH_RESTART), 0);
	fake_settle();
	assert_int_equal(the_linux->state, BH_STATE_RUNNING);

	/* The policy would start it again; a person says no. */
	fake_start(the_ping);
	partition_end(the_ping, BH_CAUSE_FAILED, false);
	assert_int_equal(partition_control(the_ping, BH_STOP), 0);
	fake_settle();
	assert_int_equal(the_ping->state, BH_STATE_STOPPED);
	assert_int_equal(the_ping->cause, BH_CAUSE_FAILED);
}

/* ---- ends while it is being built ------------------------------------------------------------------------ */

static void test_end_while_building(void **state)
{
	(void)state;
	for (unsigned steps = 0; steps < 4; steps++) {
		for (unsigned how = 0; how < 3; how++) {
			fake_system_reset(NULL);
			dirty(the_ping);
			partition_control(the_ping, BH_START);
			if (steps)
				attend(0, the_ping);
			for (unsigned slice = 1; slice < steps; slice++)
				work(the_ping);
			assert_int_equal(the_ping->state, BH_STATE_BUILDING);
			fake_on(2);
			if (how == 0)
				assert_int_equal(partition_control(the_ping, BH_STOP), 0);
			else if (how == 1)
				assert_int_equal(partition_control(the_ping, BH_RESTART), 0);
			else
				partition_end(the_ping, BH_CAUSE_FAILED, true);
			assert_int_equal(the_ping->state, BH_STATE_DYING);
			fake_settle();
			assert_int_equal(the_ping->state, how ? BH_STATE_RUNNING : BH_STATE_STOPPED);
			assert_int_equal(the_ping->epoch, how ? 1 : 0);
			if (!how) {
				assert_true(memory_is(the_ping, 0));
				assert_all_off(the_ping);
			}
		}
	}
}

static unsigned looks_left;

static void stop_at_last_look(uint64_t physical)
{
	(void)physical;
	if (looks_left && !--looks_left) {
		fake_on(2);
		assert_int_equal(partition_control(the_ping, BH_STOP), 0);
		fake_on(0);
	}
}

/* Stopped by another CPU while its program is being copied in: that is wiped too, and written once only. */
static void test_stop_while_populating(void **state)
{
	const struct bh_info *info;

	(void)state;
	for (unsigned look = 3; look < 8; look++) {
		fake_system_reset(NULL);
		dirty(the_ping);
		looks_left = look;
		fake_looked = stop_at_last_look;
		assert_int_equal(partition_control(the_ping, BH_START), 0);
		fake_settle();
		assert_int_equal(looks_left, 0);
		assert_int_equal(the_ping->state, BH_STATE_STOPPED);
		assert_int_equal(the_ping->epoch, 0);
		assert_true(memory_is(the_ping, 0));

		fake_start(the_ping);
		info = (const struct bh_info *)memory_at(the_ping, BH_GPA_INFO);
		assert_int_equal(info->handles, 2);
	}
}

/* ---- policies -------------------------------------------------------------------------------------------- */

static void assert_ended(const struct partition *partition, enum bh_cause cause, uint32_t epoch)
{
	assert_int_equal(partition->state, BH_STATE_STOPPED);
	assert_int_equal(partition->cause, cause);
	assert_int_equal(partition->epoch, epoch);
}

static void assert_runs(const struct partition *partition, uint32_t epoch)
{
	assert_int_equal(partition->state, BH_STATE_RUNNING);
	assert_int_equal(partition->cause, BH_CAUSE_NONE);
	assert_int_equal(partition->epoch, epoch);
}

static void test_restart_never(void **state)
{
	static const enum bh_cause causes[] = { BH_CAUSE_FAILED, BH_CAUSE_FINISHED, BH_CAUSE_POWEROFF };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		fake_start(the_linux);
		end(the_linux, causes[i]);
		assert_ended(the_linux, causes[i], i + 1);
	}
	/* A reset is the guest's own wish, no policy. */
	fake_start(the_linux);
	for (unsigned i = 0; i < 20; i++) {
		partition_end(the_monitor, BH_CAUSE_POWEROFF, true);
		fake_settle();
		assert_runs(the_linux, 5 + i);
	}
	assert_int_equal(the_linux->failures, 0);
}

static void test_restart_on_failure(void **state)
{
	(void)state;
	fake_start(the_ping);
	end(the_ping, BH_CAUSE_FINISHED);
	assert_ended(the_ping, BH_CAUSE_FINISHED, 1);

	fake_start(the_ping);
	end(the_ping, BH_CAUSE_FAILED);
	assert_runs(the_ping, 3);
	end(the_ping, BH_CAUSE_FAILED);
	assert_runs(the_ping, 4);
	end(the_ping, BH_CAUSE_FAILED);
	assert_ended(the_ping, BH_CAUSE_FAILED, 4);

	/* A start by hand gives it all its attempts again. */
	fake_start(the_ping);
	end(the_ping, BH_CAUSE_FAILED);
	end(the_ping, BH_CAUSE_FAILED);
	assert_runs(the_ping, 7);
	end(the_ping, BH_CAUSE_FAILED);
	assert_ended(the_ping, BH_CAUSE_FAILED, 7);
}

/* So does a start, or a restart, that is asked for while it dies or runs. */
static void test_attempts_after_restart(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 2; how++) {
		fake_system_reset(NULL);
		fake_start(the_ping);
		end(the_ping, BH_CAUSE_FAILED);
		end(the_ping, BH_CAUSE_FAILED);
		assert_runs(the_ping, 3);
		partition_control(the_ping, how ? BH_RESTART : BH_STOP);
		if (!how)
			partition_control(the_ping, BH_START);
		fake_settle();
		assert_runs(the_ping, 4);
		end(the_ping, BH_CAUSE_FAILED);
		assert_runs(the_ping, 5);
		end(the_ping, BH_CAUSE_FAILED);
		assert_runs(the_ping, 6);
		end(the_ping, BH_CAUSE_FAILED);
		assert_ended(the_ping, BH_CAUSE_FAILED, 6);
	}
}

static void test_restart_always(void **state)
{
	static const enum bh_cause causes[] = { BH_CAUSE_FAILED, BH_CAUSE_FINISHED, BH_CAUSE_POWEROFF };

	(void)state;
	fake_start(the_pong);
	for (unsigned i = 0; i < 30; i++) {
		end(the_pong, causes[i % 3]);
		assert_runs(the_pong, i + 2);
	}
	stop(the_pong);
	assert_ended(the_pong, BH_CAUSE_STOPPED, 31);
}

/* The console comes back when it fails, however often; it may end itself. */
static void test_restart_console(void **state)
{
	(void)state;
	fake_start(the_console);
	for (unsigned i = 0; i < 30; i++) {
		end(the_console, BH_CAUSE_FAILED);
		assert_runs(the_console, i + 2);
	}
	end(the_console, BH_CAUSE_FINISHED);
	assert_ended(the_console, BH_CAUSE_FINISHED, 31);
}

/* ---- several at once ----------------------------------------------------------------------------------------- */

/* Two CPUs end it, for different reasons: the first one's counts, and it dies once. */
static void test_end_from_two_sides(void **state)
{
	(void)state;
	fake_start(the_linux);
	fake_log_lines = 0;
	fake_on(1);
	partition_end(the_linux, BH_CAUSE_POWEROFF, false);
	fake_on(0);
	partition_end(the_monitor, BH_CAUSE_FAILED, true);
	attend(0, the_linux);
	assert_int_equal(the_linux->letting_go, 2);
	fake_on(2);
	partition_end(the_linux, BH_CAUSE_FAILED, true);
	assert_int_equal(the_linux->letting_go, 2);
	attend(2, the_linux);
	attend(1, the_linux);
	fake_settle();
	assert_ended(the_linux, BH_CAUSE_POWEROFF, 1);
	assert_int_equal(fake_log_lines, 1);
}

/* A person stops it while it ends by itself: it stays stopped. */
static void test_stop_and_end(void **state)
{
	(void)state;
	fake_start(the_pong);
	partition_control(the_pong, BH_STOP);
	end(the_pong, BH_CAUSE_FAILED);
	assert_ended(the_pong, BH_CAUSE_STOPPED, 1);
}

/* Both members' CPUs have let go when the wiping begins, even if the vCPUs of one were never started. */
static void test_stop_before_all_started(void **state)
{
	(void)state;
	partition_control(the_linux, BH_START);
	assert_non_null(fake_run(1));
	assert_int_equal(the_linux->state, BH_STATE_RUNNING);
	partition_control(the_linux, BH_STOP);
	dirty(the_linux);
	assert_null(fake_run(1));
	assert_null(fake_run(0));
	assert_true(memory_is(the_linux, 0xee));
	fake_settle();
	assert_ended(the_linux, BH_CAUSE_STOPPED, 1);
	assert_int_equal(fake_resets, 2); /* those on CPU 1 */
	assert_int_equal(fake_releases, 2);
	fake_start(the_linux);
	assert_ptr_equal(fake_run(2), the_monitor->vcpu[1]);
}

/*
 * One vCPU runs already when another one's CPU has not yet come to starting it. What the first one sends it must
 * be there when it starts.
 */
static void test_signal_before_start(void **state)
{
	(void)state;
	partition_control(the_ping, BH_START);
	assert_ptr_equal(fake_run(0), the_ping->vcpu[0]);
	assert_int_equal(fake_call(the_ping->vcpu[0], BH_EVENT_SIGNAL, 1, 1 << 7, 0, 0, 0), 0);
	assert_ptr_equal(fake_run(3), the_ping->vcpu[1]);
	assert_int_equal(fake_call(the_ping->vcpu[1], BH_WAIT, 1 << 7, 0, 0, 0, 0), 1 << 7);
}

static void test_sipi_before_start(void **state)
{
	struct vcpu *second = the_linux->vcpu[1];

	(void)state;
	partition_control(the_linux, BH_START);
	fake_run(1);
	second->sipi_vector = 0x9a;
	vcpu_request(second, VCPU_REQUEST_INIT | VCPU_REQUEST_SIPI);
	fake_settle();
	assert_int_equal(fake_startups, 1);
	assert_int_equal(fake_startup_vector, 0x9a);
	assert_int_equal(second->state, VCPU_RUNNABLE);
}

/* The first vCPU may run before another one's CPU has looked, and must find an APIC there that hears INIT. */
static void test_apics_hear_before_their_cpus_come(void **state)
{
	struct guest_apic *apic = &the_linux->vcpu[1]->arch.apic;

	(void)state;
	for (unsigned life = 0; life < 2; life++) {
		atomic_store(&apic->base, 0);
		partition_control(the_linux, BH_START);
		while (the_linux->state != BH_STATE_RUNNING)
			fake_run(the_linux->vcpu[0]->cpu);
		assert_int_not_equal(the_linux->vcpu[1]->cpu, the_linux->vcpu[0]->cpu);
		assert_int_equal(the_linux->vcpu[1]->state, VCPU_OFF);
		assert_true(atomic_load(&apic->base) & APIC_BASE_EN);
		fake_settle();
		stop(the_linux);
	}
}

/* What was sent to a former life does not reach the next one. */
static void test_nothing_from_the_former_life(void **state)
{
	struct vcpu *second = the_linux->vcpu[1];

	(void)state;
	fake_start(the_ping);
	event_signal(the_ping->vcpu[1], 0xff);
	stop(the_ping);
	event_signal(the_ping->vcpu[1], 0xff00);
	fake_start(the_ping);
	assert_int_equal(fake_call(the_ping->vcpu[1], BH_WAIT, 0xffff, 0, 0, 0, 0), 0);

	fake_start(the_linux);
	stop(the_linux);
	atomic_store(&second->requests, VCPU_REQUEST_INIT | VCPU_REQUEST_SIPI);
	fake_start(the_linux);
	vcpu_wake(second);
	fake_settle();
	assert_int_equal(second->state, VCPU_WAIT_SIPI);
}

/* It dies with the run time of its cap used up: that neither stops the wiping nor the next start. */
static void test_throttled(void **state)
{
	struct entity *entity = the_ping->vcpu[0]->entity;

	(void)state;
	fake_start(the_ping);
	fake_run(0);
	fake_now += 70000000;
	assert_null(fake_run(0));
	assert_true(entity->throttled);
	stop(the_ping);
	partition_control(the_ping, BH_START);
	assert_null(fake_run(0)); /* builds, but does not run before its time */
	fake_settle();
	assert_int_equal(the_ping->state, BH_STATE_RUNNING);
	fake_now += 100000000;
	fake_settle();
	assert_ptr_equal(fake_run(0), the_ping->vcpu[0]);
}

/* ---- what the peers see ------------------------------------------------------------------------------------------ */

static uint64_t take(struct vcpu *vcpu)
{
	return (uint64_t)fake_call(vcpu, BH_WAIT, (1ull << BH_EVENT_BITS) - 1, 0, 0, 0, 0);
}

static void test_announced(void **state)
{
	struct vcpu *pong = the_pong->vcpu[0];
	uint64_t channel = fake_handle(the_pong, BH_HANDLE_CHANNEL, "talk");

	(void)state;
	fake_start(the_pong);
	assert_int_equal(fake_call(pong, BH_CHANNEL_STAT, channel, 0, 0, 0, 0), 0);
	assert_int_equal(fake_call(pong, BH_CHANNEL_BIND, channel, 0, 9, 0, 0), 0);
	assert_int_equal(take(pong), 0);
	fake_start(the_ping);
	assert_int_equal(take(pong), 1 << 9);
	assert_int_equal(fake_call(pong, BH_CHANNEL_STAT, channel, 0, 0, 0, 0), 1 << 1 | 1);
	partition_control(the_ping, BH_PAUSE);
	assert_int_equal(fake_call(pong, BH_CHANNEL_STAT, channel, 0, 0, 0, 0), 1 << 1);
	stop(the_ping);
	assert_int_equal(take(pong), 1 << 9);
	assert_int_equal(fake_call(pong, BH_CHANNEL_STAT, channel, 0, 0, 0, 0), 1 << 1);
	fake_start(the_ping);
	assert_int_equal(take(pong), 1 << 9);
	assert_int_equal(fake_call(pong, BH_CHANNEL_STAT, channel, 0, 0, 0, 0), 2 << 1 | 1);
	partition_control(the_ping, BH_RESTART);
	fake_settle();
	assert_int_equal(take(pong), 1 << 9);
	assert_int_equal(fake_call(pong, BH_CHANNEL_STAT, channel, 0, 0, 0, 0), 3 << 1 | 1);
}

/* A new life has bound nothing. */
static void test_unbound_by_restart(void **state)
{
	uint64_t mine = fake_handle(the_ping, BH_HANDLE_CHANNEL, "talk");
	uint64_t peers = fake_handle(the_pong, BH_HANDLE_CHANNEL, "talk");

	(void)state;
	fake_start(the_ping);
	fake_start(the_pong);
	assert_int_equal(fake_call(the_ping->vcpu[0], BH_CHANNEL_BIND, mine, 1, 3, 0, 0), 0);
	fake_call(the_pong->vcpu[0], BH_CHANNEL_SIGNAL, peers, 0, 0, 0, 0);
	assert_int_equal(take(the_ping->vcpu[1]), 1 << 3);
	partition_control(the_ping, BH_RESTART);
	fake_settle();
	fake_call(the_pong->vcpu[0], BH_CHANNEL_SIGNAL, peers, 0, 0, 0, 0);
	assert_int_equal(take(the_ping->vcpu[1]), 0);
}

/* ---- numbers --------------------------------------------------------------------------------------------------- */

static void test_stat(void **state)
{
	struct vcpu *guest = the_linux->vcpu[1];

	(void)state;
	assert_int_equal(partition_stat(the_linux, BH_STAT_RESTARTS, 0), 0);
	fake_now = 777;
	fake_start(the_linux);
	partition_control(the_linux, BH_RESTART);
	fake_settle();
	assert_int_equal(partition_stat(the_monitor, BH_STAT_STATE, 0), BH_STATE_RUNNING);
	assert_int_equal(partition_stat(the_linux, BH_STAT_CAUSE, 0), BH_CAUSE_NONE);
	assert_int_equal(partition_stat(the_monitor, BH_STAT_KIND, 0), BH_KIND_MONITOR);
	assert_int_equal(partition_stat(the_linux, BH_STAT_MEMORY, 0), 8 * FAKE_MIB);
	assert_int_equal(partition_stat(the_monitor, BH_STAT_VCPUS, 0), 3);
	assert_int_equal(partition_stat(the_linux, BH_STAT_RESTARTS, 0), 1);
	assert_int_equal(partition_stat(the_linux, BH_STAT_STARTED, 0), 777);
	assert_int_equal(partition_stat(the_linux, BH_STAT_VCPU_CPU, 1), 2);
	assert_int_equal(partition_stat(the_linux, BH_STAT_VCPU_DEDICATED, 1), 0);
	guest->ran = 5;
	guest->kernel = 6;
	guest->peer->ran = 7;
	guest->peer->kernel = 8;
	guest->exits[BH_EXIT_PIO] = 9;
	assert_int_equal(partition_stat(the_linux, BH_STAT_VCPU_RAN, 1), 5);
	assert_int_equal(partition_stat(the_linux, BH_STAT_VCPU_KERNEL, 1), 6);
	assert_int_equal(partition_stat(the_linux, BH_STAT_VCPU_MONITOR, 1), 15);
	assert_int_equal(partition_stat(the_monitor, BH_STAT_VCPU_MONITOR, 1), 0);
	assert_int_equal(partition_stat(the_linux, BH_STAT_VCPU_EXITS, 1 | BH_EXIT_PIO << 16), 9);

	assert_int_equal(partition_stat(the_linux, BH_STAT_VCPU_CPU, 2), -BH_EINVAL);
	assert_int_equal(partition_stat(the_linux, BH_STAT_VCPU_EXITS, 1 | BH_EXIT_REASONS << 16), -BH_EINVAL);
	assert_int_equal(partition_stat(the_linux, BH_STAT_VCPU_EXITS, 1ull << 48 | 1), -BH_EINVAL);
	assert_int_equal(partition_stat(the_linux, BH_STAT_VCPU_EXITS + 1, 0), -BH_EINVAL);
	assert_int_equal(partition_stat(the_linux, UINT64_MAX, 0), -BH_EINVAL);
	assert_int_equal(partition_stat(the_broken, BH_STAT_VCPU_CPU, 0), -BH_EINVAL);
	assert_int_equal(partition_stat(the_broken, BH_STAT_STATE, 0), BH_STATE_FAILED_CONFIG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, fake_system_reset)
	const struct CMUnitTest tests[] = {
		TEST(test_built),
		TEST(test_start),
		TEST(test_program_in_memory),
		TEST(test_monitors_info),
		TEST(test_start_again_and_again),
		TEST(test_autostart),
		TEST(test_refusals),
		TEST(test_stop_in_every_order),
		TEST(test_wiped_before_stopped),
		TEST(test_nothing_stays),
		TEST(test_pause),
		TEST(test_deadline_in_pause),
		TEST(test_pause_unnoticed),
		TEST(test_pause_at_once),
		TEST(test_stop_in_pause),
		TEST(test_restart),
		TEST(test_control_while_dying),
		TEST(test_restart_while_failing),
		TEST(test_end_while_building),
		TEST(test_stop_while_populating),
		TEST(test_restart_never),
		TEST(test_restart_on_failure),
		TEST(test_attempts_after_restart),
		TEST(test_restart_always),
		TEST(test_restart_console),
		TEST(test_end_from_two_sides),
		TEST(test_stop_and_end),
		TEST(test_stop_before_all_started),
		TEST(test_signal_before_start),
		TEST(test_sipi_before_start),
		TEST(test_apics_hear_before_their_cpus_come),
		TEST(test_nothing_from_the_former_life),
		TEST(test_throttled),
		TEST(test_announced),
		TEST(test_unbound_by_restart),
		TEST(test_stat),
	};

	return cmocka_run_group_tests(tests, fake_system, fake_system_end);
}
