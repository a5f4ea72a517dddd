#include "clock.h"
#include "cpu_this.h"
#include "exception.h"
#include "guest_apic.h"
#include "guest_exit.h"
#include "interrupt.h"
#include "paging.h"
#include "report.h"
#include "trace.h"
#include "vcpu.h"
#include "vmx.h"

/* Basic exit reasons (SDM vol. 3, appendix C). */
enum exit_reason {
	EXIT_EXCEPTION_OR_NMI = 0,
	EXIT_EXTERNAL_INTERRUPT = 1,
	EXIT_TRIPLE_FAULT = 2,
	EXIT_INIT = 3,
	EXIT_SIPI = 4,
	EXIT_INTERRUPT_WINDOW = 7,
	EXIT_TASK_SWITCH = 9,
	EXIT_CPUID = VMX_EXIT_CPUID,
	EXIT_HLT = 12,
	EXIT_INVD = 13,
	EXIT_RDPMC = 15,
	EXIT_VMCALL = VMX_EXIT_VMCALL,
	EXIT_CONTROL_REGISTER = 28,
	EXIT_MOV_DR = 29,
	EXIT_IO = VMX_EXIT_IO,
	EXIT_RDMSR = 31,
	EXIT_WRMSR = 32,
	EXIT_INVALID_STATE = 33,
	EXIT_TPR_BELOW_THRESHOLD = 43,
	EXIT_VIRTUALIZED_EOI = 45,
	EXIT_EPT_VIOLATION = 48,
	EXIT_EPT_MISCONFIGURATION = 49,
	EXIT_PREEMPTION_TIMER = 52,
	EXIT_WBINVD = 54,
	EXIT_XSETBV = 55,
};

/* Their public names. The back end counts and traces by the manual's numbers. */
#define NUMBER_NMI 255 /* reason 0 too, told from exceptions in the trace */

static const uint8_t public_reason[256] = {
	[EXIT_EXCEPTION_OR_NMI] = BH_EXIT_EXCEPTION,
	[NUMBER_NMI] = BH_EXIT_NMI,
	[EXIT_EXTERNAL_INTERRUPT] = BH_EXIT_INTERRUPT,
	[EXIT_TRIPLE_FAULT] = BH_EXIT_TRIPLE_FAULT,
	[EXIT_INTERRUPT_WINDOW] = BH_EXIT_INTERRUPT_WINDOW,
	[EXIT_CPUID] = BH_EXIT_CPUID,
	[EXIT_HLT] = BH_EXIT_HLT,
	[EXIT_INVD] = BH_EXIT_CACHE,
	[EXIT_VMCALL] = BH_EXIT_HYPERCALL,
	[EXIT_CONTROL_REGISTER] = BH_EXIT_CONTROL_REGISTER,
	[EXIT_MOV_DR] = BH_EXIT_DEBUG_REGISTER,
	[EXIT_IO] = BH_EXIT_PIO,
	[EXIT_RDMSR] = BH_EXIT_MSR_READ,
	[EXIT_WRMSR] = BH_EXIT_MSR_WRITE,
	[EXIT_INVALID_STATE] = BH_EXIT_INVALID_STATE,
	[EXIT_TPR_BELOW_THRESHOLD] = BH_EXIT_APIC,
	[EXIT_VIRTUALIZED_EOI] = BH_EXIT_EOI,
	[EXIT_EPT_VIOLATION] = BH_EXIT_MMIO,
	[EXIT_EPT_MISCONFIGURATION] = BH_EXIT_MMIO,
	[EXIT_PREEMPTION_TIMER] = BH_EXIT_TIMER,
	[EXIT_WBINVD] = BH_EXIT_CACHE,
	[EXIT_XSETBV] = BH_EXIT_XSETBV,
};

unsigned vmx_exit_reason(unsigned number) { return public_reason[number & 0xff]; }

#define CR0_NOTED 0x60000020ull /* CD, NW, NE */
#define CR4_NOTED 0x40ull	/* MCE */

#define FAULT(vector)	    (INTERRUPTION_VALID | INTERRUPTION_EXCEPTION | (vector))
#define FAULT_ERROR(vector) (FAULT(vector) | INTERRUPTION_ERROR)

/* ---- instructions that the kernel answers ------------------------------------------------------ */

static void invalid_opcode(void) { vmx_inject(FAULT(EXCEPTION_UD), 0); }

static void general_protection(void) { vmx_inject(FAULT_ERROR(EXCEPTION_GP), 0); }

static void finish(enum guest_answer answer)
{
	switch (answer) {
	case ANSWER_SKIP: vmx_skip(); break;
	case ANSWER_GP: general_protection(); break;
	case ANSWER_UD: invalid_opcode(); break;
	case ANSWER_DONE: break;
	}
}

static void exit_hlt(struct vcpu *vcpu)
{
	vmwrite(GUEST_INTERRUPTIBILITY, 0); /* the shadow of STI in `sti; hlt` is over */
	finish(guest_exit_hlt(vcpu, vmread(GUEST_RFLAGS) & RFLAGS_IF));
}

/* ---- ports and addresses ----------------------------------------------------------------------- */

static void exit_ept_violation(struct vcpu *vcpu, struct trace_record *record)
{
	uint64_t qualification = vmread(EXIT_QUALIFICATION);
	uint64_t address = vmread(GUEST_PHYSICAL_ADDRESS);
	bool delivering = vmread(IDT_VECTORING_INFO) & INTERRUPTION_VALID;

	record->detail = address;
	guest_exit_memory(vcpu, address, qualification & 7, qualification & 0x38, delivering);
}

/* ---- registers
 * ------------------------------------------------------------------------------------------------
 */

/*
 * A write that changes bits the guest does not own. CR0's CD and NW and CR4's MCE are taken note of, without effect:
 * with the noted bits as the guest wants them, the instruction is done again and does not exit. What is left over
 * is what no policy offers.
 */
static void note_bits(enum vmcs_field shadow_field, uint64_t value, uint64_t noted)
{
	uint64_t shadow = vmread(shadow_field);

	if ((value ^ shadow) & noted)
		vmwrite(shadow_field, (shadow & ~noted) | (value & noted));
	else
		general_protection();
}

static void exit_control_register(struct vcpu *vcpu, struct trace_record *record)
{
	uint64_t qualification = vmread(EXIT_QUALIFICATION);
	unsigned source = qualification >> 8 & 0xf;
	uint64_t value = source == BH_RSP ? vmread(GUEST_RSP) : vcpu->arch.gpr[source];

	record->detail = qualification;
	if (!vcpu->is_guest)
		guest_exit_native_control(vcpu, qualification & 0xf);
	else if ((qualification & 0x3f) == 0)
		note_bits(CR0_READ_SHADOW, value, CR0_NOTED);
	else if ((qualification & 0x3f) == 4)
		note_bits(CR4_READ_SHADOW, value, CR4_NOTED);
	else
		general_protection();
}

/* #DB and #AC exit so that their delivery can be interrupted; then they are the guest's. */
static void reflect_exception(struct vcpu *vcpu, uint32_t info)
{
	if ((info & 0xff) == EXCEPTION_DB) {
		uint64_t bits = vmread(EXIT_QUALIFICATION);
		uint64_t dr6;

		/* The exit has left DR6 as it was (27.1). */
		__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
		dr6 = (dr6 & ~0xfull) | (bits & 0x600f);
		if (vcpu->is_guest)
			__asm__ volatile("mov %0, %%dr6" : : "r"(dr6));
	}
	vmwrite(ENTRY_INSTRUCTION_LENGTH, vmread(EXIT_INSTRUCTION_LENGTH));
	vmx_inject(info & ~0x1000u, (uint32_t)vmread(EXIT_INTERRUPTION_ERROR_CODE));
}

static void exit_exception(struct vcpu *vcpu, struct trace_record *record)
{
	uint32_t info = (uint32_t)vmread(EXIT_INTERRUPTION_INFO);

	record->detail = info & 0xff;
	if ((info & INTERRUPTION_TYPE) == INTERRUPTION_NMI) {
		trace_number(record, NUMBER_NMI);
		__asm__ volatile("int $2"); /* by the IDT, whose IRET ends the blocking of NMIs */
	} else if ((info & 0xff) == EXCEPTION_MC) {
		__asm__ volatile("int $18");
	} else if (!vcpu->is_guest && (info & 0xff) == EXCEPTION_NM) {
		guest_exit_native_fpu(vcpu);
	} else {
		reflect_exception(vcpu, info);
	}
}

/* ---- the rest
 * ----------------------------------------------------------------------------------------------------
 */

static void exit_interrupt(struct cpu *cpu, struct trace_record *record)
{
	uint32_t vector = (uint32_t)vmread(EXIT_INTERRUPTION_INFO) & 0xff;

	record->detail = vector;
	interrupt_dispatch(vector);
	cpu->sched.look = 1;
}

static void exit_eoi(struct vcpu *vcpu, struct trace_record *record)
{
	unsigned vector = (unsigned)vmread(EXIT_QUALIFICATION) & 0xff;
	int heard = guest_apic_hardware_eoi(vcpu, vector);

	record->detail = vector;
	atomic_fetch_or(&vcpu->arch.apic.attention, APIC_ATTENTION_SYNC); /* something may have waited for it */
	guest_exit_eoi(vcpu, heard);
}

static void fatal(struct vcpu *vcpu, uint32_t reason)
{
	switch (reason & 0xffff) {
	case EXIT_TRIPLE_FAULT: guest_exit_triple_fault(vcpu); break;
	case EXIT_INVALID_STATE: guest_exit_refused(vcpu, false); break;
	case EXIT_TASK_SWITCH: report_failure(vcpu, "a hardware task switch, which is not supported"); break;
	case EXIT_EPT_MISCONFIGURATION:
		report_failure(vcpu, "EPT misconfiguration at %llx: a defect of the kernel",
			       (unsigned long long)vmread(GUEST_PHYSICAL_ADDRESS));
		break;
	default: report_failure(vcpu, "exit reason %u, which is not expected", reason & 0xffff);
	}
}

void vmx_dispatch(struct cpu *cpu, struct vcpu *vcpu, struct trace_record *record)
{
	uint32_t reason = (uint32_t)vmread(EXIT_REASON);

	switch (reason) {
	case EXIT_IO: /* strings: the first stage has answered the others */
		guest_exit_string(vcpu, (uint16_t)(record->detail >> EXIT_PORT_SHIFT),
				  !(record->detail & EXIT_PORT_IN));
		break;
	case EXIT_WRMSR:
		record->detail = vcpu->arch.gpr[BH_RCX];
		finish(guest_exit_wrmsr(vcpu));
		break;
	case EXIT_RDMSR:
		record->detail = vcpu->arch.gpr[BH_RCX];
		finish(guest_exit_rdmsr(vcpu));
		break;
	case EXIT_HLT: exit_hlt(vcpu); break;
	case EXIT_EXTERNAL_INTERRUPT: exit_interrupt(cpu, record); break;
	case EXIT_PREEMPTION_TIMER: cpu->sched.look = 1; break;
	case EXIT_INTERRUPT_WINDOW:
	case EXIT_INIT:
	case EXIT_SIPI: break;
	case EXIT_TPR_BELOW_THRESHOLD: atomic_fetch_or(&vcpu->arch.apic.attention, APIC_ATTENTION_SCAN); break;
	case EXIT_VIRTUALIZED_EOI: exit_eoi(vcpu, record); break;
	case EXIT_EPT_VIOLATION: exit_ept_violation(vcpu, record); break;
	case EXIT_CONTROL_REGISTER: exit_control_register(vcpu, record); break;
	case EXIT_MOV_DR: guest_exit_native_debug(vcpu); break;
	case EXIT_EXCEPTION_OR_NMI: exit_exception(vcpu, record); break;
	case EXIT_XSETBV: finish(guest_exit_xsetbv(vcpu)); break;
	case EXIT_INVD:
	case EXIT_WBINVD:
		vmx_skip(); /* no device sees this memory behind the cache's back */
		break;
	case EXIT_RDPMC: general_protection(); break;
	case EXIT_TRIPLE_FAULT:
	case EXIT_TASK_SWITCH:
	case EXIT_EPT_MISCONFIGURATION: fatal(vcpu, reason); break;
	default:
		/* Instructions that CPUID does not offer: VMX, SMX, MONITOR and their like. */
		if (reason & EXIT_REASON_ENTRY_FAILURE)
			fatal(vcpu, reason);
		else
			invalid_opcode();
	}
}

static const struct paging_format *vmx_paging(void) { return vmx_caps.page_1g ? &paging_ept_1g : &paging_ept; }

static void vmx_skip_later(struct vcpu *vcpu) { vcpu->arch.vmx.pending |= VMX_PENDING_SKIP; }

static void vmx_gp_later(struct vcpu *vcpu) { vcpu->arch.vmx.pending |= VMX_PENDING_GP; }

const struct virt_ops vmx_ops = {
	.name = "VT-x",
	.paging = vmx_paging,
	.exit_reason = vmx_exit_reason,
	.require = vmx_require,
	.cpu_enable = vmx_cpu_enable,
	.caps = vmx_describe,
	.vcpu_create = vmx_vcpu_create,
	.vcpu_reset = vmx_vcpu_reset,
	.vcpu_release = vmx_vcpu_release,
	.enter = vmx_first_entry,
	.read_special = vmx_read_special,
	.write_special = vmx_write_special,
	.get_state = vmx_get_state,
	.set_state = vmx_set_state,
	.skip = vmx_skip_later,
	.inject_gp = vmx_gp_later,
	.tsc_offset_changed = vmx_tsc_offset_changed,
	.apic_mode_changed = vmx_apic_mode_changed,
};
