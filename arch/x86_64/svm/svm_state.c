#include "guest_cpuid.h"
#include "instructions.h"
#include "msr.h"
#include "svm.h"
#include "vcpu.h"

#define INTERCEPT_CR4_READ (1u << 4)

static struct vmcb *vmcb_of(const struct vcpu *vcpu) { return vcpu->arch.svm.vmcb; }

/* ---- control registers ------------------------------------------------------------------------- */

static uint64_t read_cr4_of(const struct vcpu *vcpu)
{
	uint64_t value = vmcb_of(vcpu)->cr4;

	return vcpu->arch.svm.machine_check_enabled ? value : value & ~(uint64_t)CR4_MCE;
}

/* Machine checks stay the host's: MCE is set, and read by the guest as it wrote it. */
static void set_cr4(struct vcpu *vcpu, uint64_t value)
{
	struct vmcb *vmcb = vmcb_of(vcpu);
	bool shown = value & CR4_MCE;

	vcpu->arch.svm.machine_check_enabled = shown;
	vmcb->intercept_cr = shown ? vmcb->intercept_cr & ~INTERCEPT_CR4_READ : vmcb->intercept_cr | INTERCEPT_CR4_READ;
	vmcb->cr4 = value | CR4_MCE;
	vmcb->clean = 0;
	vcpu->arch.svm.generation = 0; /* such a write also flushes translations (5.5.2) */
}

/* What the CPU itself would refuse at a MOV to CR4 (APM vol. 2, 3.1.3, 5.5.1), and what is not offered. */
bool svm_write_cr4(struct vcpu *vcpu, uint64_t value)
{
	const struct vmcb *vmcb = vmcb_of(vcpu);
	bool long_mode = vmcb->efer & EFER_LMA;
	uint64_t changed = value ^ vmcb->cr4;

	if (value & ~guest_cpuid_policy(vcpu)->cr4)
		return false;
	if (long_mode && !(value & CR4_PAE))
		return false;
	if (changed & value & CR4_PCIDE && (!long_mode || vmcb->cr3 & 0xfff))
		return false;
	set_cr4(vcpu, value);
	return true;
}

uint64_t svm_read_special(struct vcpu *vcpu, enum virt_register reg)
{
	const struct vmcb *vmcb = vmcb_of(vcpu);

	switch (reg) {
	case VIRT_CR0: return vmcb->cr0;
	case VIRT_CR4: return read_cr4_of(vcpu);
	case VIRT_EFER: return vmcb->efer & ~(uint64_t)EFER_SVME;
	case VIRT_FS_BASE: return vmcb->fs.base;
	case VIRT_GS_BASE: return vmcb->gs.base;
	case VIRT_PAT: return vmcb->g_pat;
	case VIRT_DEBUGCTL: return vmcb->debugctl;
	}
	return 0;
}

void svm_write_special(struct vcpu *vcpu, enum virt_register reg, uint64_t value)
{
	const struct guest_cpuid_policy *policy = guest_cpuid_policy(vcpu);
	struct vmcb *vmcb = vmcb_of(vcpu);

	switch (reg) {
	case VIRT_CR0: vmcb->cr0 = value; break;
	case VIRT_CR4: set_cr4(vcpu, value & policy->cr4); break;
	case VIRT_EFER: vmcb->efer = (value & (policy->efer | EFER_LMA)) | EFER_SVME; break;
	case VIRT_FS_BASE: vmcb->fs.base = value; break;
	case VIRT_GS_BASE: vmcb->gs.base = value; break;
	case VIRT_PAT: vmcb->g_pat = value; break;
	case VIRT_DEBUGCTL: vmcb->debugctl = value; break;
	}
	vmcb->clean = 0;
}

void svm_tsc_offset_changed(struct vcpu *vcpu)
{
	vmcb_of(vcpu)->tsc_offset = vcpu->arch.tsc_offset;
	vmcb_of(vcpu)->clean = 0;
}

/* ---- groups ------------------------------------------------------------------------------------ */

static struct vmcb_segment *segment_of(struct vmcb *vmcb, unsigned index)
{
	return index == BH_LDTR ? &vmcb->ldtr : index == BH_TR ? &vmcb->tr : &vmcb->es + index;
}

/*
 * SS's privilege level is CPL, which has a field of its own (15.5.1). It counts also where SS is unusable, as SYSRET
 * may leave it in ring 3.
 */
static void get_segment(struct bh_segment *to, struct vmcb *vmcb, unsigned index)
{
	const struct vmcb_segment *from = segment_of(vmcb, index);
	uint16_t attributes = from->attributes;

	if (index == BH_SS)
		attributes = (uint16_t)((attributes & ~0x60u) | vmcb->cpl << 5);
	*to = (struct bh_segment){ from->base, from->limit, from->selector,
				   (uint16_t)((attributes & 0xff) | (attributes & 0xf00) << 4) };
	if (!(attributes & VMCB_ATTRIBUTE_PRESENT))
		to->access = (uint16_t)(BH_SEGMENT_UNUSABLE | (attributes & 0x60));
}

static void set_segment(struct vmcb *vmcb, const struct bh_segment *from, unsigned index)
{
	uint16_t access = from->access & BH_SEGMENT_UNUSABLE ? 0 : from->access;

	*segment_of(vmcb, index) =
		(struct vmcb_segment){ from->selector, (uint16_t)((access & 0xff) | (access >> 4 & 0xf00)), from->limit,
				       from->base };
	if (index == BH_SS)
		vmcb->cpl = from->access >> 5 & 3;
}

void svm_get_state(struct vcpu *vcpu, uint32_t groups, struct bh_vcpu_state *state)
{
	struct vmcb *vmcb = vmcb_of(vcpu);

	if (groups & BH_STATE_GPR) {
		for (unsigned i = 0; i < 16; i++)
			state->gpr[i] = vcpu->arch.gpr[i];
	}
	if (groups & BH_STATE_RIP) {
		state->rip = vmcb->rip;
		state->rflags = vmcb->rflags;
		state->gpr[BH_RSP] = vmcb->rsp;
	}
	if (groups & BH_STATE_CONTROL) {
		state->cr0 = vmcb->cr0;
		state->cr3 = vmcb->cr3;
		state->cr4 = read_cr4_of(vcpu);
		state->efer = vmcb->efer & ~(uint64_t)EFER_SVME;
	}
	if (groups & BH_STATE_SEGMENTS) {
		for (unsigned i = 0; i < BH_SEGMENTS; i++)
			get_segment(&state->segment[i], vmcb, i);
	}
	if (groups & BH_STATE_TABLES) {
		state->gdtr_base = vmcb->gdtr.base;
		state->idtr_base = vmcb->idtr.base;
		state->gdtr_limit = vmcb->gdtr.limit;
		state->idtr_limit = vmcb->idtr.limit;
	}
}

void svm_set_state(struct vcpu *vcpu, uint32_t groups, const struct bh_vcpu_state *state)
{
	struct vmcb *vmcb = vmcb_of(vcpu);

	if (groups & BH_STATE_GPR) {
		for (unsigned i = 0; i < 16; i++)
			vcpu->arch.gpr[i] = state->gpr[i];
	}
	if (groups & BH_STATE_RIP) {
		svm_skip_to(vmcb, state->rip);
		vmcb->rflags = (state->rflags & 0x3f7fd7) | 2;
		vmcb->rsp = state->gpr[BH_RSP];
	}
	if (groups & BH_STATE_CONTROL) {
		svm_write_special(vcpu, VIRT_CR0, state->cr0);
		vmcb->cr3 = state->cr3;
		svm_write_special(vcpu, VIRT_CR4, state->cr4);
		svm_write_special(vcpu, VIRT_EFER, state->efer);
	}
	if (groups & BH_STATE_SEGMENTS) {
		for (unsigned i = 0; i < BH_SEGMENTS; i++)
			set_segment(vmcb, &state->segment[i], i);
	}
	if (groups & BH_STATE_TABLES) {
		vmcb->gdtr = (struct vmcb_segment){ .base = state->gdtr_base, .limit = state->gdtr_limit & 0xffff };
		vmcb->idtr = (struct vmcb_segment){ .base = state->idtr_base, .limit = state->idtr_limit & 0xffff };
	}
	vmcb->clean = 0;
}
