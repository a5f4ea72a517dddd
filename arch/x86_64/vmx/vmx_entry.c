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
_Static_assert(offsetof(struct vcpu, arch.resumable) == VCPU_LAUNCHED,
	       "vmx_switch.S relies on it");

#define RFLAGS_IF 0x200u

#define EXCEPTION_GP (INTERRUPTION_VALID | INTERRUPTION_EXCEPTION | INTERRUPTION_ERROR | 13)

void vmx_inject(uint32_t info, uint32_t error_code)
{
	vmwrite(ENTRY_INTERRUPTION_INFO, info);
	if (info & INTERRUPTION_ERROR)
		vmwrite(ENTRY_EXCEPTION_ERROR_CODE, error_code);
}

/* ---- interrupts
 * --------------------------------------------------------------------------------------- */

/* The hardware delivers: it must know the highest requested and serviced vectors, and whose EOI we
 * want. */
static void load_interrupt_status(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->arch.vmx;

	vmwrite(GUEST_INTERRUPT_STATUS, guest_apic_highest_irr(vcpu) | guest_apic_highest_isr(vcpu)
									       << 8);
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

static void prepare_interrupts(struct vcpu *vcpu)
{
	if (vmx_caps.interrupt_delivery) {
		if (guest_apic_sync(vcpu))
			load_interrupt_status(vcpu);
	} else if (vcpu->arch.apic.attention || vcpu->arch.vmx.interrupt_window) {
		guest_apic_sync(vcpu);
		inject_interrupt(vcpu);
	}
}

static void prepare_pending(struct vmx_vcpu *vmx)
{
	if (vmx->pending & VMX_PENDING_SKIP)
		vmx_skip();
	if (vmx->pending & VMX_PENDING_GP)
		vmx_inject(EXCEPTION_GP, 0);
	vmx->pending = 0;
}

/* ---- time
 * -----------------------------------------------------------------------------------------------
 */

static void set_preemption_control(struct vmx_vcpu *vmx, bool on)
{
	if (vmx->preemption_timer == on)
		return;
	vmx->preemption_timer = on;
	vmx->pin ^= PIN_PREEMPTION_TIMER;
	vmwrite(PIN_BASED_CONTROLS, vmx->pin);
}

/* The vCPU must be back when the CPU's next deadline comes. */
static inline void prepare_timer(struct cpu *cpu, struct vmx_vcpu *vmx, uint64_t now)
{
	uint64_t deadline = sched_deadline(&cpu->sched);
	uint64_t ticks;

	if (!vmx_caps.preemption_timer) {
		if (deadline != cpu->arch.timer_deadline)
			clock_set_timer(deadline);
		return;
	}
	if (deadline == TIMER_NEVER) {
		set_preemption_control(vmx, false);
		return;
	}
	set_preemption_control(vmx, true);
	/* Rounded up: never before the deadline. A longer one than 32 bits hold exits once in
	 * between. */
	ticks = deadline > now ? ((deadline - now) >> vmx_caps.preemption_shift) + 1 : 0;
	vmwrite(PREEMPTION_TIMER, ticks > UINT32_MAX ? UINT32_MAX : ticks);
}

void vmx_prepare(struct cpu *cpu, struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->arch.vmx;

	vmx_make_current(vcpu);
	if (vmx->pending)
		prepare_pending(vmx);
	if (vcpu->is_guest)
		prepare_interrupts(vcpu);
	cpu->entered = clock_now();
	prepare_timer(cpu, vmx, cpu->entered);
}

/* ---- refusals
 * --------------------------------------------------------------------------------------------- */

/* VMLAUNCH or VMRESUME did not enter: the VMCS breaks a rule for controls or host state
 * (26.2, 30.4). */
struct vcpu *vmx_entry_refused(struct vcpu *vcpu);

struct vcpu *vmx_entry_refused(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();

	report_failure(vcpu, "its entry was refused: VM-instruction error %llu (SDM vol. 3, 30.4)",
		       (unsigned long long)vmread(INSTRUCTION_ERROR));
	vcpu->state = VCPU_PARKED;
	vcpu = sched_next(cpu);
	vmx_prepare(cpu, vcpu);
	return vcpu;
}
