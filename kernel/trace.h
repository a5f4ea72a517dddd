/* trace.h: the last exits of each CPU, in a ring, and how long each took. Always on. */
#pragma once
#include <stdint.h>
#include <bulkhead/abi.h>
#include "cpu.h"

#define TRACE_RECORDS 1024 /* a power of two */

struct trace_record {
	uint64_t tsc;	   /* at the exit */
	uint64_t detail;   /* by reason: port, MSR, leaf, address, number */
	uint32_t duration; /* ticks until the CPU entered a vCPU again */
	uint32_t who; /* vcpu.trace_id, with the back end's number of the reason in bits 31:24; tsc 0: never written */
	struct trace_record *next;
};

struct trace {
	struct trace_record record[TRACE_RECORDS];
	struct trace_record aside;   /* for those whose exits are not kept */
	struct trace_record *newest; /* in record[], while others are put aside */
};

/* Takes memory for the CPU's ring; false: there is none. At boot. */
bool trace_create(struct cpu *cpu);

/*
 * Own CPU: whether the exits from now on are kept. The console's are not: it would fill the ring with its own
 * while somebody looks at others.
 */
static inline void trace_keep(struct cpu *cpu, bool keep)
{
	struct trace *trace = cpu->trace;
	bool kept = cpu->record != &trace->aside;

	if (kept && !keep)
		trace->newest = cpu->record;
	if (keep != kept)
		cpu->record = keep ? trace->newest : &trace->aside;
}

/* The next record of the CPU's ring, which is now cpu->record. All but its `tsc` is stale until written. */
static inline struct trace_record *trace_next(struct cpu *cpu) { return cpu->record = cpu->record->next; }

/* The back end's number of the reason: the highest byte of `who`. */
static inline void trace_number(struct trace_record *record, uint8_t number) { ((uint8_t *)&record->who)[3] = number; }

/* Word 0..3 of the vCPU's record of that age, or -BH_ENOENT. Any CPU; a record being overwritten
 * may be torn. */
struct vcpu;
int64_t trace_read(const struct vcpu *vcpu, uint64_t age, unsigned word);

extern const char *const trace_reason[BH_EXIT_REASONS];
