#include "guest_state.h"
#include "arch_cpu.h"
#include "instructions.h"
#include "msr.h"
#include "partition.h"
#include "vcpu.h"
#include "virt.h"

/* Access rights as in a descriptor (SDM vol. 3, 24.4.1). */
#define ACCESS_CODE64 0xa09bu
#define ACCESS_CODE16 0x009bu
#define ACCESS_DATA16 0x0093u
#define ACCESS_DATA32 0xc093u
#define ACCESS_LDT    0x0082u
#define ACCESS_TSS    0x008bu

/* SDM vol. 3, table 10-1; APM vol. 2, table 14-1. */
static void begin_guest(struct bh_vcpu_state *state)
{
	for (unsigned i = 0; i < BH_SEGMENTS; i++)
		state->segment[i] = (struct bh_segment){ 0, 0xffff, 0, ACCESS_DATA16 };
	state->segment[BH_CS] = (struct bh_segment){ 0xffff0000, 0xffff, 0xf000, ACCESS_CODE16 };
	state->segment[BH_LDTR].access = ACCESS_LDT;
	state->segment[BH_TR].access = ACCESS_TSS;
	state->idtr_limit = 0xffff;
	state->rip = 0xfff0;
	state->rflags = 2;
	state->cr0 = CR0_ET | CR0_NW | CR0_CD;
	state->gpr[BH_RDX] = cpuid(1, 0).eax;
}

/*
 * 64-bit mode, the image's own page tables, no floating point. No interrupt is ever delivered to a native. IF is set
 * all the same: by the manual interrupts exit whatever it is (SDM vol. 3, 25.2), but there are CPUs that hold them back
 * while it is clear.
 */
static void begin_native(struct bh_vcpu_state *state, const struct vcpu *vcpu)
{
	for (unsigned i = 0; i < BH_SEGMENTS; i++)
		state->segment[i] = (struct bh_segment){ 0, UINT32_MAX, GDT_DATA, ACCESS_DATA32 };
	state->segment[BH_CS] = (struct bh_segment){ 0, UINT32_MAX, GDT_CODE, ACCESS_CODE64 };
	state->segment[BH_LDTR] = (struct bh_segment){ .access = BH_SEGMENT_UNUSABLE };
	state->segment[BH_TR] = (struct bh_segment){ 0, 0x67, GDT_TSS, ACCESS_TSS };
	state->rip = vcpu->partition->program->entry;
	state->rflags = 2 | RFLAGS_IF;
	state->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_TS | CR0_WP | CR0_PG;
	state->cr3 = BH_NATIVE_CR3;
	state->cr4 = CR4_PAE;
	state->efer = EFER_LME | EFER_LMA | EFER_NXE;
	state->gpr[BH_RDI] = vcpu->index;
}

void guest_state_reset(struct vcpu *vcpu)
{
	struct bh_vcpu_state state = { .gdtr_limit = 0xffff };

	if (vcpu->is_guest)
		begin_guest(&state);
	else
		begin_native(&state, vcpu);
	virt->set_state(vcpu, BH_STATE_ALL, &state);
	vcpu->arch.cr2 = 0;
}

void guest_state_startup(struct vcpu *vcpu, uint32_t vector)
{
	struct bh_vcpu_state state;

	virt->get_state(vcpu, BH_STATE_RIP | BH_STATE_SEGMENTS, &state);
	state.segment[BH_CS] = (struct bh_segment){ vector << 12, 0xffff, (uint16_t)(vector << 8), ACCESS_CODE16 };
	state.rip = 0;
	virt->set_state(vcpu, BH_STATE_RIP | BH_STATE_SEGMENTS, &state);
}
