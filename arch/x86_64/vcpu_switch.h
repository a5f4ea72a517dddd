/* vcpu_switch.h: whose state is in the registers that the hardware does not switch. */
#pragma once
#include "instructions.h"
#include "msr.h"
#include "vcpu.h"
#include "xstate.h"

/* From one vCPU to another, on their CPU; NULL: nobody. Programs have no extended state, but a CR2. */
#ifdef HOST_TEST
void vcpu_switch_state(struct vcpu *from, struct vcpu *to);
#else
static inline void vcpu_switch_state(struct vcpu *from, struct vcpu *to)
{
	if (from)
		from->arch.cr2 = read_cr2();
	/* SWAPGS cannot be intercepted: what a program left in this one must not reach the next. */
	if (from && !from->is_guest)
		wrmsr(IA32_KERNEL_GS_BASE, 0);
	write_cr2(to ? to->arch.cr2 : 0);
	if ((from && from->arch.xstate) || (to && to->arch.xstate))
		xstate_switch(from ? from->arch.xstate : NULL, to ? to->arch.xstate : NULL);
}
#endif
