/*
 * guest_rules.h: the rules for entering a guest, in words.
 *
 * A CPU that refuses to enter a guest does not say why: VT-x only knows "invalid guest state" (SDM vol. 3, 26.8), SVM
 * only VMEXIT_INVALID (APM vol. 2, 15.5.1). Here the rules are gone through in software, after the fact, for the
 * report.
 *
 * `state` has all groups, as get_state gives them: CR0, CR4 and EFER as the vCPU's owner sees them, without what the
 * back end adds for itself. `policy` is the vCPU's: which bits of CR4 and EFER there are, and how wide addresses are.
 *
 * The answer is the first rule broken, a constant text with the manual's section; NULL: none that can be seen in
 * these registers. Others are the kernel's own to keep: PAT, debug and SYSENTER registers, the event to be injected,
 * the blocking of interrupts, and controls. Pure functions: any CPU.
 */
#pragma once

struct bh_vcpu_state;
struct guest_cpuid_policy;

/* VT-x with unrestricted guest: what both vendors demand, then the rest of SDM vol. 3, 26.3.1.1 to 26.3.1.4. */
const char *guest_rules_broken_vmx(const struct bh_vcpu_state *state, const struct guest_cpuid_policy *policy);

/* SVM: what both vendors demand, then the rest of APM vol. 2, 15.5.1. It is silent on segments, RIP and RFLAGS. */
const char *guest_rules_broken_svm(const struct bh_vcpu_state *state, const struct guest_cpuid_policy *policy);
