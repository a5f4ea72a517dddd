/* cpu.h: a physical CPU. Everything in it belongs to that CPU alone, unless it says otherwise. */
#pragma once
#include <stdint.h>
#include "arch_cpu.h"
#include "sched.h"

#define CPU_MAX 256

struct trace;
struct trace_record;
struct vcpu;

struct cpu {
	struct cpu *self;      /* %gs:0 */
	struct vcpu *resident; /* %gs:8; whose VMCS is current; NULL: none */
	uint32_t index;	       /* 0: the boot CPU */
	uint32_t apic_id;
	struct arch_cpu arch;	     /* arch/x86_64/arch_cpu.h */
	struct sched sched;	     /* kernel/sched.h */
	uint64_t entered;	     /* TSC of the last entry */
	struct trace *trace;	     /* kernel/trace.h; other CPUs may read */
	struct trace_record *record; /* the newest one */
};

extern struct cpu *cpus[CPU_MAX]; /* those that came up, in order of index */
extern unsigned cpu_count;
