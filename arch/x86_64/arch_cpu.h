/* arch_cpu.h: the x86 part of struct cpu, and how one is made. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "svm/svm_vcpu.h"

#define GDT_CODE    0x08u /* selectors; DS, ES, SS are GDT_DATA, FS and GS are 0 */
#define GDT_DATA    0x10u
#define GDT_TSS	    0x18u /* 16 bytes */
#define GDT_ENTRIES 5

#define IST_NMI		  1u
#define IST_DOUBLE_FAULT  2u
#define IST_MACHINE_CHECK 3u
#define IST_COUNT	  3u
#define IST_BYTES	  4096u
#define CPU_STACK_BYTES	  16384u

/* Task-state segment (SDM vol. 3, 8.7). */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "SDM vol. 3, figure 8-11");

struct arch_cpu {
	uint64_t gdt[GDT_ENTRIES];
	struct tss tss;		 /* its address is the TR base */
	uint64_t stack_top;	 /* 16-byte aligned; CPU_STACK_BYTES below it */
	uint64_t timer_deadline; /* clock.c: TSC, UINT64_MAX: none */
	uint64_t nmis;		 /* NMIs seen */
	_Atomic bool online;	 /* set by the CPU itself when it is ready */
	uint32_t last_vector;	 /* of the last external interrupt */
	struct svm_cpu svm;
};

struct cpu;

/*
 * A struct cpu in the pool with its stacks (its own stack only if stack_top is 0), not yet running
 * and not yet in cpus[]. NULL when the pool is exhausted.
 */
struct cpu *arch_cpu_create(uint32_t index, uint32_t apic_id, uint64_t stack_top);

/*
 * Loads GDT, TR, IDT, GS base, PAT, CR0, CR4 and EFER of the calling CPU. Afterwards cpu_this() is
 * `cpu`. CR4 and EFER are the same on all CPUs.
 */
void arch_cpu_load(struct cpu *cpu);
