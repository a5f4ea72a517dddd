/* guest_host.h: what the model of the guest's CPU asks the host's CPU. Unit tests answer in its
 * place. */
#pragma once
#include <stdint.h>
#include "clock.h"
#include "instructions.h"
#include "msr.h"

#ifdef HOST_TEST
struct cpuid host_cpuid(uint32_t leaf, uint32_t subleaf);
uint64_t host_tsc(void);
void host_xsetbv(uint64_t value);
#else
static inline struct cpuid host_cpuid(uint32_t leaf, uint32_t subleaf)
{
	return cpuid(leaf, subleaf);
}

static inline uint64_t host_tsc(void)
{
	return rdtsc();
}

static inline void host_xsetbv(uint64_t value)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}
#endif

/*
 * A guest's crystal (CPUID leaf 15h, and its APIC timer) is its TSC, or half of it where the
 * frequency does not fit into the leaf's 32 bits. As a power of 2.
 */
static inline unsigned guest_crystal_shift(void)
{
	return clock_hz > UINT32_MAX;
}
