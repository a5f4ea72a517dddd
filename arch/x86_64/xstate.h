/*
 * xstate.h: the state that the hardware leaves in the CPU at an exit, and that is switched between
 * entities (architecture.md, "State that is switched"): XCR0, the XSAVE area, DR0-DR3, DR6, STAR,
 * LSTAR, CSTAR, FMASK, KERNEL_GS_BASE and TSC_AUX. CR2 is not in it: the entry path switches it.
 * DR7 is in the VMCS.
 *
 * Between a guest and its own monitor it stays where it is. Whoever has no extended state of his
 * own runs with clean values in these registers, and with CR0.TS set, so that he cannot touch
 * vector registers.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vcpu;

#define XCR0_X87    0x01u /* SDM vol. 1, 13.1 */
#define XCR0_SSE    0x02u
#define XCR0_AVX    0x04u
#define XCR0_AVX512 0xe0u

#define XSTATE_MSRS 6u /* STAR, LSTAR, CSTAR, FMASK, KERNEL_GS_BASE, TSC_AUX */

struct xstate {
	uint64_t xcr0;
	uint64_t msr[XSTATE_MSRS];
	uint64_t dr[4];
	uint64_t dr6;
	uint8_t area[] __attribute__((aligned(64))); /* in the format of the widest save instruction there is */
};

/*
 * Boot CPU, once, before all below: what the host has. `syscall_msrs_switched`: the back end's entries and exits switch
 * the MSRs of SYSCALL and SWAPGS (SVM: VMLOAD, VMSAVE).
 */
void xstate_boot_init(bool syscall_msrs_switched);

/* Each CPU, after arch_cpu_load and before its CR4 is written into any VMCS as the host's: CR4.OSXSAVE. */
void xstate_cpu_init(void);

/* XCR0 bits that are switched here and may be offered to guests; 0: the host has no XSAVE. */
uint64_t xstate_xcr0_supported(void);

/*
 * Boot CPU, after xstate_boot_init: does XSAVEC put the YMM registers right behind the header (SDM vol. 1, 13.4.3)?
 * Bochs 2.7 puts them over it, so its guests must not have XSAVEC and XSAVES. True if there is nothing to ask.
 */
bool xstate_compacts(void);

/* Bytes of a struct xstate with its area; it must be 64-byte aligned. */
size_t xstate_bytes(void);

/* Architectural reset values (SDM vol. 3, table 10-1). Not while it is loaded. */
void xstate_init(struct xstate *xstate);

/*
 * Own CPU, root mode, interrupts off: saves the CPU's values to `from` and loads those of `to`.
 * NULL: a service without extended state; `from` NULL says that clean values are in the CPU, as
 * after xstate_cpu_init or a switch to NULL.
 */
void xstate_switch(struct xstate *from, struct xstate *to);

/*
 * Own CPU, `vcpu`'s state loaded: XCR0 as it is, where the host has XSAVE. It is looked at, as QEMU 7.2 lets a guest
 * under SVM execute XSETBV without an exit.
 */
uint64_t xstate_xcr0(struct vcpu *vcpu);

/* Own CPU, `vcpu`'s state loaded: XSETBV (SDM vol. 1, 13.3). False: raise #GP(0). CPL and
 * CR4.OSXSAVE were checked. */
bool xstate_xsetbv(struct vcpu *vcpu, uint32_t index, uint64_t value);
