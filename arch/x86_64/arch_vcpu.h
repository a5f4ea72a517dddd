/* arch_vcpu.h: the x86 part of struct vcpu, whose first member it is. */
#pragma once
#include <stdint.h>
#include <stddef.h>
#include <bulkhead/abi.h>
#include "guest_apic.h"
#include "guest_msr.h"
#include "xstate.h"
#include "svm/svm_vcpu.h"
#include "vmx/vmx_vcpu.h"

struct arch_vcpu {
	uint64_t gpr[16];   /* enum bh_register; the entry path finds them at offset 0 */
	uint64_t resumable; /* VT-x: VMRESUME from now on; offset 128 */
	union {		    /* the back end's; offset 136 */
		struct vmx_vcpu vmx;
		struct svm_vcpu svm;
	};
	uint64_t cr2;		/* not touched by hardware at entry or exit */
	uint64_t tsc_offset;	/* guest's TSC - TSC */
	struct guest_apic apic; /* guests */
	struct guest_msr msr;	/* guests */
	struct xstate *xstate;	/* guests; natives have none */
};
_Static_assert(offsetof(struct arch_vcpu, gpr) == 0, "the entry path relies on it");

/*
 * The two calls below cost one test when nothing has happened. struct arch_vcpu is struct vcpu's
 * first member.
 */

/*
 * Own CPU: takes what others posted into IRR and TMR. True: since the last
 * guest_apic_highest_irr(), IRR, ISR, TPR or SVR may have changed, so RVI and SVI must be loaded
 * anew. Any number of calls.
 */
static inline bool guest_apic_sync(struct vcpu *vcpu)
{
	struct guest_apic *apic = &((struct arch_vcpu *)vcpu)->apic;

	return (atomic_load_explicit(&apic->attention, memory_order_relaxed) & APIC_ATTENTION_SYNC) &&
	       guest_apic_take(apic);
}

/*
 * Own CPU: the highest vector that may be delivered now (above PPR, APIC enabled), or -1. It takes
 * what was posted first.
 */
static inline int guest_apic_pending(struct vcpu *vcpu)
{
	struct guest_apic *apic = &((struct arch_vcpu *)vcpu)->apic;

	return atomic_load_explicit(&apic->attention, memory_order_relaxed) & APIC_ATTENTION_SCAN
		       ? guest_apic_scan(apic)
		       : -1;
}
