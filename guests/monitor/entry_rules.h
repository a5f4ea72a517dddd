/*
 * entry_rules.h: the rules for entering a guest, in words.
 *
 * A CPU that refuses to enter a guest does not say why: VT-x only knows "invalid guest state" (SDM vol. 3, 26.8), SVM
 * only VMEXIT_INVALID (APM vol. 2, 15.5.1). Here the rules are gone through in software, after the fact, for the
 * report.
 *
 * `state` has all groups, as BH_MSG_REFUSED brings them: CR0, CR4 and EFER as the guest sees them, without what the
 * kernel adds for itself.
 *
 * The answer is the first rule broken, a constant text with the manual's section; NULL: none that can be seen in
 * these registers. Others are the kernel's own to keep: PAT, debug and SYSENTER registers, the event to be injected,
 * the blocking of interrupts, and controls. Pure functions: any CPU.
 */
#pragma once

#include <stdint.h>

struct bh_vcpu_state;

/* What the kernel offers to the guest, as BH_MSG_REFUSED says. */
struct entry_offer {
	uint64_t cr4, efer; /* the bits that may be set */
	unsigned address_bits;
};

/* VT-x with unrestricted guest: what both vendors demand, then the rest of SDM vol. 3, 26.3.1.1 to 26.3.1.4. */
const char *entry_rules_broken_vmx(const struct bh_vcpu_state *state, const struct entry_offer *offer);

/* SVM: what both vendors demand, then the rest of APM vol. 2, 15.5.1. It is silent on segments, RIP and RFLAGS. */
const char *entry_rules_broken_svm(const struct bh_vcpu_state *state, const struct entry_offer *offer);
