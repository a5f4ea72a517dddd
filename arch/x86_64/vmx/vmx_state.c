#include "guest_cpuid.h"
#include "instructions.h"
#include "msr.h"
#include "vcpu.h"
#include "vmx.h"

#define UNUSABLE 0x10000u

static const enum vmcs_field special[] = {
	[VIRT_CR0] = GUEST_CR0,
	[VIRT_CR4] = GUEST_CR4,
	[VIRT_EFER] = GUEST_IA32_EFER,
	[VIRT_FS_BASE] = GUEST_FS_BASE,
	[VIRT_GS_BASE] = GUEST_GS_BASE,
	[VIRT_PAT] = GUEST_IA32_PAT,
	[VIRT_DEBUGCTL] = GUEST_IA32_DEBUGCTL,
};

/* What the guest believes to have written where it does not own the bits. */
static uint64_t seen(enum vmcs_field field, enum vmcs_field mask_field, enum vmcs_field shadow)
{
	uint64_t mask = vmread(mask_field);

	return (vmread(field) & ~mask) | (vmread(shadow) & mask);
}

uint64_t vmx_read_special(struct vcpu *vcpu, enum virt_register reg)
{
	vmx_make_current(vcpu);
	if (reg == VIRT_CR0)
		return seen(GUEST_CR0, CR0_MASK, CR0_READ_SHADOW);
	if (reg == VIRT_CR4)
		return seen(GUEST_CR4, CR4_MASK, CR4_READ_SHADOW);
	return vmread(special[reg]);
}

static void write_cr0_of_guest(uint64_t value)
{
	vmwrite(GUEST_CR0, (value | CR0_NE) & ~(uint64_t)(CR0_NW | CR0_CD));
	vmwrite(CR0_READ_SHADOW, value);
}

static void write_cr4_of_guest(struct vcpu *vcpu, uint64_t value)
{
	value &= guest_cpuid_policy(vcpu)->cr4;
	vmwrite(GUEST_CR4, value | CR4_MCE | CR4_VMXE | vmx_caps.cr4_fixed);
	vmwrite(CR4_READ_SHADOW, value);
}

/* EFER.LMA and the entry control that says the same must agree (26.3.1.1). */
static void write_efer_of_guest(struct vcpu *vcpu, uint64_t value)
{
	uint64_t entry = vmread(ENTRY_CONTROLS) & ~(uint64_t)ENTRY_IA32E_GUEST;

	value &= guest_cpuid_policy(vcpu)->efer | EFER_LMA;
	vmwrite(GUEST_IA32_EFER, value);
	vmwrite(ENTRY_CONTROLS, value & EFER_LMA ? entry | ENTRY_IA32E_GUEST : entry);
}

void vmx_write_special(struct vcpu *vcpu, enum virt_register reg, uint64_t value)
{
	vmx_make_current(vcpu);
	switch (reg) {
	case VIRT_CR0: write_cr0_of_guest(value); break;
	case VIRT_CR4: write_cr4_of_guest(vcpu, value); break;
	case VIRT_EFER: write_efer_of_guest(vcpu, value); break;
	default: vmwrite(special[reg], value);
	}
}

void vmx_tsc_offset_changed(struct vcpu *vcpu)
{
	vmx_make_current(vcpu);
	vmwrite(TSC_OFFSET, vcpu->arch.tsc_offset);
}

/* ---- groups
 * -------------------------------------------------------------------------------------------------
 */

static void get_segment(struct bh_segment *segment, unsigned index)
{
	uint32_t access = (uint32_t)vmread(GUEST_ES_ACCESS_RIGHTS + 2 * index);

	segment->base = vmread(GUEST_ES_BASE + 2 * index);
	segment->limit = (uint32_t)vmread(GUEST_ES_LIMIT + 2 * index);
	segment->selector = (uint16_t)vmread(GUEST_ES_SELECTOR + 2 * index);
	segment->access = (uint16_t)(access & UNUSABLE ? BH_SEGMENT_UNUSABLE : access & 0xf0ff);
}

static void set_segment(const struct bh_segment *segment, unsigned index)
{
	vmwrite(GUEST_ES_BASE + 2 * index, segment->base);
	vmwrite(GUEST_ES_LIMIT + 2 * index, segment->limit);
	vmwrite(GUEST_ES_SELECTOR + 2 * index, segment->selector);
	vmwrite(GUEST_ES_ACCESS_RIGHTS + 2 * index,
		segment->access & BH_SEGMENT_UNUSABLE ? UNUSABLE : segment->access & 0xf0ffu);
}

void vmx_get_state(struct vcpu *vcpu, uint32_t groups, struct bh_vcpu_state *state)
{
	vmx_make_current(vcpu);
	if (groups & BH_STATE_GPR) {
		for (unsigned i = 0; i < 16; i++)
			state->gpr[i] = vcpu->arch.gpr[i];
	}
	if (groups & BH_STATE_RIP) {
		state->rip = vmread(GUEST_RIP);
		state->rflags = vmread(GUEST_RFLAGS);
		state->gpr[BH_RSP] = vmread(GUEST_RSP);
	}
	if (groups & BH_STATE_CONTROL) {
		state->cr0 = vmx_read_special(vcpu, VIRT_CR0);
		state->cr3 = vmread(GUEST_CR3);
		state->cr4 = vmx_read_special(vcpu, VIRT_CR4);
		state->efer = vmread(GUEST_IA32_EFER);
	}
	if (groups & BH_STATE_SEGMENTS) {
		for (unsigned i = 0; i < BH_SEGMENTS; i++)
			get_segment(&state->segment[i], i);
	}
	if (groups & BH_STATE_TABLES) {
		state->gdtr_base = vmread(GUEST_GDTR_BASE);
		state->idtr_base = vmread(GUEST_IDTR_BASE);
		state->gdtr_limit = (uint32_t)vmread(GUEST_GDTR_LIMIT);
		state->idtr_limit = (uint32_t)vmread(GUEST_IDTR_LIMIT);
	}
}

void vmx_set_state(struct vcpu *vcpu, uint32_t groups, const struct bh_vcpu_state *state)
{
	vmx_make_current(vcpu);
	if (groups & BH_STATE_GPR) {
		for (unsigned i = 0; i < 16; i++)
			vcpu->arch.gpr[i] = state->gpr[i];
	}
	if (groups & BH_STATE_RIP) {
		vmwrite(GUEST_RIP, state->rip);
		vmwrite(GUEST_RFLAGS, (state->rflags & 0x3f7fd7) | 2);
		vmwrite(GUEST_RSP, state->gpr[BH_RSP]);
		/* The instruction is over, and with it the shadow of STI or MOV SS before it. */
		vmwrite(GUEST_INTERRUPTIBILITY, 0);
	}
	if (groups & BH_STATE_CONTROL) {
		vmx_write_special(vcpu, VIRT_CR0, state->cr0);
		vmwrite(GUEST_CR3, state->cr3);
		vmx_write_special(vcpu, VIRT_CR4, state->cr4);
		vmx_write_special(vcpu, VIRT_EFER, state->efer);
	}
	if (groups & BH_STATE_SEGMENTS) {
		for (unsigned i = 0; i < BH_SEGMENTS; i++)
			set_segment(&state->segment[i], i);
	}
	if (groups & BH_STATE_TABLES) {
		vmwrite(GUEST_GDTR_BASE, state->gdtr_base);
		vmwrite(GUEST_IDTR_BASE, state->idtr_base);
		vmwrite(GUEST_GDTR_LIMIT, state->gdtr_limit & 0xffff);
		vmwrite(GUEST_IDTR_LIMIT, state->idtr_limit & 0xffff);
	}
}
