/*
 * virt.h: what a virtualization back end does; one table, chosen at boot. Common code knows no
 * vendor.
 *
 * All functions run on the vCPU's own CPU with interrupts off, unless they say otherwise.
 */
#pragma once
#include <stdint.h>
#include <stdbool.h>
#include <bulkhead/abi.h>

struct vcpu;
struct cpu;
struct partition;
struct paging_format;

/* Registers that live in the VMCS or VMCB. */
enum virt_register {
	VIRT_CR0,
	VIRT_CR4,
	VIRT_EFER,
	VIRT_FS_BASE,
	VIRT_GS_BASE,
	VIRT_PAT,
	VIRT_DEBUGCTL,
};

struct virt_ops {
	const char *name;
	/* Nested page tables: with the largest pages that the CPU has. */
	const struct paging_format *(*paging)(void);

	/* enum bh_exit of the number, 0 to 255, by which this back end counts and traces an exit. Any CPU. */
	unsigned (*exit_reason)(unsigned number);
	/* Boot CPU, once: what is required and missing ends in words on every output, and halts. */
	void (*require)(void);
	/* Each CPU: switches virtualization on. */
	void (*cpu_enable)(struct cpu *cpu);
	/* Lines for `caps`. */
	void (*caps)(void (*line)(const char *text));

	/* Boot CPU: memory for the vCPU; false: none left. */
	bool (*vcpu_create)(struct vcpu *vcpu);
	/* The state that a start or INIT gives: natives ready to run, guests as after a processor's
	 * INIT. */
	void (*vcpu_reset)(struct vcpu *vcpu);
	/* The CPU forgets the vCPU, so that its memory can be reused. */
	void (*vcpu_release)(struct vcpu *vcpu);
	/* First entry of a CPU; the following ones come from the back end's own exit path. */
	__attribute__((noreturn)) void (*enter)(struct vcpu *vcpu);

	uint64_t (*read_special)(struct vcpu *vcpu, enum virt_register reg);
	void (*write_special)(struct vcpu *vcpu, enum virt_register reg, uint64_t value);
	/* Groups of BH_STATE_*; set_state takes any values, an invalid state ends the partition at
	 * its entry. */
	void (*get_state)(struct vcpu *vcpu, uint32_t groups, struct bh_vcpu_state *state);
	void (*set_state)(struct vcpu *vcpu, uint32_t groups, const struct bh_vcpu_state *state);
	/* Moves RIP past the instruction that exited, or raises #GP(0), before the next entry. */
	void (*skip)(struct vcpu *vcpu);
	void (*inject_gp)(struct vcpu *vcpu);
	/* vcpu->arch.tsc_offset or the APIC mode of vcpu->arch.apic has changed. */
	void (*tsc_offset_changed)(struct vcpu *vcpu);
	void (*apic_mode_changed)(struct vcpu *vcpu);
};

/* The back end of this machine. virt_choose sets it: boot CPU, once, before all else. */
extern const struct virt_ops *virt;
void virt_choose(void);
