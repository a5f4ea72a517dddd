/*
 * guest_cpuid.h: what CPUID tells, by policy.
 *
 * Computed once from lists of what we know how to offer and what the host has, never copied; what
 * depends on another bit that is not offered goes too. One policy for guests (a full PC CPU), one
 * for natives (no FPU, SSE, APIC).
 *
 * Leaves beyond the highest: as on Intel's CPUs, the answer of the highest basic leaf, except in
 * the range that hypervisors use (40000000h..4FFFFFFFh), which is 0.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "instructions.h"

struct vcpu;

/* What the virtualization back end cannot switch on for a vCPU, though the CPU has it. */
#define GUEST_CPUID_NO_RDTSCP  1u /* and RDPID */
#define GUEST_CPUID_NO_INVPCID 2u
#define GUEST_CPUID_NO_XSAVES  4u
#define GUEST_CPUID_NO_XSAVEC  8u /* nor XSAVES */

#define CPUID_BASIC	   0x17u /* leaves 0..16h */
#define CPUID_EXTENDED	   9u	 /* leaves 80000000h..80000008h */
#define CPUID_CACHES	   6u	 /* subleaves of leaf 4 */
#define CPUID_COMPONENTS   8u	 /* subleaves of leaf Dh: bits of XCR0 */
#define CPUID_LEGACY_BYTES 576u	 /* x87, SSE and the header: what every XSAVE area begins with */

struct guest_cpuid_policy {
	struct cpuid basic[CPUID_BASIC]; /* leaves with subleaves: subleaf 0 */
	struct cpuid extended[CPUID_EXTENDED];
	struct cpuid cache[CPUID_CACHES];	  /* without what depends on the number of vCPUs */
	struct cpuid component[CPUID_COMPONENTS]; /* [0]: not used, [1]: EAX of subleaf 1 */
	uint64_t cr4, efer, xcr0;		  /* bits that may be set; any other bit raises #GP */
	bool xsaves;				  /* offered, and with it IA32_XSS, of which no bit is */
} __attribute__((aligned(1024)));		  /* found without multiplying */

/* Boot CPU, after the clock is measured (leaf 15h) and xstate_boot_init; `missing`:
 * GUEST_CPUID_NO_*. */
void guest_cpuid_init(uint32_t missing);

/* The vCPU executes CPUID: RAX, RCX in; RAX, RBX, RCX, RDX out. */
void guest_cpuid(struct vcpu *vcpu);

/* Computes a policy from the host's CPUID, for guest_cpuid_init. */
void guest_cpuid_compute(struct guest_cpuid_policy *policy, bool is_guest, uint32_t missing);

/* The vCPU's: also what a MOV to CR4, XSETBV and WRMSR to EFER may set. */
const struct guest_cpuid_policy *guest_cpuid_policy(const struct vcpu *vcpu);
