/*
 * vmx.h: Intel VT-x behind the table of operations (kernel/virt.h).
 *
 * vmx_caps: what the CPU has. vmx_vcpu: VMCS of a vCPU. vmx_state: its registers. vmx_run: what
 * is done before each entry. vmx_exit: what is done after each exit. vmx_switch.S: the instructions
 * between.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guest_exit.h"
#include "virt.h"
#include "vmcs.h"

struct vcpu;
struct cpu;

/* ---- vmx_caps.c -------------------------------------------------------------------------------- */

struct vmx_caps {
	uint32_t pin, primary, secondary, exit, entry; /* bits that must be 1 in any VMCS */
	uint32_t revision;			       /* of the VMCS */
	uint64_t cr0_fixed, cr4_fixed;		       /* bits that must be 1 in VMX operation */
	uint64_t eptp_flags;			       /* memory type, walk length */
	unsigned preemption_shift;		       /* TSC ticks per timer tick, as a shift */
	uint32_t apic_attention;		       /* APIC_ATTENTION_*: what entries heed */
	bool vpid, invvpid, preemption_timer, apic_registers, interrupt_delivery, x2apic, xsavec, xsaves, rdtscp,
		invpcid, page_1g;
};

extern struct vmx_caps vmx_caps;

void vmx_require(void);
void vmx_describe(void (*line)(const char *text));
void vmx_cpu_enable(struct cpu *cpu);

/* ---- vmx_vcpu.c -------------------------------------------------------------------------------- */

bool vmx_vcpu_create(struct vcpu *vcpu);
void vmx_vcpu_reset(struct vcpu *vcpu);
void vmx_vcpu_release(struct vcpu *vcpu);
void vmx_apic_mode_changed(struct vcpu *vcpu);

/* Makes the vCPU's VMCS the current one of this CPU. */
void vmx_make_current(struct vcpu *vcpu);

/* ---- vmx_state.c ------------------------------------------------------------------------------- */

uint64_t vmx_read_special(struct vcpu *vcpu, enum virt_register reg);
void vmx_write_special(struct vcpu *vcpu, enum virt_register reg, uint64_t value);
void vmx_get_state(struct vcpu *vcpu, uint32_t groups, struct bh_vcpu_state *state);
void vmx_set_state(struct vcpu *vcpu, uint32_t groups, const struct bh_vcpu_state *state);
void vmx_tsc_offset_changed(struct vcpu *vcpu);

/* ---- vmx_run.c ------------------------------------------------------------------------------- */

/* Both stages of an exit, from vmx_switch.S, on the CPU's stack. */
enum exit_stage vmx_quick(struct vcpu *vcpu);
_Noreturn void vmx_exit(struct vcpu *vcpu, enum exit_stage stage);
_Noreturn void vmx_entry_refused(struct vcpu *vcpu);

/* The first entry of a CPU. */
_Noreturn void vmx_first_entry(struct vcpu *vcpu);

/* For the next entry of the vCPU whose VMCS is current: `info` as in ENTRY_INTERRUPTION_INFO. */
void vmx_inject(uint32_t info, uint32_t error_code);

/*
 * RIP past the instruction that exited; the VMCS is current. The shadow of an STI or MOV SS before it stays, so an
 * interrupt may come one instruction later than it could.
 */
static inline void vmx_skip(void) { vmwrite(GUEST_RIP, vmread(GUEST_RIP) + vmread(EXIT_INSTRUCTION_LENGTH)); }

/* ---- vmx_exit.c ------------------------------------------------------------------------------ */

#define VMX_EXIT_CPUID	10
#define VMX_EXIT_VMCALL 18
#define VMX_EXIT_IO	30

/* The public name of an exit reason (appendix C). */
unsigned vmx_exit_reason(unsigned number);

/* Answers the exit, or makes it a message, or ends the partition. */
struct trace_record;
void vmx_dispatch(struct cpu *cpu, struct vcpu *vcpu, struct trace_record *record);

/* ---- vmx_switch.S ---------------------------------------------------------------------------- */

_Noreturn void vmx_enter(struct vcpu *vcpu);
void vmx_exit_entry(void);
