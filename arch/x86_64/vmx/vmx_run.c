#include "clock.h"
#include "instructions.h"
#include "cpu_this.h"
#include "guest_apic.h"
#include "guest_cpuid.h"
#include "guest_exit.h"
#include "hypercall.h"
#include "report.h"
#include "trace.h"
#include "vcpu.h"
#include "vmx.h"
#include "vmx_offsets.h"

_Static_assert(offsetof(struct cpu, resident) == CPU_RESIDENT, "vmx_switch.S relies on it");
_Static_assert(offsetof(struct cpu, arch) + offsetof(struct arch_cpu, stack_top) == CPU_STACK_TOP,
	       "vmx_switch.S relies on it");
_Static_assert(offsetof(struct vcpu, arch.resumable) == VCPU_LAUNCHED, "vmx_switch.S relies on it");
_Static_assert(EXIT_RESUME == 0 && EXIT_RESIDENT == 1, "vmx_switch.S relies on it");

#define EXCEPTION_GP (INTERRUPTION_VALID | INTERRUPTION_EXCEPTION | INTERRUPTION_ERROR | 13)

void vmx_inject(uint32_t info, uint32_t error_code)
{
	/* In real mode no error code is pushed (26.2.1.3). */
	if (!(vmread(GUEST_CR0) & CR0_PE))
		info &= ~INTERRUPTION_ERROR;
	vmwrite(ENTRY_INTERRUPTION_INFO, info);
	if (info & INTERRUPTION_ERROR)
		vmwrite(ENTRY_EXCEPTION_ERROR_CODE, error_code);
}

/* ---- interrupts -------------------------------------------------------------------------------- */

static void set_interrupt_window(struct vmx_vcpu *vmx, bool open)
{
	if (vmx->interrupt_window == open)
		return;
	vmx->interrupt_window = open;
	vmx->primary ^= PRIMARY_INTERRUPT_WINDOW;
	vmwrite(PRIMARY_CONTROLS, vmx->primary);
}

static bool interrupts_open(void)
{
	return (vmread(GUEST_RFLAGS) & RFLAGS_IF) && !(vmread(GUEST_INTERRUPTIBILITY) & INTERRUPTIBILITY_STI_MOV_SS);
}

static void set_eoi_exits(struct vmx_vcpu *vmx, unsigned word, uint64_t wanted)
{
	if (wanted == vmx->eoi_exit[word])
		return;
	vmx->eoi_exit[word] = wanted;
	vmwrite(EOI_EXIT_BITMAP_0 + 2 * word, wanted);
}

/*
 * The hardware delivers what the guest can take at this entry; whose EOI the monitor wants to hear it must know too.
 * What the guest cannot take now is looked at again when it can: by an exit when the interrupt window opens, or at the
 * EOI of what goes first. By the manual the hardware could watch for both by itself (29.2.1), but there are CPUs that
 * deliver a virtual interrupt that waits for RFLAGS.IF as soon as a physical one comes, with IF still clear.
 */
static void load_interrupt_status(struct vcpu *vcpu)
{
	unsigned irr = guest_apic_highest_irr(vcpu), isr = guest_apic_highest_isr(vcpu);
	bool first = irr >> 4 > isr >> 4, behind = (irr && !first) || guest_apic_several(vcpu);

	vmwrite(GUEST_INTERRUPT_STATUS, irr | isr << 8);
	set_interrupt_window(&vcpu->arch.vmx, first && !interrupts_open());
	for (unsigned i = 0; i < 4; i++)
		set_eoi_exits(&vcpu->arch.vmx, i, behind ? UINT64_MAX : guest_apic_tmr(vcpu, i));
}

/* What TPR holds back must exit when TPR is lowered (29.1.2). */
static void set_tpr_threshold(struct vcpu *vcpu, int pending)
{
	unsigned waiting = pending < 0 ? guest_apic_highest_irr(vcpu) >> 4 : 0;

	if (waiting > (guest_apic_tpr(vcpu) >> 4))
		waiting = 0; /* an interrupt in service holds it back, and its EOI exits anyway */
	vmwrite(TPR_THRESHOLD, waiting);
}

/* Without the hardware's help: inject when the guest can take it, else exit when it can. */
static void inject_interrupt(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->arch.vmx;
	int vector = guest_apic_pending(vcpu);
	bool busy = vmread(ENTRY_INTERRUPTION_INFO) & INTERRUPTION_VALID;
	bool open = !busy && interrupts_open();

	if (vector >= 0 && open) {
		guest_apic_accept(vcpu, (unsigned)vector);
		vmx_inject(INTERRUPTION_VALID | INTERRUPTION_EXTERNAL | (unsigned)vector, 0);
		vector = guest_apic_pending(vcpu);
	}
	set_interrupt_window(vmx, vector >= 0);
	set_tpr_threshold(vcpu, vector);
}

/* Only when something has happened to the APIC, or a window was asked for. */
static void prepare_interrupts(struct vcpu *vcpu)
{
	if (!vmx_caps.interrupt_delivery) {
		guest_apic_sync(vcpu);
		inject_interrupt(vcpu);
	} else if (guest_apic_sync(vcpu) || vcpu->arch.vmx.interrupt_window) {
		load_interrupt_status(vcpu);
	}
}

/* ---- time ------------------------------------------------------------------------------------ */

static void set_preemption_control(struct vmx_vcpu *vmx, bool on)
{
	vmx->preemption_timer = on;
	vmx->pin ^= PIN_PREEMPTION_TIMER;
	vmwrite(PIN_BASED_CONTROLS, vmx->pin);
	vmwrite(EXIT_CONTROLS, vmread(EXIT_CONTROLS) ^ EXIT_SAVE_PREEMPTION_TIMER); /* only together (26.2.1.2) */
}

/*
 * The vCPU must be back when the CPU's next deadline comes. The preemption timer is saved at exits and goes on counting
 * at the next entry, so a deadline is loaded once. The time in the kernel and in the monitor in between makes it fire
 * that much later, never earlier; so the clock itself is looked at before the peer is entered, and in the second stage.
 */
static inline void arm(struct cpu *cpu, struct vmx_vcpu *vmx, uint64_t deadline, uint64_t now)
{
	uint64_t ticks = ((deadline - now) >> vmx_caps.preemption_shift) + 1;

	vmx->armed = deadline;
	if (!vmx_caps.preemption_timer) {
		/* One timer for all vCPUs of the CPU: each entry looks at it. */
		vmx->armed = VMX_NOT_ARMED;
		if (deadline != cpu->arch.timer_deadline)
			clock_set_timer(deadline);
		return;
	}
	if (vmx->preemption_timer != (deadline != TIMER_NEVER))
		set_preemption_control(vmx, deadline != TIMER_NEVER);
	/* What 32 bits do not hold exits once in between. */
	if (deadline != TIMER_NEVER)
		vmwrite(PREEMPTION_TIMER, deadline < now ? 0 : ticks > UINT32_MAX ? UINT32_MAX : ticks);
}

/* ---- entry ----------------------------------------------------------------------------------- */

static inline void make_resident(struct cpu *cpu, struct vcpu *vcpu)
{
	if (cpu->resident == vcpu)
		return;
	cpu->resident = vcpu;
	vmptrld(&vcpu->arch.vmx.vmcs);
}

void vmx_make_current(struct vcpu *vcpu) { make_resident(cpu_this(), vcpu); }

static void prepare_pending(struct vmx_vcpu *vmx)
{
	if (vmx->pending & VMX_PENDING_SKIP)
		vmx_skip();
	if (vmx->pending & VMX_PENDING_GP)
		vmx_inject(EXCEPTION_GP, 0);
	vmx->pending = 0;
}

/* Natives have no APIC: theirs never asks for anything. */
static inline uint32_t interrupts_wanted(struct vcpu *vcpu)
{
	uint32_t attention = atomic_load_explicit(&vcpu->arch.apic.attention, memory_order_relaxed);

	return (attention & vmx_caps.apic_attention) | vcpu->arch.vmx.interrupt_window;
}

static __attribute__((noinline)) void prepare_changes(struct cpu *cpu, struct vcpu *vcpu, uint64_t now)
{
	struct vmx_vcpu *vmx = &vcpu->arch.vmx;
	uint64_t deadline = sched_deadline(&cpu->sched);

	if (vmx->pending)
		prepare_pending(vmx);
	if (interrupts_wanted(vcpu))
		prepare_interrupts(vcpu);
	if (deadline != vmx->armed)
		arm(cpu, vmx, deadline, now);
}

/* All that may have to be done before an entry; the time of the entry is `now`. */
static inline void prepare(struct cpu *cpu, struct vcpu *vcpu, uint64_t now)
{
	struct vmx_vcpu *vmx = &vcpu->arch.vmx;

	make_resident(cpu, vcpu);
	cpu->entered = now;
	if ((vmx->pending | interrupts_wanted(vcpu)) || sched_deadline(&cpu->sched) != vmx->armed)
		prepare_changes(cpu, vcpu, now);
}

/* ---- exit, first stage ------------------------------------------------------------------------ */

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

static inline int64_t quick_hypercall(struct vcpu *vcpu)
{
	bool ring3 = vmread(GUEST_SS_ACCESS_RIGHTS) & 0x60;

	vmx_skip();
	return __builtin_expect(ring3, false) ? -BH_EPERM : hypercall(vcpu);
}

/* IN and OUT; false: a string, which needs all registers. */
static inline bool quick_io(struct vcpu *vcpu, struct trace_record *record)
{
	uint32_t qualification = (uint32_t)vmread(EXIT_QUALIFICATION); /* table 27-5 */
	unsigned size = (qualification & 7) + 1;
	bool write = !(qualification & EXIT_PORT_IN);

	record->detail = qualification;
	if (qualification & EXIT_PORT_STRING)
		return false;
	vmx_skip();
	guest_exit_port(vcpu, (uint16_t)(qualification >> EXIT_PORT_SHIFT), size, write);
	return true;
}

/*
 * These exits are answered with the callee-saved registers still the guest's. If nothing else has happened meanwhile,
 * neither scheduler nor timer nor interrupts have to be looked at. From a guest to its monitor and back is one step
 * too, in which nobody else has a part.
 */
enum exit_stage vmx_quick(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();
	uint32_t reason = (uint32_t)vmread(EXIT_REASON);
	struct trace_record *record = exit_begin(cpu, vcpu, reason, clock_now(), vcpu->arch.gpr[BH_RAX]);
	uint32_t state;

	exit_count(vcpu, reason);
	if (reason == VMX_EXIT_CPUID) {
		guest_cpuid(vcpu);
		vmx_skip();
	} else if (reason == VMX_EXIT_VMCALL) {
		/* Who waits gets another one when the wait ends. */
		vcpu->arch.gpr[BH_RAX] = (uint64_t)quick_hypercall(vcpu);
	} else if (reason != VMX_EXIT_IO || !quick_io(vcpu, record)) {
		return EXIT_UNANSWERED;
	}

	state = vcpu->state;
	if (!(cpu->sched.look | state)) {
		cpu->entered = clock_now();
		exit_end(vcpu, record, cpu->entered);
		return EXIT_RESUME;
	}
	return state && vcpu->peer && proceed(cpu, vcpu, vcpu->peer, record) ? EXIT_RESIDENT : EXIT_ANSWERED;
}

/* ---- exit, second stage ----------------------------------------------------------------------- */

/* Not the exited vCPU, nor its peer: the scheduler's choice. Its time, idling too, is not the vCPU's. */
static struct vcpu *choose(struct cpu *cpu, struct vcpu *vcpu, struct trace_record *record)
{
	exit_end(vcpu, record, clock_now());
	vcpu = sched_next(cpu);
	/* Its timer may have stood still for long. */
	vcpu->arch.vmx.armed = VMX_NOT_ARMED;
	prepare(cpu, vcpu, clock_now());
	return vcpu;
}

_Noreturn void vmx_exit(struct vcpu *vcpu, enum exit_stage stage)
{
	struct cpu *cpu = cpu_this();
	struct trace_record *record = cpu->record;
	struct vcpu *next;

	if (stage == EXIT_UNANSWERED)
		vmx_dispatch(cpu, vcpu, record);
	next = vcpu->state && vcpu->peer ? vcpu->peer : vcpu;
	if (!proceed(cpu, vcpu, next, record))
		next = choose(cpu, vcpu, record);
	vmx_enter(next);
}

_Noreturn void vmx_first_entry(struct vcpu *vcpu)
{
	vcpu->arch.vmx.armed = VMX_NOT_ARMED;
	prepare(cpu_this(), vcpu, clock_now());
	vmx_enter(vcpu);
}

/* VMLAUNCH or VMRESUME did not enter: the VMCS breaks a rule for controls or host state (26.2, 30.4). */
_Noreturn void vmx_entry_refused(struct vcpu *vcpu)
{
	uint64_t error = vmread(INSTRUCTION_ERROR);

	report_failure(vcpu, "its entry was refused: VM-instruction error %llu%s (SDM vol. 3, 30.4)",
		       (unsigned long long)error,
		       error == 7   ? ", invalid control field"
		       : error == 8 ? ", invalid host-state field"
				    : "");
	vcpu->state = VCPU_PARKED;
	vmx_first_entry(sched_next(cpu_this()));
}
