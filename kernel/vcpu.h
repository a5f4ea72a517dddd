/*
 * vcpu.h: a virtual CPU, of a guest or of a native program.
 *
 * A vCPU belongs to one physical CPU for good, and only that CPU touches it; what other CPUs may do
 * is said below.
 */
#pragma once
#include <stdint.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <bulkhead/abi.h>
#include "arch_vcpu.h"
#include "sched.h"
#include "timer.h"

struct partition;

enum vcpu_state {
	VCPU_RUNNABLE = 0, /* 0: the exit path tests for it */
	VCPU_OFF,	   /* its partition does not run */
	VCPU_WAIT_SIPI,	   /* guests: after INIT */
	VCPU_HALTED,	   /* guests: HLT, until an interrupt */
	VCPU_DEAF,	   /* guests: HLT with interrupts off, until INIT */
	VCPU_POSTED,	   /* guests: until the monitor waits, and is told of the message */
	VCPU_MESSAGE,	   /* guests: until the monitor replies */
	VCPU_WAITING,	   /* natives: in BH_WAIT */
	VCPU_PARKED,	   /* ended by the partition's failure, until the CPU attends to it */
};

#define VCPU_REQUEST_INIT 1u
#define VCPU_REQUEST_SIPI 2u

struct vcpu {
	struct arch_vcpu arch; /* first: the exit path finds registers at offset 0 */
	struct partition *partition;
	struct entity own;	    /* natives */
	struct entity *entity;	    /* of its own, or of its monitor's vCPU */
	struct vcpu *peer;	    /* guest's <-> its monitor's paired vCPU; NULL: neither */
	struct bh_message *message; /* guests: the page shared with the monitor */
	uint32_t index;		    /* in its partition */
	uint32_t cpu;		    /* physical */
	uint32_t trace_id;	    /* partition | index << 16 */
	_Atomic uint32_t state;	    /* enum vcpu_state; written by its own CPU */
	bool is_guest;
	uint32_t message_reason;   /* guests: as what the reply is taken; BH_MSG_NONE: nothing is taken from it */
	uint32_t message_size;	   /* of an IN */
	uint32_t epoch;		   /* of the partition's start that its registers belong to */
	_Atomic uint32_t requests; /* VCPU_REQUEST_*; any CPU sets */
	_Atomic uint32_t sipi_vector;
	_Atomic uint64_t events; /* natives; any CPU sets */
	uint64_t wait_mask, wait_deadline;
	struct timer timer; /* natives: not after the deadline of BH_WAIT; guests: the local APIC's timer */
	_Atomic bool wake_queued;
	struct vcpu *wake_next;
	uint64_t exited;      /* TSC of the last exit */
	uint64_t ran, kernel; /* ticks in non-root mode; in the kernel on its behalf */
	uint64_t exits[256];  /* by the back end's number of the reason */
};

/*
 * Own CPU. Others read the state only to find whether somebody waits: seeing that late costs a wake-up too many. But
 * becoming VCPU_WAITING must be seen before the events are looked at (event.c).
 */
static inline void vcpu_set_state(struct vcpu *vcpu, enum vcpu_state state)
{
	atomic_store_explicit(&vcpu->state, state, memory_order_release);
}

/* Any CPU: makes the vCPU's CPU look at it before it enters anything, and kicks that CPU if it is
 * another one. */
void vcpu_wake(struct vcpu *vcpu);

/* Any CPU: sets VCPU_REQUEST_* and wakes. */
void vcpu_request(struct vcpu *vcpu, uint32_t request);

/* Own CPU: arms the vCPU's timer for a TSC value; TIMER_NEVER: none. */
void vcpu_set_timer(struct vcpu *vcpu, uint64_t tsc);

/* Own CPU: what vcpu_wake asked for. */
void vcpu_attend(struct vcpu *vcpu);

/*
 * Own CPU: the vCPU as its partition's start (`guest` vCPU 0: waiting for its monitor's first reply). Its requests and
 * events stay: the partition's other vCPUs may run already.
 */
void vcpu_start(struct vcpu *vcpu);

/* Own CPU: the vCPU of a partition that ends. */
void vcpu_stop(struct vcpu *vcpu);

/* Makes a vCPU for `partition` on `cpu`; NULL when the kernel's memory does not suffice. */
struct vcpu *vcpu_create(struct partition *partition, unsigned index, unsigned cpu, bool is_guest);
