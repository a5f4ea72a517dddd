/*
 * guest_apic.h: a guest's local APIC (SDM vol. 3, chapter 11).
 *
 * The registers live in a page at their MMIO offsets, in the format of the current mode, so that
 * the hardware's APIC virtualization can use the same page (29.1.1). Other CPUs reach an APIC only
 * by posting; all else is done by its vCPU's own CPU, interrupts off.
 *
 * Not there, on purpose: relocation of the page (#GP), CMCI, SMI, ExtINT (LINT0 can be programmed,
 * but the 8259 has no line to it in this version), NMI (an NMI sent by ICR, MSI or LVT is lost),
 * remote read.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdatomic.h>
#include "apic.h"

struct vcpu;
struct partition;

#define APIC_ATTENTION_SCAN 1u /* for guest_apic_pending() */
#define APIC_ATTENTION_SYNC 2u /* for guest_apic_sync() */

struct guest_apic {
	/* Any CPU: vectors on their way, and whether each came level-triggered the last time. */
	_Atomic uint32_t posted[8];
	_Atomic uint32_t posted_level[8];
	_Atomic uint32_t posted_words; /* bit i: look at posted[i] */
	/*
	 * APIC_ATTENTION_*: something was posted, or IRR, ISR, TPR or SVR changed, since somebody
	 * looked. Posters set both bits last, after which they wake the vCPU.
	 */
	_Atomic uint32_t attention;
	_Atomic uint32_t base; /* IA32_APIC_BASE; other CPUs read it */
	uint8_t *page;	       /* virtual-APIC page; NULL: a native, which has no APIC */
	int eoi;	       /* for guest_apic_take_eoi; -1: none */
	uint32_t errors;       /* what the next write to ESR shows (11.5.3) */
	uint64_t deadline;     /* IA32_TSC_DEADLINE, in the guest's TSC; 0: not armed */
	uint64_t expires;      /* one-shot, periodic: host TSC at which the count is 0; 0: not armed */
};

/* ---- life ---- */

/* Takes a page from the pool for the virtual-APIC page; false: none left. Guests only. At boot. */
bool guest_apic_create(struct vcpu *vcpu);

/*
 * Any CPU, while no vCPU of the partition runs: hears INIT and SIPI from now on. The others may send them before this
 * one's CPU has come to guest_apic_reset().
 */
void guest_apic_power(struct vcpu *vcpu);

/* Power-up: xAPIC mode, enabled, all as table 11-1 and 11.4.7.1 say. vCPU 0 is the bootstrap
 * processor. */
void guest_apic_reset(struct vcpu *vcpu);

/* INIT: the same, but mode and ID stay (11.4.7.3, 11.12.5.1). */
void guest_apic_init(struct vcpu *vcpu);

/*
 * WRMSR to IA32_APIC_BASE. False, #GP: reserved bits, another address, or a transition of mode that
 * figure 11-26 does not have. The BSP flag stays what it is.
 */
bool guest_apic_set_base(struct vcpu *vcpu, uint64_t value);
uint64_t guest_apic_base(struct vcpu *vcpu);
bool guest_apic_is_x2apic(const struct guest_apic *apic);

/* ---- interrupts ---- */

/*
 * Any CPU: `vector` (16..255) arrives, edge- or level-triggered. One that is on its way already
 * counts once. Wakes the vCPU. An APIC that is disabled by software still takes it: whoever routes
 * asks first.
 */
void guest_apic_post(struct vcpu *vcpu, unsigned vector, bool level);

/*
 * Own CPU. guest_apic_sync() and guest_apic_pending(), which come first on the entry path, are in
 * arch_vcpu.h; these are their long ways.
 */
bool guest_apic_take(struct guest_apic *apic);
int guest_apic_scan(struct guest_apic *apic);

/* Own CPU: `vector`, as guest_apic_pending told it, is being injected: IRR -> ISR (11.8.4). */
void guest_apic_accept(struct vcpu *vcpu, unsigned vector);

/*
 * Own CPU: EOI (11.8.5). Clears the highest bit in ISR; returns its vector if that was
 * level-triggered, so that the monitor must hear of it, else -1.
 */
int guest_apic_eoi(struct vcpu *vcpu);

/*
 * Own CPU, for hardware virtual-interrupt delivery: RVI and SVI (0: none), and words 0..3 of the
 * EOI-exit bitmap. guest_apic_highest_irr takes what was posted, and ends guest_apic_sync()'s
 * truth.
 */
unsigned guest_apic_highest_irr(struct vcpu *vcpu);
unsigned guest_apic_highest_isr(struct vcpu *vcpu);
bool guest_apic_several(struct vcpu *vcpu); /* more than one vector is requested */
uint64_t guest_apic_tmr(struct vcpu *vcpu, unsigned word);

/* Own CPU: after an EOI that the hardware did: the vector if its TMR bit is set, else -1. */
int guest_apic_hardware_eoi(struct vcpu *vcpu, unsigned vector);

/* Own CPU: TPR; CR8 is its bits 7:4 (11.8.6). */
uint32_t guest_apic_tpr(struct vcpu *vcpu);
void guest_apic_set_tpr(struct vcpu *vcpu, uint32_t tpr);

/* ---- registers ---- */

/*
 * Own CPU: access in xAPIC mode by MMIO offset (0..FFFh). What is not there reads as 0 and notes an
 * illegal register address in ESR, as does a write; reserved bits are ignored. The result of a write is
 * guest_apic_take_eoi()'s. In the other modes there is nothing at these addresses: all ones.
 */
uint32_t guest_apic_read(struct vcpu *vcpu, uint32_t offset);
int guest_apic_write(struct vcpu *vcpu, uint32_t offset, uint32_t value);

/*
 * Own CPU: MSRs 800h to 8FFh. False, #GP: not in x2APIC mode, no such register, read-only,
 * write-only, or reserved bits set (11.12.1.2, 11.12.1.3).
 */
bool guest_apic_msr_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool guest_apic_msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value);

/*
 * Own CPU, after a write to MSRs: the level-triggered vector whose EOI it was, so
 * that the monitor must hear of it, or -1. Each is told once.
 */
int guest_apic_take_eoi(struct vcpu *vcpu);

/*
 * Any CPU: an MSI (11.11). 0, also when nobody takes it, as on a PC; -BH_EINVAL: no MSI's address,
 * a delivery mode that this version does not have (SMI, ExtINT), or a vector below 16. Trigger mode
 * level counts whatever the level bit says. The redirection hint and lowest priority pick the first
 * vCPU that matches and is enabled.
 */
int guest_apic_msi(struct partition *partition, uint64_t address, uint32_t data);

/* ---- timer (11.5.4) ---- */

/*
 * A guest's crystal (CPUID leaf 15h, and its APIC timer) is its TSC, or half of it where the
 * frequency does not fit into the leaf's 32 bits. As a power of 2.
 */
unsigned guest_apic_crystal_shift(void);

/* Own CPU: the time given to vcpu_set_timer has come. */
void guest_apic_timer_expired(struct vcpu *vcpu);

/* Own CPU: IA32_TSC_DEADLINE; ignored, and 0, in the timer's other modes (11.5.4.1). */
uint64_t guest_apic_deadline(struct vcpu *vcpu);
void guest_apic_set_deadline(struct vcpu *vcpu, uint64_t deadline);

/* Own CPU: vcpu->arch.tsc_offset has changed; a TSC deadline stands still in the guest's time. */
void guest_apic_tsc_changed(struct vcpu *vcpu);
