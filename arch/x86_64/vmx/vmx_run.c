#include "clock.h"
#include "cpu_this.h"
#include "guest_apic.h"
#include "report.h"
#include "trace.h"
#include "vcpu.h"
#include "vmx.h"
#include "vmx_offsets.h"

_Static_assert(offsetof(struct cpu, arch) + offsetof(struct arch_cpu, stack_top) == CPU_STACK_TOP,
	       "vmx_switch.S relies on it");
_Static_assert(offsetof(struct vcpu, arch.resumable) == VCPU_LAUNCHED, "vmx_switch.S relies on it");

#define RFLAGS_IF 0x200u

#define EXCEPTION_GP (INTERRUPTION_VALID | INTERRUPTION_EXCEPTION | INTERRUPTION_ERROR | 13)

void vmx_inject(uint32_t info, uint32_t error_code)
{
	vmwrite(ENTRY_INTERRUPTION_INFO, info);
	if (info & INTERRUPTION_ERROR)
		vmwrite(ENTRY_EXCEPTION_ERROR_CODE, error_code);
}

/* ---- interrupts -------------------------------------------------------------------------------- */

/* The hardware delivers: it must know the highest requested and serviced vectors, and whose EOI we
 * want. */
static void load_interrupt_status(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->arch.vmx;

	vmwrite(GUEST_INTERRUPT_STATUS, guest_apic_highest_irr(vcpu) | guest_apic_highest_isr(vcpu) << 8);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t wanted = guest_apic_tmr(vcpu, i);

		if (wanted != vmx->eoi_exit[i]) {
			vmx->eoi_exit[i] = wanted;
			vmwrite(EOI_EXIT_BITMAP_0 + 2 * i, wanted);
		}
	}
}

static void set_interrupt_window(struct vmx_vcpu *vmx, bool open)
{
	if (vmx->interrupt_window == open)
		return;
	vmx->interrupt_window = open;
	vmx->primary ^= PRIMARY_INTERRUPT_WINDOW;
	vmwrite(PRIMARY_CONTROLS, vmx->primary);
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
	bool open = !busy && (vmread(GUEST_RFLAGS) & RFLAGS_IF) &&
		    !(vmread(GUEST_INTERRUPTIBILITY) & INTERRUPTIBILITY_STI_MOV_SS);

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
	} else if (guest_apic_sync(vcpu)) {
		load_interrupt_status(vcpu);
	}
}

/* ---- time ------------------------------------------------------------------------------------ */

static void set_preemption_control(struct vmx_vcpu *vmx, bool on)
{
	if (vmx->preemption_timer == on)
		return;
	vmx->preemption_timer = on;
	vmx->pin ^= PIN_PREEMPTION_TIMER;
	vmwrite(PIN_BASED_CONTROLS, vmx->pin);
	if (vmx_caps.preemption_saved) /* only together (26.2.1.2) */
		vmwrite(EXIT_CONTROLS, vmread(EXIT_CONTROLS) ^ EXIT_SAVE_PREEMPTION_TIMER);
}

/*
 * The vCPU must be back when the CPU's next deadline comes. Where the CPU saves the preemption timer at exits, it goes
 * on counting at the next entry, so a deadline is loaded once; the short time in the kernel between two entries makes
 * it fire that much later, never earlier.
 */
static void arm(struct cpu *cpu, struct vmx_vcpu *vmx, uint64_t deadline)
{
	uint64_t now = clock_now();
	uint64_t ticks = deadline > now ? ((deadline - now) >> vmx_caps.preemption_shift) + 1 : 0;

	if (!vmx_caps.preemption_timer) {
		if (deadline != cpu->arch.timer_deadline)
			clock_set_timer(deadline);
		vmx->armed = deadline;
		return;
	}
	set_preemption_control(vmx, deadline != TIMER_NEVER);
	/* What 32 bits do not hold exits once in between. */
	if (deadline != TIMER_NEVER)
		vmwrite(PREEMPTION_TIMER, ticks > UINT32_MAX ? UINT32_MAX : ticks);
	vmx->armed = vmx_caps.preemption_saved ? deadline : VMX_NOT_ARMED;
}

/* ---- entry ----------------------------------------------------------------------------------- */

/* Another vCPU than the one that exited: its VMCS, and its timer, which stood still meanwhile. */
static void make_resident(struct cpu *cpu, struct vcpu *vcpu)
{
	cpu->resident = vcpu;
	vmptrld(vcpu->arch.vmx.vmcs);
	vcpu->arch.vmx.armed = VMX_NOT_ARMED;
}

void vmx_make_current(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();

	if (cpu->resident != vcpu)
		make_resident(cpu, vcpu);
}

static void prepare_pending(struct vmx_vcpu *vmx)
{
	if (vmx->pending & VMX_PENDING_SKIP)
		vmx_skip();
	if (vmx->pending & VMX_PENDING_GP)
		vmx_inject(EXCEPTION_GP, 0);
	vmx->pending = 0;
}

static inline void prepare(struct cpu *cpu, struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->arch.vmx;
	uint64_t deadline;

	if (cpu->resident != vcpu)
		make_resident(cpu, vcpu);
	if (vmx->pending)
		prepare_pending(vmx);
	/* Natives have no APIC: theirs never asks for anything. */
	if (atomic_load_explicit(&vcpu->arch.apic.attention, memory_order_relaxed) | vmx->interrupt_window)
		prepare_interrupts(vcpu);
	deadline = sched_deadline(&cpu->sched);
	if (deadline != vmx->armed)
		arm(cpu, vmx, deadline);
}

/* ---- exit ------------------------------------------------------------------------------------ */

static inline struct trace_record *trace_begin(struct cpu *cpu, struct vcpu *vcpu, uint32_t reason)
{
	struct trace *trace = cpu->trace;
	struct trace_record *record = &trace->record[trace->count++ % TRACE_RECORDS];
	unsigned public = (uint16_t)reason < VMX_EXIT_REASONS ? vmx_public_reason[(uint16_t)reason] : 0;

	record->tsc = clock_now();
	record->detail = 0;
	record->who = vcpu->trace_id | public << 24;
	vcpu->exits[public]++;
	vcpu->ran += record->tsc - cpu->entered;
	return record;
}

/*
 * The exited vCPU cannot simply go on, or something wants attention. To the guest's monitor and back it is a step;
 * all else is the scheduler's, whose time, idling too, is not the vCPU's.
 */
static struct vcpu *choose(struct cpu *cpu, struct vcpu *vcpu, struct trace_record *record)
{
	struct vcpu *peer = vcpu->peer;
	uint64_t now;

	if (!cpu->sched.look && peer && peer->state == VCPU_RUNNABLE)
		return peer;
	now = clock_now();
	vcpu->kernel += now - record->tsc;
	vcpu = sched_next(cpu);
	vcpu->kernel -= clock_now() - record->tsc; /* the caller adds what has passed since the exit */
	return vcpu;
}

_Noreturn void vmx_exit(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();
	uint32_t reason = (uint32_t)vmread(EXIT_REASON);
	struct trace_record *record = trace_begin(cpu, vcpu, reason);

	vcpu->arch.resumable = true;
	vmx_dispatch(cpu, vcpu, reason, record);

	if (__builtin_expect(cpu->sched.look | (vcpu->state ^ VCPU_RUNNABLE), 0))
		vcpu = choose(cpu, vcpu, record);
	prepare(cpu, vcpu);
	cpu->entered = clock_now();
	record->duration = (uint32_t)(cpu->entered - record->tsc);
	vcpu->kernel += cpu->entered - record->tsc;
	vmx_enter(vcpu);
}

_Noreturn void vmx_first_entry(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();

	prepare(cpu, vcpu);
	cpu->entered = clock_now();
	vmx_enter(vcpu);
}

/* VMLAUNCH or VMRESUME did not enter: the VMCS breaks a rule for controls or host state (26.2, 30.4). */
_Noreturn void vmx_entry_refused(struct vcpu *vcpu)
{
	report_failure(vcpu, "its entry was refused: VM-instruction error %llu (SDM vol. 3, 30.4)",
		       (unsigned long long)vmread(INSTRUCTION_ERROR));
	vcpu->state = VCPU_PARKED;
	vmx_first_entry(sched_next(cpu_this()));
}
