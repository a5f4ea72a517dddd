/* clock.h: time is the TSC, whose frequency is measured, not believed; one timer for each CPU. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "instructions.h"

extern uint64_t clock_hz;   /* ticks of the TSC a second; 0 until it is measured */
extern uint64_t clock_boot; /* TSC at the kernel's entry */

/* TSC. */
#ifdef HOST_TEST
uint64_t clock_now(void);
#else
static inline uint64_t clock_now(void) { return rdtsc(); }
#endif

/* Microseconds since the kernel's entry; 0 until the clock is measured. */
uint64_t clock_microseconds(void);

/* Ticks of so many microseconds, up to 2^32. */
uint64_t clock_ticks(uint64_t microseconds);

/*
 * Takes the frequencies as the loader has measured them; logs the result. Boot CPU, once. Panics when there is no timer
 * at all.
 */
struct boot_info;
void clock_init(const struct boot_info *info);

/* Prepares the calling CPU's timer. */
void clock_enable(void);

/*
 * irq_timer() (kernel/irq.h) is called on this CPU once, when the TSC has reached `tsc` (never
 * before; at once if it has passed); UINT64_MAX: no more. Replaces the earlier setting. Interrupts
 * off.
 */
void clock_set_timer(uint64_t tsc);

/* For interrupt_dispatch: true when the time has come; false: fired short of it, armed again. */
bool clock_timer_due(void);

/* Waits. For hardware's sake, at boot only. */
void clock_wait(uint64_t microseconds);
