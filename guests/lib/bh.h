/*
 * bh.h: the runtime of native programs.
 *
 * A program defines `int main(unsigned vcpu)`. It is called on every vCPU; on vCPU 0 first, after
 * the runtime is ready. When it returns on vCPU 0 the partition ends with the result as its exit
 * code; on another vCPU that vCPU parks. Any exception ends the partition with a report in words.
 *
 * The program owns events 0 to 46 of each vCPU; event 47 is the runtime's (locks, start).
 * With HOST_TEST the hypercalls and what lies at fixed addresses are the test's (see host.h).
 */
#pragma once
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <bulkhead/abi.h>
#include "bh_format.h"
#include "bh_string.h"
#include "layout.h"

#define BH_EVENT_RUNTIME 47

#ifndef HOST_TEST
int main(unsigned vcpu);
#endif

/* ---- hypercalls ------------------------------------------------------------------------------ */

#ifdef HOST_TEST
#include "host.h"
#else

/* 1: VMMCALL (AMD), 0: VMCALL (Intel). Set before main. */
extern uint8_t bh_use_vmmcall;

/* One hypercall, any number; abi.h says what the arguments and the result mean. */
static inline int64_t bh_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	int64_t result;

	/* In crt0.S, at one place: a kernel that must look where it ends knows that already. */
	__asm__ volatile("call bh_hypercall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "memory", "cc");
	return result;
}

static inline const struct bh_info *bh_info(void) { return (const struct bh_info *)BH_GPA_INFO; }

/* TSC. Bulkhead gives every vCPU the same one; info says its frequency. */
static inline uint64_t bh_rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | (uint64_t)high << 32;
}

/* Index of the vCPU that asks: each has its own stack, so the stack pointer tells. */
static inline unsigned bh_vcpu(void)
{
	extern char bh_stacks[];
	uint64_t rsp;

	__asm__("mov %%rsp, %0" : "=r"(rsp));
	return (unsigned)((rsp - (uint64_t)bh_stacks) >> BH_STACK_SHIFT);
}
#endif

static inline int64_t bh_call0(uint64_t number) { return bh_call5(number, 0, 0, 0, 0, 0); }

static inline int64_t bh_call1(uint64_t number, uint64_t a) { return bh_call5(number, a, 0, 0, 0, 0); }

static inline int64_t bh_call2(uint64_t number, uint64_t a, uint64_t b) { return bh_call5(number, a, b, 0, 0, 0); }

static inline int64_t bh_call3(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	return bh_call5(number, a, b, c, 0, 0);
}

static inline int64_t bh_call4(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return bh_call5(number, a, b, c, d, 0);
}

/* ---- what the partition has ------------------------------------------------------------------ */

/* The handle with that name and type; NULL if it was not granted. */
const struct bh_info_handle *bh_find(const char *name, enum bh_handle_type type);

/* ---- time -------------------------------------------------------------------------------------
 */

/* Ticks of the TSC in so many milliseconds or microseconds. No overflow below a year at 10 GHz. */
uint64_t bh_ticks_ms(uint64_t milliseconds);
uint64_t bh_ticks_us(uint64_t microseconds);

/* Waits without events. Other vCPUs and partitions run meanwhile. */
void bh_sleep_ms(uint64_t milliseconds);

/* ---- words ------------------------------------------------------------------------------------
 */

/*
 * To the kernel's log. At most 255 bytes each; every \n ends a line of the log, and a line of more
 * than 40 bytes comes in pieces. What several vCPUs print does not mix.
 */
void bh_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* To the partition's own report, which is kept after its end: say there why it ends. At most 255
 * bytes each. */
void bh_report(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the partition; 0 is an orderly end. */
_Noreturn void bh_exit(int code);

/* bh_report, and bh_exit(1). */
_Noreturn void bh_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- locks ------------------------------------------------------------------------------------
 */

/*
 * A lock between vCPUs of one partition. Who finds it taken waits in the kernel: it never spins, as
 * the holder may not be running. All zero: free. Not recursive. A monitor's paired vCPU may take
 * one only while it holds a message or before its first reply: a wait for a lock does not look at
 * messages.
 */
struct bh_lock {
	_Atomic uint32_t word; /* bit 31: taken; bits 16:0: vCPUs that wait */
};

#define BH_LOCK_TAKEN 0x80000000u

/* When somebody has it, waits for it or has waited (lock.c). */
void bh_lock_waits(struct bh_lock *lock);
void bh_unlock_wakes(struct bh_lock *lock);

static inline void bh_lock(struct bh_lock *lock)
{
	uint32_t nobody = 0;

	if (!atomic_compare_exchange_strong_explicit(&lock->word, &nobody, BH_LOCK_TAKEN, memory_order_acquire,
						     memory_order_relaxed))
		bh_lock_waits(lock);
}

static inline void bh_unlock(struct bh_lock *lock)
{
	uint32_t taken = BH_LOCK_TAKEN;

	if (!atomic_compare_exchange_strong_explicit(&lock->word, &taken, 0, memory_order_release,
						     memory_order_relaxed))
		bh_unlock_wakes(lock);
}

/* ---- memory -----------------------------------------------------------------------------------
 */

/*
 * Makes guest-physical `gpa` to `gpa + bytes` usable at the same virtual addresses. Below 4 GiB
 * everything is already; above (images, a monitor's window) this adds 2 MiB pages. Any vCPU. False
 * if no memory is left for the tables, or if the range wraps or ends above 2^47.
 */
bool bh_map(uint64_t gpa, uint64_t bytes);

/*
 * `bytes` of zeroed memory, aligned to `align` (a power of two), never given back. NULL when none
 * is left. Any vCPU.
 */
void *bh_alloc(size_t bytes, size_t align);

/* ---- exceptions -------------------------------------------------------------------------------
 */

/* Gate `vector` of the IDT to `entry` (own assembly; it ends with iretq), callable by INT from ring
 * `dpl`. */
void bh_gate(unsigned vector, void (*entry)(void), unsigned dpl);
