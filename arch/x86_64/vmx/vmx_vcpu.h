/* vmx_vcpu.h: the VT-x part of a vCPU. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Done at the next entry, when the VMCS is current anyway. */
#define VMX_PENDING_SKIP 1u /* move RIP past the instruction that exited */
#define VMX_PENDING_GP	 2u /* raise #GP(0) */

/* No deadline has this value. */
#define VMX_NOT_ARMED 1ull

struct vmx_vcpu {
	uint64_t vmcs;			  /* physical */
	uint8_t *io_bitmaps;		  /* natives with ports of their own: A and B */
	uint16_t vpid;			  /* 0: none */
	bool preemption_timer;		  /* its control is set */
	bool interrupt_window;		  /* likewise */
	uint64_t armed;			  /* the deadline that its preemption timer counts down to; or VMX_NOT_ARMED */
	uint32_t pending;		  /* VMX_PENDING_* */
	uint32_t pin, primary, secondary; /* controls as they are in the VMCS */
	uint64_t eoi_exit[4];		  /* EOI-exit bitmaps as they are in the VMCS */
};
