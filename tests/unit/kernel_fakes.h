/*
 * kernel_fakes.h: a machine for the kernel's core: CPUs, a clock, memory, and a virtualization back end that takes
 * notes.
 *
 * What is the kernel's own is real (pool, page tables, scheduler, ...). The calling CPU is found as on the machine, by
 * GS, so the test chooses with fake_on() whose code it runs.
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "boot/boot_info.h"
#include "cpu.h"
#include "partition.h"
#include "vcpu.h"
#include "virt.h"

#define FAKE_CPUS	  4
#define FAKE_MIB	  0x100000ull
#define FAKE_FRAME	  0x200000ull
#define FAKE_REGION	  (32 * FAKE_MIB) /* the kernel region; its pool is all of it */
#define FAKE_REGION_BYTES (8 * FAKE_MIB)
#define FAKE_RAM_END	  (256 * FAKE_MIB) /* there is no memory from here on */

extern struct cpu fake_cpu[FAKE_CPUS];
extern uint64_t fake_now;	       /* the TSC */
extern unsigned fake_kicks[FAKE_CPUS]; /* how often each CPU was kicked */
extern char fake_log[512];	       /* the last line of the log */
extern unsigned fake_log_lines;
extern uint64_t fake_timer_deadline[FAKE_CPUS]; /* as clock_set_timer got it */
extern char fake_panic[256];			/* why; empty: nobody panicked */

/* Calls of the back end, by kind of call; and the vCPU of the last one. */
extern unsigned fake_resets, fake_startups, fake_releases, fake_skips, fake_gps, fake_get_states, fake_set_states;
extern struct vcpu *fake_virt_vcpu;
extern uint32_t fake_groups;		/* of the last get_state or set_state */
extern struct bh_vcpu_state fake_state; /* what get_state gives and set_state has set */
extern uint32_t fake_startup_vector;
extern struct vcpu *fake_state_from, *fake_state_to; /* of the last vcpu_switch_state */

/* In place of fake_now; and what kick_cpu does besides counting. NULL: nothing. */
extern uint64_t (*fake_clock)(void);
extern void (*fake_kicked)(unsigned index);

extern uint32_t fake_unmasked; /* ISA interrupts that are let through */

/* Called by cpu_idle; NULL: an idle CPU goes back to fake_run. */
extern void (*fake_idle)(void);

/* All of the above anew: `cpus` CPUs, an empty pool, no partitions, CPU 0 as the caller. */
void fake_machine(unsigned cpus);
/* All notes anew. */
void fake_forget(void);
/* Gives all memory back. */
void fake_machine_end(void);

/* From here on the code runs on CPU `index`. */
void fake_on(unsigned index);

/* What sched_next gives on CPU `index`; NULL: it idles. */
struct vcpu *fake_run(unsigned index);

/* The byte at `physical`, outside of the kernel region, for the rest of its frame. Frames appear, zeroed, when looked
 * at. */
uint8_t *fake_memory(uint64_t physical);
void fake_memory_fill(uint64_t physical, uint64_t bytes, uint8_t value);
/* Called when the kernel opens a window; what happens in it happens at that moment. */
extern void (*fake_looked)(uint64_t physical);
/* True when the bytes are all `value`. */
bool fake_memory_is(uint64_t physical, uint64_t bytes, uint8_t value);

/* panic() goes back here. */
extern jmp_buf fake_panicked;
#define EXPECT_PANIC(statement)                               \
	do {                                                  \
		fake_panic[0] = 0;                            \
		fake_panic_expected = true;                   \
		if (!setjmp(fake_panicked)) {                 \
			statement;                            \
			fail_msg("no panic: %s", #statement); \
		}                                             \
		fake_panic_expected = false;                  \
	} while (0)
extern bool fake_panic_expected;
