#include "partition.h"
#include <guests/lib/bh_string.h>
#include "interrupt.h"
#include "channel.h"
#include "clock.h"
#include "cpu.h"
#include "cpu_this.h"
#include "device.h"
#include "guest_apic.h"
#include "log.h"
#include "pool.h"
#include "populate.h"
#include "vcpu.h"

struct partition *partitions[PARTITION_MAX];
uint32_t partition_count;

/* ---- telling CPUs -------------------------------------------------------------------------------
 */

static void attend_on(struct partition *leader, unsigned index)
{
	struct cpu *cpu = cpus[index];

	atomic_fetch_or(&cpu->sched.attend[leader->id / 64], 1ull << leader->id % 64);
	if (!atomic_exchange(&cpu->sched.look, 1) && cpu != cpu_this())
		kick_cpu(index);
}

static unsigned work_cpu(const struct partition *leader) { return leader->vcpu[0]->cpu; }

static void attend_everywhere(struct partition *leader)
{
	for (unsigned word = 0; word < PARTITION_CPU_WORDS; word++) {
		for (uint64_t bits = leader->cpu_mask[word]; bits; bits &= bits - 1)
			attend_on(leader, word * 64 + (unsigned)__builtin_ctzll(bits));
	}
}

/* ---- changes of state -------------------------------------------------------------------------- */

/* The lock is held. */
static void begin_building(struct partition *leader)
{
	atomic_store(&leader->cause, BH_CAUSE_NONE);
	atomic_store(&leader->state, BH_STATE_BUILDING);
	leader->start_again = false;
}

/* The lock is held. */
static void begin_dying(struct partition *leader, enum bh_cause cause, bool again)
{
	/* The count first: a CPU that finds its bit takes itself off. */
	atomic_store(&leader->letting_go, leader->cpu_total);
	for (unsigned word = 0; word < PARTITION_CPU_WORDS; word++)
		atomic_store(&leader->holding[word], leader->cpu_mask[word]);
	atomic_store(&leader->cause, cause);
	leader->start_again = again;
	atomic_store(&leader->state, BH_STATE_DYING);
}

static bool is_alive(const struct partition *leader)
{
	return leader->state == BH_STATE_BUILDING || leader->state == BH_STATE_RUNNING ||
	       leader->state == BH_STATE_PAUSED;
}

/* Whether the configuration wants it started again by itself; counts the attempt. */
static bool restart_policy(struct partition *leader, enum bh_cause cause)
{
	const struct config_partition *config = leader->config;
	bool wanted = cause == BH_CAUSE_FAILED;

	if (!config)
		return wanted; /* the console */
	if (cause == BH_CAUSE_STOPPED || config->restart == CONFIG_RESTART_NEVER)
		return false;
	if (config->restart == CONFIG_RESTART_ALWAYS)
		wanted = true;
	if (!wanted || leader->failures >= config->restart_limit)
		return false;
	leader->failures++;
	return true;
}

void partition_end(struct partition *partition, enum bh_cause cause, bool again)
{
	struct partition *leader = partition_leader(partition);
	bool ends;

	spin_lock(&leader->lock);
	ends = is_alive(leader);
	if (ends)
		begin_dying(leader, cause, again || restart_policy(leader, cause));
	spin_unlock(&leader->lock);

	if (ends)
		attend_everywhere(leader);
}

/* ---- control ----------------------------------------------------------------------------------- */

static int64_t control_start(struct partition *leader)
{
	if (leader->state == BH_STATE_DYING && leader->cause == BH_CAUSE_STOPPED)
		leader->start_again = true;
	else if (leader->state == BH_STATE_STOPPED)
		begin_building(leader);
	else
		return -BH_ESTATE;
	leader->failures = 0;
	return 0;
}

static int64_t control_stop(struct partition *leader, bool again)
{
	if (is_alive(leader))
		begin_dying(leader, BH_CAUSE_STOPPED, again);
	else if (leader->state == BH_STATE_DYING)
		leader->start_again = again;
	else
		return again ? control_start(leader) : -BH_ESTATE;
	leader->failures = 0;
	return 0;
}

static int64_t control_pause(struct partition *leader, uint32_t from, uint32_t to)
{
	if (leader->state != from)
		return -BH_ESTATE;
	atomic_store(&leader->state, to);
	return 0;
}

int64_t partition_control(struct partition *partition, uint64_t operation)
{
	int64_t error;

	if (partition->ward)
		return -BH_EINVAL; /* a monitor goes with its guest */

	spin_lock(&partition->lock);
	switch (operation) {
	case BH_START: error = control_start(partition); break;
	case BH_STOP: error = control_stop(partition, false); break;
	case BH_RESTART: error = control_stop(partition, true); break;
	case BH_PAUSE: error = control_pause(partition, BH_STATE_RUNNING, BH_STATE_PAUSED); break;
	case BH_RESUME: error = control_pause(partition, BH_STATE_PAUSED, BH_STATE_RUNNING); break;
	default: error = -BH_EINVAL;
	}
	spin_unlock(&partition->lock);

	if (!error)
		attend_everywhere(partition);
	return error;
}

void partition_autostart(void)
{
	for (unsigned i = 0; i < partition_count; i++) {
		struct partition *partition = partitions[i];

		if (!partition->ward && (!partition->config || partition->config->autostart))
			partition_control(partition, BH_START);
	}
}

/* ---- work: wiping and building, in slices ------------------------------------------------------ */

/*
 * What was sent to its former life, and what that left in its messages and APICs. Nobody of the new one runs yet; later
 * one may find another whose CPU has not started it.
 */
static void forget_signals(struct partition *partition)
{
	for (unsigned i = 0; i < partition->vcpus; i++) {
		struct vcpu *vcpu = partition->vcpu[i];

		atomic_store(&vcpu->requests, 0);
		atomic_store(&vcpu->events, 0);
		if (vcpu->is_guest) {
			memset(vcpu->message, 0, PAGE_BYTES);
			guest_apic_power(vcpu);
		}
	}
}

static void finish_building(struct partition *leader)
{
	bool runs;

	/* Before: another CPU may end it at any moment, and then what has been copied must be wiped. */
	leader->dirty = true;
	leader->wiped = 0;
	populate(leader->monitor ? leader->monitor : leader);
	forget_signals(leader);
	if (leader->monitor)
		forget_signals(leader->monitor);
	device_start(leader);

	spin_lock(&leader->lock);
	runs = leader->state == BH_STATE_BUILDING;
	if (runs) {
		leader->started = clock_now();
		atomic_fetch_add(&leader->epoch, 1);
		atomic_store(&leader->state, BH_STATE_RUNNING);
	}
	spin_unlock(&leader->lock);

	if (runs) {
		attend_everywhere(leader);
		channel_announce(leader);
		if (leader->monitor)
			channel_announce(leader->monitor);
	}
}

static void finish_dying(struct partition *leader)
{
	bool again;

	spin_lock(&leader->lock);
	again = leader->start_again;
	if (again)
		begin_building(leader);
	else
		atomic_store(&leader->state, BH_STATE_STOPPED);
	spin_unlock(&leader->lock);

	log_printf("%s: %s", leader->name, again ? "starts again" : "stopped, its memory wiped");
	channel_announce(leader->monitor ? leader->monitor : leader);
	if (again)
		attend_everywhere(leader);
}

/* Before memory is wiped nothing may write to it any more. A reset takes its time: meanwhile there is no work. */
static bool devices_rest(struct entity *entity, struct partition *leader)
{
	unsigned wait = 0;

	if (leader->device_timer.deadline == TIMER_NEVER) {
		wait = device_stop(leader);
		if (!wait)
			return true;
		timer_set(&cpu_this()->sched.timers, &leader->device_timer, clock_now() + clock_ticks(wait * 1000ull));
	}
	entity->work = NULL;
	return false;
}

static void work(struct entity *entity)
{
	struct partition *leader = partition_leader(entity->native->partition);

	if (leader->dirty) {
		if (devices_rest(entity, leader))
			leader->dirty = !populate_wipe_slice(leader);
		return;
	}
	entity->work = NULL;
	if (leader->state == BH_STATE_BUILDING)
		finish_building(leader);
	else if (leader->state == BH_STATE_DYING && leader->letting_go == 0)
		finish_dying(leader);
}

static void begin_work(struct cpu *cpu, struct partition *leader)
{
	struct entity *entity = leader->vcpu[0]->entity;

	entity->work = work;
	sched_wake(&cpu->sched, entity);
}

/* On the CPU that works. */
static void go_on(struct timer *timer)
{
	begin_work(cpu_this(), (struct partition *)((char *)timer - offsetof(struct partition, device_timer)));
}

void partition_init_timer(struct partition *partition)
{
	partition->device_timer = (struct timer){ .deadline = TIMER_NEVER, .fire = go_on };
}

/* ---- a CPU's part ------------------------------------------------------------------------------ */

static void each_vcpu_here(struct cpu *cpu, struct partition *leader,
			   void (*action)(struct cpu *, struct partition *, struct vcpu *))
{
	struct partition *members[2] = { leader, leader->monitor };

	for (unsigned m = 0; m < 2 && members[m]; m++) {
		for (unsigned i = 0; i < members[m]->vcpus; i++) {
			if (members[m]->vcpu[i]->cpu == cpu->index)
				action(cpu, leader, members[m]->vcpu[i]);
		}
	}
}

static void run_vcpu(struct cpu *cpu, struct partition *leader, struct vcpu *vcpu)
{
	if (vcpu->epoch != leader->epoch) {
		vcpu->epoch = leader->epoch;
		vcpu_start(vcpu);
		/* Those on other CPUs may have run already, and sent it something. */
		vcpu_attend(vcpu);
	}
	sched_activate(&cpu->sched, vcpu->entity);
}

static void hold_vcpu(struct cpu *cpu, struct partition *leader, struct vcpu *vcpu)
{
	(void)leader;
	sched_deactivate(&cpu->sched, vcpu->entity);
}

static void stop_vcpu(struct cpu *cpu, struct partition *leader, struct vcpu *vcpu)
{
	hold_vcpu(cpu, leader, vcpu);
	if (vcpu->state != VCPU_OFF)
		vcpu_stop(vcpu);
}

/* The last CPU to let go hands over to the one that wipes. */
static void let_go(struct cpu *cpu, struct partition *leader)
{
	/* Read first: once the last has let go, the rest may be done, and the place be another's. */
	unsigned worker = work_cpu(leader);
	uint64_t bit = 1ull << cpu->index % 64;

	if (atomic_fetch_and(&leader->holding[cpu->index / 64], ~bit) & bit) {
		each_vcpu_here(cpu, leader, stop_vcpu);
		if (atomic_fetch_sub(&leader->letting_go, 1) == 1)
			attend_on(leader, worker);
	}
	if (cpu->index == worker && leader->letting_go == 0)
		begin_work(cpu, leader);
}

void partition_attend(struct cpu *cpu, struct partition *leader)
{
	switch (atomic_load(&leader->state)) {
	case BH_STATE_BUILDING:
		if (cpu->index == work_cpu(leader))
			begin_work(cpu, leader);
		break;
	case BH_STATE_RUNNING: each_vcpu_here(cpu, leader, run_vcpu); break;
	case BH_STATE_PAUSED: each_vcpu_here(cpu, leader, hold_vcpu); break;
	case BH_STATE_DYING: let_go(cpu, leader); break;
	}
}
