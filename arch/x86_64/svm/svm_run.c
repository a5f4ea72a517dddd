#include "clock.h"
#include "cpu_this.h"
#include "guest_apic.h"
#include "guest_cpuid.h"
#include "hypercall.h"
#include "svm.h"
#include "svm_offsets.h"

_Static_assert(offsetof(struct cpu, resident) == CPU_RESIDENT, "svm_switch.S relies on it");
_Static_assert(offsetof(struct cpu, arch) + offsetof(struct arch_cpu, stack_top) == CPU_STACK_TOP,
	       "svm_switch.S relies on it");
_Static_assert(offsetof(struct vcpu, arch.svm.vmcb_physical) == VCPU_VMCB_PHYSICAL, "svm_switch.S relies on it");
_Static_assert(offsetof(struct vcpu, arch.svm.vmcb) == VCPU_VMCB, "svm_switch.S relies on it");
_Static_assert(offsetof(struct vcpu, arch.svm.cpu) == VCPU_CPU, "svm_switch.S relies on it");
_Static_assert(offsetof(struct vmcb, rax) == VMCB_RAX, "svm_switch.S relies on it");
_Static_assert(offsetof(struct vmcb, gs.base) == VMCB_GS_BASE, "svm_switch.S relies on it");
_Static_assert(EXIT_RESUME == 0 && EXIT_RESIDENT == 1, "svm_switch.S relies on it");

void svm_inject(struct vcpu *vcpu, unsigned vector, bool has_error, uint32_t error)
{
	struct vmcb *vmcb = vcpu->arch.svm.vmcb;
	uint64_t event = VMCB_EVENT_VALID | VMCB_EVENT_EXCEPTION | vector;

	/* In real mode no error code is pushed. */
	if (has_error && (vmcb->cr0 & CR0_PE))
		event |= VMCB_EVENT_ERROR | (uint64_t)error << 32;
	vmcb->event_injection = event;
}

/* ---- interrupts -------------------------------------------------------------------------------- */

/*
 * V_IRQ offers the highest vector; the CPU takes it when the guest can, without an exit. That it has is seen at the
 * next exit that looks at the APIC.
 */
static void offer_interrupt(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = &vcpu->arch.svm;
	unsigned irr = guest_apic_highest_irr(vcpu), isr = guest_apic_highest_isr(vcpu);
	uint64_t control = VMCB_V_INTR_MASKING | guest_apic_tpr(vcpu) >> 4;

	svm->virtual_interrupt = irr >> 4 > isr >> 4 ? (uint8_t)irr : 0;
	if (svm->virtual_interrupt)
		control |=
			VMCB_V_IRQ | (uint64_t)irr >> 4 << VMCB_V_PRIORITY_SHIFT | (uint64_t)irr << VMCB_V_VECTOR_SHIFT;
	svm->vmcb->interrupt_control = control;
	svm->vmcb->clean &= ~VMCB_CLEAN_TPR;
}

/* What the hardware has done meanwhile to the APIC: an interrupt taken, CR8 written. Guests. */
static void settle_interrupts(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = &vcpu->arch.svm;
	uint64_t control = svm->vmcb->interrupt_control;

	if (svm->virtual_interrupt && !(control & VMCB_V_IRQ)) {
		guest_apic_accept(vcpu, svm->virtual_interrupt);
		svm->virtual_interrupt = 0;
	}
	if ((control & VMCB_V_TPR) != guest_apic_tpr(vcpu) >> 4)
		guest_apic_set_tpr(vcpu, (uint32_t)(control & VMCB_V_TPR) << 4);
}

/* ---- entry ------------------------------------------------------------------------------------- */

/* ASIDs are given away in turn; when none is left all start anew, with no translation left. */
static void give_asid(struct svm_cpu *cpu, struct svm_vcpu *svm)
{
	svm->vmcb->tlb_control = VMCB_TLB_NOTHING;
	if (cpu->next_asid >= svm_caps.asids) {
		cpu->next_asid = 1;
		cpu->generation++;
		svm->vmcb->tlb_control = VMCB_TLB_FLUSH_ALL;
	}
	svm->generation = cpu->generation;
	svm->vmcb->asid = cpu->next_asid++;
	svm->vmcb->clean &= ~VMCB_CLEAN_CONTROL;
}

/* All that may have to be done before an entry; the time of the entry is `now`. */
static inline void prepare(struct cpu *cpu, struct vcpu *vcpu, uint64_t now)
{
	struct svm_vcpu *svm = &vcpu->arch.svm;
	uint64_t deadline = sched_deadline(&cpu->sched);

	cpu->entered = now;
	if (deadline != cpu->arch.timer_deadline)
		clock_set_timer(deadline);
	/* Natives have no APIC: theirs never asks for anything. */
	if (atomic_load_explicit(&vcpu->arch.apic.attention, memory_order_relaxed) & APIC_ATTENTION_SYNC)
		offer_interrupt(vcpu);
	if (svm->generation != cpu->arch.svm.generation)
		give_asid(&cpu->arch.svm, svm);
}

/* ---- exit, first stage: GIF is clear, and FS, TR, LDTR and the MSRs of system calls are the guest's -------------- */

/*
 * Another vCPU's turn: what VMRUN does not switch goes to this one's VMCB, its GS base is there already. A flush that
 * its entry asked for is done.
 */
static void save_unswitched(struct svm_vcpu *svm)
{
	uint64_t gs_base = svm->vmcb->gs.base;

	vmsave(svm->vmcb_physical);
	svm->vmcb->gs.base = gs_base;
	svm->vmcb->tlb_control = VMCB_TLB_NOTHING;
}

/* `next` may go on at once, if nobody else wants the CPU; false, and nothing done: the scheduler must choose. */
static inline bool proceed(struct cpu *cpu, struct vcpu *vcpu, struct vcpu *next, struct trace_record *record)
{
	uint64_t now = clock_now();

	if (!exit_may_enter(cpu, next, now))
		return false;
	exit_end(vcpu, record, now);
	prepare(cpu, next, now);
	return true;
}

/* The end of a first stage that was answered and after which the vCPU may go on: nothing else has to be looked at. */
static inline bool may_resume(struct cpu *cpu, struct vcpu *vcpu, struct trace_record *record)
{
	uint32_t state = atomic_load_explicit(&vcpu->state, memory_order_relaxed);

	if (atomic_load_explicit(&cpu->sched.look, memory_order_relaxed) | state)
		return false;
	cpu->entered = clock_now();
	exit_end(vcpu, record, cpu->entered);
	return true;
}

/*
 * A service waits. Who is next may have been woken by it just now: the scheduler's choice, as far as that needs no long
 * work. Where it does, the second stage asks the scheduler again, even if the service itself could go on by then.
 */
static enum exit_stage to_other(struct cpu *cpu, struct vcpu *vcpu)
{
	struct trace_record *record = cpu->record;
	uint64_t now = clock_now();
	struct vcpu *next;

	if (sched_must_attend(&cpu->sched))
		return EXIT_ANSWERED;
	save_unswitched(&vcpu->arch.svm);
	next = sched_try(cpu, now);
	if (!next) {
		cpu->sched.look = 1;
		return EXIT_ANSWERED;
	}
	exit_end(vcpu, record, now);
	prepare(cpu, next, now);
	cpu->resident = next;
	return EXIT_RESIDENT;
}

/* The vCPU waits: its peer may be the one that goes on. From a guest to its monitor and back is one step. */
static __attribute__((noinline)) enum exit_stage to_peer(struct cpu *cpu, struct vcpu *vcpu)
{
	if (!vcpu->state)
		return EXIT_ANSWERED;
	if (!vcpu->peer)
		return to_other(cpu, vcpu);
	/* The monitor may ask for the APIC, or raise an interrupt, whose offer begins with the page's TPR. */
	if (vcpu->is_guest)
		settle_interrupts(vcpu);
	if (!proceed(cpu, vcpu, vcpu->peer, cpu->record))
		return EXIT_ANSWERED;
	save_unswitched(&vcpu->arch.svm);
	cpu->resident = vcpu->peer;
	return EXIT_RESIDENT;
}

/*
 * RIP past the instruction; false: the second stage must find out where it ends. As with VT-x, the shadow of an STI or
 * MOV SS before it stays, so an interrupt may come one instruction later than it could.
 */
static inline bool quick_skip(struct vcpu *vcpu, struct vmcb *vmcb, bool told)
{
	if (!told && !svm_place_stands(&vcpu->arch.svm.place, vmcb))
		return false;
	vmcb->rip = told ? vmcb->next_rip : vcpu->arch.svm.place.next_rip;
	return true;
}

/* For the compiler not the same as a constant, which it would load in advance, or keep across what comes before. */
static inline int64_t constant(int64_t value)
{
	__asm__ volatile("" : "+r"(value));
	return value;
}

/* These find CPU and record again after their calls, which is cheaper than keeping them. */
static __attribute__((always_inline)) inline enum exit_stage quick_cpuid(struct vcpu *vcpu, struct vmcb *vmcb,
									 bool told)
{
	struct cpu *cpu;

	exit_count(vcpu, SVM_EXIT_CPUID);
	if (__builtin_expect(!quick_skip(vcpu, vmcb, told), false))
		return (enum exit_stage)constant(EXIT_UNANSWERED);
	guest_cpuid(vcpu);
	cpu = vcpu->arch.svm.cpu;
	return __builtin_expect(may_resume(cpu, vcpu, cpu->record), true) ? EXIT_RESUME : EXIT_ANSWERED;
}

static __attribute__((always_inline)) inline enum exit_stage quick_hypercall(struct vcpu *vcpu, struct vmcb *vmcb,
									     bool told)
{
	struct cpu *cpu;

	exit_count(vcpu, SVM_EXIT_VMMCALL);
	if (__builtin_expect(!quick_skip(vcpu, vmcb, told), false))
		return (enum exit_stage)constant(EXIT_UNANSWERED);
	/* Who waits gets another result when the wait ends. */
	vcpu->arch.gpr[BH_RAX] =
		(uint64_t)(__builtin_expect(vmcb->cpl == 3, false) ? constant(-BH_EPERM) : hypercall(vcpu));
	cpu = vcpu->arch.svm.cpu;
	return __builtin_expect(may_resume(cpu, vcpu, cpu->record), true) ? (enum exit_stage)constant(EXIT_RESUME)
									  : to_peer(cpu, vcpu);
}

/* The same for CPUs that tell where instructions end, and for those that do not. */
#define QUICK __attribute__((noinline)) static enum exit_stage
QUICK cpuid_told(struct vcpu *vcpu, struct vmcb *vmcb) { return quick_cpuid(vcpu, vmcb, true); }
QUICK cpuid_untold(struct vcpu *vcpu, struct vmcb *vmcb) { return quick_cpuid(vcpu, vmcb, false); }
QUICK hypercall_told(struct vcpu *vcpu, struct vmcb *vmcb) { return quick_hypercall(vcpu, vmcb, true); }
QUICK hypercall_untold(struct vcpu *vcpu, struct vmcb *vmcb) { return quick_hypercall(vcpu, vmcb, false); }

/* IN and OUT; a string needs all registers. */
QUICK quick_io(struct vcpu *vcpu, struct vmcb *vmcb)
{
	uint32_t info = (uint32_t)vmcb->exit_info_1;
	unsigned size = info >> SVM_IOIO_SIZE_SHIFT & 7;
	bool write = !(info & SVM_IOIO_IN);
	struct cpu *cpu = vcpu->arch.svm.cpu;

	exit_count(vcpu, SVM_EXIT_IOIO);
	cpu->record->detail = (info & 0xffff0000u) | (write ? 0 : EXIT_PORT_IN) |
			      (info & SVM_IOIO_STRING ? EXIT_PORT_STRING : 0) | (size - 1);
	if (info & SVM_IOIO_STRING)
		return EXIT_UNANSWERED;
	svm_skip_to(vmcb, vmcb->exit_info_2);
	if (!guest_exit_port(vcpu, (uint16_t)(info >> SVM_IOIO_PORT_SHIFT), size, write))
		return to_peer(cpu, vcpu);
	return may_resume(cpu, vcpu, cpu->record) ? EXIT_RESUME : EXIT_ANSWERED;
}

/* See the first stage of VT-x (vmx_run.c), whose twin this is. */
static inline __attribute__((always_inline)) enum exit_stage quick(struct vcpu *vcpu, struct vmcb *vmcb, uint64_t tsc,
								   struct cpu *cpu, uint64_t rax, bool told)
{
	uint32_t code = (uint32_t)vmcb->exit_code;

	exit_begin(cpu, vcpu, code, tsc, rax);
	if (code == SVM_EXIT_VMMCALL)
		return told ? hypercall_told(vcpu, vmcb) : hypercall_untold(vcpu, vmcb);
	if (code == SVM_EXIT_CPUID)
		return told ? cpuid_told(vcpu, vmcb) : cpuid_untold(vcpu, vmcb);
	if (code == SVM_EXIT_IOIO)
		return quick_io(vcpu, vmcb);
	exit_count(vcpu, code);
	return EXIT_UNANSWERED;
}

QUICK quick_told(struct vcpu *vcpu, struct vmcb *vmcb, uint64_t tsc, struct cpu *cpu, uint64_t rax)
{
	return quick(vcpu, vmcb, tsc, cpu, rax, true);
}

QUICK quick_untold(struct vcpu *vcpu, struct vmcb *vmcb, uint64_t tsc, struct cpu *cpu, uint64_t rax)
{
	return quick(vcpu, vmcb, tsc, cpu, rax, false);
}

enum exit_stage (*svm_quick)(struct vcpu *vcpu, struct vmcb *vmcb, uint64_t tsc, struct cpu *cpu, uint64_t rax);

void svm_run_init(void) { svm_quick = svm_caps.next_rip ? quick_told : quick_untold; }

/* ---- exit, second stage ------------------------------------------------------------------------ */

/*
 * The CPU is the kernel's again as a whole, its TSS too, so that NMIs may come. RFLAGS.IF was set for VMRUN, by which
 * it lets interrupts end the guest's run.
 */
static void take_cpu(struct cpu *cpu, struct svm_vcpu *svm)
{
	save_unswitched(svm);
	vmload(cpu->arch.svm.host_vmcb);
	interrupts_off();
	stgi();
	svm->vmcb->clean = svm_caps.clean;
}

/* Not the exited vCPU, nor its peer: the scheduler's choice. Its time, idling too, is not the vCPU's. */
static struct vcpu *choose(struct cpu *cpu, struct vcpu *vcpu, struct trace_record *record)
{
	exit_end(vcpu, record, clock_now());
	vcpu = sched_next(cpu);
	prepare(cpu, vcpu, clock_now());
	return vcpu;
}

_Noreturn void svm_exit(struct vcpu *vcpu, enum exit_stage stage)
{
	struct svm_vcpu *svm = &vcpu->arch.svm;
	struct cpu *cpu = svm->cpu;
	struct trace_record *record = cpu->record;
	struct vcpu *next;

	take_cpu(cpu, svm);
	if (vcpu->is_guest)
		settle_interrupts(vcpu);
	if (stage == EXIT_UNANSWERED)
		svm_dispatch(cpu, vcpu, record);
	next = vcpu->state && vcpu->peer ? vcpu->peer : vcpu;
	if (!proceed(cpu, vcpu, next, record))
		next = choose(cpu, vcpu, record);
	svm_enter(next);
}

_Noreturn void svm_first_entry(struct vcpu *vcpu)
{
	prepare(cpu_this(), vcpu, clock_now());
	svm_enter(vcpu);
}
