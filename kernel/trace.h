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
	uint32_t who;	   /* vcpu.trace_id; tsc 0: never written */
	uint8_t number;	   /* the back end's, of the reason */
	uint8_t spare[7];  /* 32 bytes: found without multiplying */
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
void trace_keep(struct cpu *cpu, bool keep);

/* The next record of the CPU's ring, which is now cpu->record. All but its `tsc` is stale until written. */
static inline struct trace_record *trace_next(struct cpu *cpu)
{
	struct trace_record *record = cpu->record + 1;

	if (record == cpu->record_end)
		record = cpu->record_first;
	cpu->record = record;
	return record;
}

/* Word 0..3 of the vCPU's record of that age, or -BH_ENOENT. Any CPU; a record being overwritten
 * may be torn. */
struct vcpu;
int64_t trace_read(const struct vcpu *vcpu, uint64_t age, unsigned word);

extern const char *const trace_reason[BH_EXIT_REASONS];
