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

struct vcpu;

/* What the virtualization back end cannot switch on for a vCPU, though the CPU has it. */
#define GUEST_CPUID_NO_RDTSCP  1u /* and RDPID */
#define GUEST_CPUID_NO_INVPCID 2u
#define GUEST_CPUID_NO_XSAVES  4u

/* Boot CPU, after the clock is measured (leaf 15h) and xstate_boot_init; `missing`:
 * GUEST_CPUID_NO_*. */
void guest_cpuid_init(uint32_t missing);

/* The vCPU executes CPUID: RAX, RCX in; RAX, RBX, RCX, RDX out. */
void guest_cpuid(struct vcpu *vcpu);

/* Bits that a MOV to CR4, XSETBV and WRMSR to EFER may set; any other bit raises #GP. */
uint64_t guest_cpuid_cr4_allowed(const struct vcpu *vcpu);
uint64_t guest_cpuid_xcr0_allowed(const struct vcpu *vcpu);
uint64_t guest_cpuid_efer_allowed(const struct vcpu *vcpu);

/* Is XSAVES offered, and with it IA32_XSS (of which no bit is)? */
bool guest_cpuid_has_xsaves(const struct vcpu *vcpu);
