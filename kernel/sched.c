#include "sched.h"
#include "clock.h"
#include "cpu.h"
#include "interrupt.h"
#include "partition.h"
#include "trace.h"
#include "vcpu.h"
#include "vcpu_switch.h"

uint64_t sched_slice;

static void end_slice(struct timer *timer)
{
	struct sched *sched = (struct sched *)((char *)timer - offsetof(struct sched, slice));

	sched->slice_over = true;
}

void sched_init(struct sched *sched)
{
	*sched = (struct sched){ .timers.next = TIMER_NEVER };
	sched->slice.deadline = TIMER_NEVER;
	sched->slice.fire = end_slice;
}

struct vcpu *entity_vcpu(const struct entity *entity)
{
	if (entity->native->state == VCPU_RUNNABLE)
		return entity->native;
	if (entity->guest && entity->guest->state == VCPU_RUNNABLE)
		return entity->guest;
	return NULL;
}

static bool entity_runnable(const struct entity *entity)
{
	return (entity->active && !entity->throttled && entity_vcpu(entity)) || entity->work;
}

/* ---- the policy -------------------------------------------------------------------------------- */

static uint64_t cap_period(void) { return clock_hz / 1000 * SCHED_CAP_PERIOD_MS; }

static uint64_t cap_budget(const struct entity *entity) { return cap_period() * entity->cap_percent / 100; }

static void enqueue(struct sched *sched, struct entity *entity)
{
	struct entity **link = &sched->queue;

	while (*link && (*link)->weighted <= entity->weighted)
		link = &(*link)->next;
	entity->next = *link;
	*link = entity;
	entity->queued = true;
}

/* Counts the run time against the cap; a new period begins with the first run after the old one. */
static void charge_cap(struct entity *entity, uint64_t now, uint64_t ticks)
{
	if (now - entity->period_start >= cap_period()) {
		entity->period_start = now - ticks;
		entity->period_used = 0;
	}
	entity->period_used += ticks;
	entity->throttled = entity->period_used >= cap_budget(entity);
}

/* The floor rises with the least of the runnable ones, also while one runs alone: else the next to wake could catch up
 * with all of that time. */
static void raise_least(struct sched *sched)
{
	const struct entity *first = sched->queue;

	if (!first || first->weighted > sched->current->weighted)
		first = sched->current;
	if (first->weighted > sched->least)
		sched->least = first->weighted;
}

void sched_charge(struct sched *sched, uint64_t now)
{
	struct entity *entity = sched->current;
	uint64_t ticks = now - sched->charged;

	sched->charged = now;
	if (!entity) {
		sched->idle += ticks;
		return;
	}

	entity->weighted += ticks * SCHED_WEIGHT_UNIT / entity->weight;
	raise_least(sched);
	if (entity->cap_percent < 100) {
		charge_cap(entity, now, ticks);
		if (entity->throttled)
			timer_set(&sched->timers, &entity->unthrottle, entity->period_start + cap_period());
	}
}

/* A slice ends only for a reason: another one waits, or the cap is near. */
static void set_slice(struct sched *sched, uint64_t now)
{
	struct entity *entity = sched->current;
	uint64_t end = entity && sched->queue ? now + sched_slice : TIMER_NEVER;

	if (entity && entity->cap_percent < 100) {
		uint64_t capped = now + cap_budget(entity) - entity->period_used;

		end = capped < end ? capped : end;
	}
	sched->slice_over = false;
	if (end != sched->slice.deadline)
		timer_set(&sched->timers, &sched->slice, end);
}

/*
 * Leaves the current entity where it is while its slice lasts and nobody with a clear claim waits;
 * otherwise the waiting one with the least weighted time takes its place.
 */
struct entity *sched_pick(struct sched *sched, uint64_t now)
{
	struct entity *current = sched->current;
	struct entity *first = sched->queue;
	bool stays = current && entity_runnable(current);

	if (stays && !(first && (sched->slice_over || first->weighted + sched_slice < current->weighted))) {
		if (sched->slice_over || (first && sched->slice.deadline > now + sched_slice))
			set_slice(sched, now);
		return current;
	}

	if (current)
		current->queued = false;
	if (stays)
		enqueue(sched, current);
	first = sched->queue;
	if (first)
		sched->queue = first->next;
	sched->current = first;
	set_slice(sched, now);
	return first;
}

void sched_wake(struct sched *sched, struct entity *entity)
{
	uint64_t floor = sched->least > 2 * sched_slice ? sched->least - 2 * sched_slice : 0;

	if (entity->queued || !entity_runnable(entity))
		return;
	/* Who slept does not save up time, beyond what makes him answer at once. */
	if (entity->weighted < floor)
		entity->weighted = floor;
	enqueue(sched, entity);
}

void sched_activate(struct sched *sched, struct entity *entity)
{
	entity->active = true;
	sched_wake(sched, entity);
}

void sched_deactivate(struct sched *sched, struct entity *entity)
{
	struct entity **link = &sched->queue;

	entity->active = false;
	if (entity == sched->current || !entity->queued || entity_runnable(entity))
		return;
	while (*link != entity)
		link = &(*link)->next;
	*link = entity->next;
	entity->queued = false;
}

/* ---- on a CPU ---------------------------------------------------------------------------------
 */

static void attend_vcpus(struct sched *sched)
{
	struct vcpu *vcpu = atomic_exchange(&sched->wake, NULL);

	while (vcpu) {
		struct vcpu *next = vcpu->wake_next;

		/* From here on it may be pushed again. */
		atomic_store(&vcpu->wake_queued, false);
		vcpu_attend(vcpu);
		vcpu = next;
	}
}

static void attend_partitions(struct cpu *cpu)
{
	for (unsigned word = 0; word < 2; word++) {
		uint64_t bits = atomic_exchange(&cpu->sched.attend[word], 0);

		while (bits) {
			unsigned bit = (unsigned)__builtin_ctzll(bits);

			bits &= bits - 1;
			partition_attend(cpu, partitions[word * 64 + bit]);
		}
	}
}

/* Extended state follows the entity; a guest and its monitor share it. */
static void load(struct cpu *cpu, struct entity *entity)
{
	struct sched *sched = &cpu->sched;

	if (sched->loaded == entity)
		return;
	vcpu_switch_state(sched->loaded ? entity_owner(sched->loaded) : NULL, entity_owner(entity));
	trace_keep(cpu, entity->native->partition->kind != BH_KIND_CONSOLE);
	sched->loaded = entity;
}

static void attend(struct cpu *cpu)
{
	struct sched *sched = &cpu->sched;

	if (!atomic_load(&sched->look))
		return;
	atomic_store(&sched->look, 0);
	attend_vcpus(sched);
	if (atomic_load(&sched->attend[0]) | atomic_load(&sched->attend[1]))
		attend_partitions(cpu);
}

/* With interrupts off, so that whoever sets `look` after this test ends the halt by his interrupt.
 */
static void idle(struct cpu *cpu)
{
	if (atomic_load(&cpu->sched.look))
		return;
	if (sched_deadline(&cpu->sched) != cpu->arch.timer_deadline)
		clock_set_timer(sched_deadline(&cpu->sched));
	cpu_idle();
}

/* Each step of a frame between guests comes by here, so the policy's functions are part of it. */
__attribute__((flatten)) struct vcpu *sched_try(struct cpu *cpu, uint64_t now)
{
	struct sched *sched = &cpu->sched;
	struct entity *entity;
	struct vcpu *vcpu;

	sched_charge(sched, now);
	attend(cpu);
	if (sched_deadline(sched) <= now)
		timer_expire(&sched->timers, now);
	entity = sched_pick(sched, now);
	/* Never with `look` set: others would believe that it has been kicked. */
	if (!entity || entity->work || atomic_load(&sched->look) || !(vcpu = entity_vcpu(entity)))
		return NULL;
	load(cpu, entity);
	return vcpu;
}

struct vcpu *sched_next(struct cpu *cpu)
{
	struct vcpu *vcpu;

	while (!(vcpu = sched_try(cpu, clock_now()))) {
		struct entity *entity = cpu->sched.current;

		if (!entity)
			idle(cpu);
		else if (entity->work)
			entity->work(entity);
	}
	return vcpu;
}
