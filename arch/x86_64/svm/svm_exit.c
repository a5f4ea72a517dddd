#include "clock.h"
#include "cpu.h"
#include "frame.h"
#include "exception.h"
#include "guest_cpuid.h"
#include "hypercall.h"
#include "instructions.h"
#include "paging.h"
#include "svm.h"
#include "vcpu.h"

#define UNREADABLE_MAX 16 /* exits in a row: more than other vCPUs that change the code explain, unless on purpose */

/* By the low 8 bits of the exit code. */
static const uint8_t public_reason[256] = {
	[SVM_EXIT_NPF & 0xff] = BH_EXIT_MMIO,
	[SVM_EXIT_CR_READ + 4] = BH_EXIT_CONTROL_REGISTER,
	[SVM_EXIT_CR_READ + 8] = BH_EXIT_CONTROL_REGISTER,
	[SVM_EXIT_CR_WRITE... SVM_EXIT_CR_WRITE + 15] = BH_EXIT_CONTROL_REGISTER,
	[SVM_EXIT_DR_READ... SVM_EXIT_DR_WRITE + 15] = BH_EXIT_DEBUG_REGISTER,
	[SVM_EXIT_EXCEPTION... SVM_EXIT_EXCEPTION + 31] = BH_EXIT_EXCEPTION,
	[SVM_EXIT_INTR] = BH_EXIT_INTERRUPT,
	[SVM_EXIT_NMI] = BH_EXIT_NMI,
	[SVM_EXIT_SWINT] = BH_EXIT_EXCEPTION,
	[SVM_EXIT_CPUID] = BH_EXIT_CPUID,
	[SVM_EXIT_INVD] = BH_EXIT_CACHE,
	[SVM_EXIT_HLT] = BH_EXIT_HLT,
	[SVM_EXIT_IOIO] = BH_EXIT_PIO,
	[SVM_EXIT_MSR] = BH_EXIT_MSR_READ,
	[SVM_NUMBER_WRMSR] = BH_EXIT_MSR_WRITE,
	[SVM_EXIT_SHUTDOWN] = BH_EXIT_TRIPLE_FAULT,
	[SVM_EXIT_VMMCALL] = BH_EXIT_HYPERCALL,
	[SVM_EXIT_WBINVD] = BH_EXIT_CACHE,
	[SVM_EXIT_XSETBV] = BH_EXIT_XSETBV,
	[SVM_EXIT_INVALID & 0xff] = BH_EXIT_INVALID_STATE,
};

unsigned svm_exit_reason(unsigned number) { return public_reason[number & 0xff]; }

static void finish(struct vcpu *vcpu, enum guest_answer answer)
{
	switch (answer) {
	case ANSWER_SKIP: svm_skip_to(vcpu->arch.svm.vmcb, vcpu->arch.svm.next_rip); break;
	case ANSWER_GP: svm_inject(vcpu, EXCEPTION_GP, true, 0); break;
	case ANSWER_UD: svm_inject(vcpu, EXCEPTION_UD, false, 0); break;
	case ANSWER_DONE: break;
	}
}

/* ---- instructions ------------------------------------------------------------------------------ */

static enum guest_answer exit_msr(struct vcpu *vcpu, struct trace_record *record)
{
	record->detail = vcpu->arch.gpr[BH_RCX];
	if (!vcpu->arch.svm.vmcb->exit_info_1)
		return guest_exit_rdmsr(vcpu);
	vcpu->exits[SVM_EXIT_MSR]--;
	vcpu->exits[SVM_NUMBER_WRMSR]++;
	trace_number(record, SVM_NUMBER_WRMSR);
	return guest_exit_wrmsr(vcpu);
}

/* A hypercall or CPUID that the first stage could not answer: it was met here for the first time, or has prefixes. */
static enum guest_answer exit_cpuid(struct vcpu *vcpu)
{
	guest_cpuid(vcpu);
	return ANSWER_SKIP;
}

static enum guest_answer exit_hypercall(struct vcpu *vcpu)
{
	bool ring3 = vcpu->arch.svm.vmcb->cpl == 3;

	vcpu->arch.gpr[BH_RAX] = (uint64_t)(ring3 ? -BH_EPERM : hypercall(vcpu));
	return ANSWER_SKIP;
}

/* It is the guest's. The CPU goes on behind it, wherever the handler returns to. */
static enum guest_answer exit_int(struct vcpu *vcpu, unsigned vector)
{
	vcpu->arch.svm.vmcb->event_injection = VMCB_EVENT_VALID | VMCB_EVENT_SOFTWARE | vector;
	return ANSWER_SKIP;
}

static enum guest_answer exit_cr4(struct vcpu *vcpu, bool write, unsigned gpr)
{
	struct vmcb *vmcb = vcpu->arch.svm.vmcb;
	uint64_t *value = gpr == BH_RSP ? &vmcb->rsp : &vcpu->arch.gpr[gpr];

	/* Outside 64-bit code the upper half may hold anything. */
	if (write)
		return svm_write_cr4(vcpu, svm_code64(vmcb) ? *value : (uint32_t)*value) ? ANSWER_SKIP : ANSWER_GP;
	*value = svm_read_special(vcpu, VIRT_CR4);
	return ANSWER_SKIP;
}

/* The exits of instructions whose end must be known before they take effect. */
static enum guest_answer answer(struct vcpu *vcpu, uint32_t code, unsigned operand, struct trace_record *record)
{
	switch (code) {
	case SVM_EXIT_CPUID: return exit_cpuid(vcpu);
	case SVM_EXIT_VMMCALL: return exit_hypercall(vcpu);
	case SVM_EXIT_MSR: return exit_msr(vcpu, record);
	case SVM_EXIT_HLT: return guest_exit_hlt(vcpu, vcpu->arch.svm.vmcb->rflags & RFLAGS_IF);
	case SVM_EXIT_SWINT: return exit_int(vcpu, operand);
	case SVM_EXIT_XSETBV: return guest_exit_xsetbv(vcpu);
	case SVM_EXIT_CR_READ + 4:
	case SVM_EXIT_CR_WRITE + 4: record->detail = 4; return exit_cr4(vcpu, code != SVM_EXIT_CR_READ + 4, operand);
	default: return ANSWER_SKIP; /* INVD, WBINVD: no device sees this memory behind the cache's back */
	}
}

/*
 * The CPU may tell where the instruction ends and which register it names; else it is read. If it is not there (any
 * more), the guest does it again, with fresh translations, as those by which the CPU has found it may be gone. Programs
 * of a guest can let that happen for ever, and must not end the guest: at last it gets #UD.
 */
static bool find_instruction(struct vcpu *vcpu, uint32_t code, unsigned *operand)
{
	struct svm_vcpu *svm = &vcpu->arch.svm;
	const struct vmcb *vmcb = svm->vmcb;
	bool moves = code < SVM_EXIT_DR_READ;
	struct svm_instruction instruction;

	if (svm_caps.next_rip && code != SVM_EXIT_SWINT &&
	    (!moves || (svm_caps.decode_assists && vmcb->exit_info_1 & SVM_MOV_CR))) {
		svm->next_rip = vmcb->next_rip;
		*operand = vmcb->exit_info_1 & 0xf;
		return true;
	}
	if (!svm_instruction(vcpu, code, &instruction)) {
		svm->generation = 0;
		if (code == SVM_EXIT_SWINT && svm_rewrite_code(vcpu))
			return false;
		if (++svm->unreadable >= UNREADABLE_MAX) {
			svm->unreadable = 0;
			finish(vcpu, ANSWER_UD);
		}
		return false;
	}
	svm->unreadable = 0;
	svm->next_rip = vmcb->rip + instruction.length;
	*operand = instruction.operand;
	return true;
}

static void exit_instruction(struct vcpu *vcpu, uint32_t code, struct trace_record *record)
{
	unsigned operand;

	if (find_instruction(vcpu, code, &operand))
		finish(vcpu, answer(vcpu, code, operand, record));
}

/* ---- the rest ---------------------------------------------------------------------------------- */

static void exit_npf(struct vcpu *vcpu, struct trace_record *record)
{
	const struct vmcb *vmcb = vcpu->arch.svm.vmcb;
	uint64_t info = vmcb->exit_info_1;
	unsigned access = MAP_READ;

	if (info & SVM_NPF_FETCH)
		access = MAP_EXECUTE;
	else if (info & SVM_NPF_WRITE)
		access = MAP_WRITE;
	record->detail = vmcb->exit_info_2;
	guest_exit_memory(vcpu, vmcb->exit_info_2, access, info & SVM_NPF_PRESENT,
			  vmcb->exit_interrupt_info & VMCB_EVENT_VALID);
}

/* #DB and #AC exit so that their delivery can be interrupted; then they are the guest's. DR6 is up to date (15.12.2).
 */
static void exit_exception(struct vcpu *vcpu, unsigned vector, struct trace_record *record)
{
	record->detail = vector;
	if (vector == EXCEPTION_MC)
		__asm__ volatile("int $18");
	else if (vector == EXCEPTION_NM && !vcpu->is_guest)
		guest_exit_native_fpu(vcpu);
	else
		svm_inject(vcpu, vector, vector == EXCEPTION_AC, 0);
}

/* It is pending still: GIF and IF let it in. */
static void exit_interrupt(struct cpu *cpu, struct trace_record *record)
{
	__asm__ volatile("sti; nop; cli" : : : "memory");
	record->detail = cpu->arch.last_vector;
	cpu->sched.look = 1;
}

/*
 * An event that was about to be delivered when something else ended the run is delivered again. What an instruction has
 * raised (INT n, INT3, INTO) is not: RIP is still at it, so it is done again.
 */
static void keep_event(struct vmcb *vmcb)
{
	uint64_t event = vmcb->exit_interrupt_info, type = event & VMCB_EVENT_TYPE;
	bool trap = type == VMCB_EVENT_EXCEPTION && ((event & 0xff) == EXCEPTION_BP || (event & 0xff) == EXCEPTION_OF);

	vmcb->event_injection = trap || type == VMCB_EVENT_SOFTWARE ? 0 : event;
}

void svm_dispatch(struct cpu *cpu, struct vcpu *vcpu, struct trace_record *record)
{
	uint32_t code = (uint32_t)vcpu->arch.svm.vmcb->exit_code;

	keep_event(vcpu->arch.svm.vmcb);
	switch (code) {
	case SVM_EXIT_CPUID:
	case SVM_EXIT_VMMCALL:
	case SVM_EXIT_MSR:
	case SVM_EXIT_HLT:
	case SVM_EXIT_SWINT:
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_XSETBV: exit_instruction(vcpu, code, record); break;
	case SVM_EXIT_IOIO: /* strings: the first stage has answered the others */
		guest_exit_string(vcpu, (uint16_t)(record->detail >> EXIT_PORT_SHIFT),
				  !(record->detail & EXIT_PORT_IN));
		break;
	case SVM_EXIT_INTR: exit_interrupt(cpu, record); break;
	case SVM_EXIT_NPF: exit_npf(vcpu, record); break;
	case SVM_EXIT_NMI: /* came when GIF was set */
	case SVM_EXIT_INIT: break;
	case SVM_EXIT_CR_READ ... SVM_EXIT_CR_WRITE + 15:
		record->detail = code & 0xf;
		if (vcpu->is_guest)
			exit_instruction(vcpu, code, record);
		else
			guest_exit_native_control(vcpu, code & 0xf);
		break;
	case SVM_EXIT_DR_READ ... SVM_EXIT_DR_WRITE + 15: guest_exit_native_debug(vcpu); break;
	case SVM_EXIT_EXCEPTION ... SVM_EXIT_EXCEPTION + 31:
		exit_exception(vcpu, code - SVM_EXIT_EXCEPTION, record);
		break;
	case SVM_EXIT_RDPMC: finish(vcpu, ANSWER_GP); break;
	case SVM_EXIT_SHUTDOWN: guest_exit_triple_fault(vcpu); break;
	case (uint32_t)SVM_EXIT_INVALID:
		/* The state is checked before a flush is done: the next ASID comes with another one. */
		cpu->arch.svm.next_asid = svm_caps.asids;
		guest_exit_refused(vcpu, true);
		break;
	default: finish(vcpu, ANSWER_UD); /* instructions that CPUID does not offer: SVM's, MONITOR and their like */
	}
}

/* ---- the table --------------------------------------------------------------------------------- */

static const struct paging_format *svm_paging(void) { return svm_caps.page_1g ? &paging_npt_1g : &paging_npt; }

static void svm_skip(struct vcpu *vcpu) { finish(vcpu, ANSWER_SKIP); }

static void svm_inject_gp(struct vcpu *vcpu) { finish(vcpu, ANSWER_GP); }

/* Interrupts are offered in the same way in both modes. */
static void svm_apic_mode_changed(struct vcpu *vcpu) { (void)vcpu; }

const struct virt_ops svm_ops = {
	.name = "SVM",
	.paging = svm_paging,
	.exit_reason = svm_exit_reason,
	.require = svm_require,
	.cpu_enable = svm_cpu_enable,
	.caps = svm_describe,
	.vcpu_create = svm_vcpu_create,
	.vcpu_reset = svm_vcpu_reset,
	.vcpu_release = svm_vcpu_release,
	.enter = svm_first_entry,
	.read_special = svm_read_special,
	.write_special = svm_write_special,
	.get_state = svm_get_state,
	.set_state = svm_set_state,
	.skip = svm_skip,
	.inject_gp = svm_inject_gp,
	.tsc_offset_changed = svm_tsc_offset_changed,
	.apic_mode_changed = svm_apic_mode_changed,
};
