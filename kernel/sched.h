/*
 * sched.h: who runs on a CPU.
 *
 * The unit is an entity: a native program's vCPU alone, or a guest's vCPU together with the vCPU of
 * its monitor that answers its exits. An entity never leaves its CPU. Among the runnable ones of a
 * CPU the one with the least weighted run time goes first; a slice ends only where another one
 * waits or a cap is reached, so a CPU with one runnable entity has no tick.
 *
 * All of it belongs to its CPU, interrupts off; other CPUs only push vCPUs on `wake` and set bits
 * in `attend`.
 */
#pragma once
#include <stdint.h>
#include <stdbool.h>
#include <stdatomic.h>
#include "timer.h"

struct vcpu;
struct cpu;
struct partition;

#define SCHED_WEIGHT_UNIT   100 /* run time counts as it is at this weight */
#define SCHED_CAP_PERIOD_MS 100

struct entity {
	struct vcpu *guest;		    /* NULL: a native program's vCPU alone */
	struct vcpu *native;		    /* the program's, or the monitor's paired vCPU */
	struct entity *next;		    /* in the run queue */
	void (*work)(struct entity *);	    /* kernel work charged to this entity, in slices; NULL: none */
	uint64_t weighted;		    /* weighted run time */
	uint64_t period_start, period_used; /* ticks, for the cap */
	struct timer unthrottle;
	uint32_t weight;
	uint32_t cap_percent; /* 100: none */
	bool active;	      /* its partition runs: it may be scheduled */
	bool queued;	      /* in the run queue or current */
	bool throttled;
};

struct sched {
	_Atomic uint32_t look;	/* something below wants attention before the next entry */
	struct entity *current; /* NULL: idle */
	struct entity *loaded;	/* whose extended state is in the CPU */
	struct entity *queue;	/* runnable ones without the current, least weighted time first */
	uint64_t least;		/* floor of weighted time: newcomers start here */
	uint64_t charged;	/* TSC up to which `current` has been charged */
	struct timer slice;	/* when the current one's turn ends, if anybody waits for it or its cap
				   is near */
	bool slice_over;
	struct timer_queue timers;
	uint64_t idle;		    /* ticks */
	struct vcpu *_Atomic wake;  /* vCPUs that something has happened to; linked by wake_next */
	_Atomic uint64_t attend[2]; /* partitions whose state has changed, by number */
};

/* Ticks of a slice; set once at start from the configuration. */
extern uint64_t sched_slice;

void sched_init(struct sched *sched);

/*
 * The vCPU to enter next on this CPU, after all that wants attention has been attended to; idles
 * until there is one. The current entity has been charged up to now.
 */
struct vcpu *sched_next(struct cpu *cpu);

/* One round of that: NULL if the CPU has to idle or to work first, or to look again. */
struct vcpu *sched_try(struct cpu *cpu, uint64_t now);

/* The state of a partition has changed that has vCPUs on this CPU. */
static inline bool sched_must_attend(const struct sched *sched)
{
	return atomic_load_explicit(&sched->attend[0], memory_order_relaxed) |
	       atomic_load_explicit(&sched->attend[1], memory_order_relaxed);
}

/* Whose state is in the registers that both of its vCPUs share. */
static inline struct vcpu *entity_owner(const struct entity *entity)
{
	return entity->guest ? entity->guest : entity->native;
}

/* The vCPU of `entity` that may run: the monitor's before the guest's; NULL: none. */
struct vcpu *entity_vcpu(const struct entity *entity);

/* Own CPU: the entity has become runnable (or may have), or is made schedulable or not. */
void sched_wake(struct sched *sched, struct entity *entity);
void sched_activate(struct sched *sched, struct entity *entity);
void sched_deactivate(struct sched *sched, struct entity *entity);

/* TSC at which the CPU must be back in the kernel, or TIMER_NEVER. */
static inline uint64_t sched_deadline(const struct sched *sched) { return sched->timers.next; }

/* The policy alone, without CPUs (tested on the host). */
void sched_charge(struct sched *sched, uint64_t now);
struct entity *sched_pick(struct sched *sched, uint64_t now);
