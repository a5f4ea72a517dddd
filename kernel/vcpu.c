#include "vcpu.h"
#include "interrupt.h"
#include "clock.h"
#include "cpu.h"
#include "cpu_this.h"
#include "event.h"
#include "guest_apic.h"
#include "guest_state.h"
#include "partition.h"
#include "pool.h"
#include "sched.h"
#include "vcpu_switch.h"
#include "virt.h"

/* ---- any CPU ----------------------------------------------------------------------------------
 */

void vcpu_wake(struct vcpu *vcpu)
{
	struct cpu *cpu = cpus[vcpu->cpu];
	struct sched *sched = &cpu->sched;

	if (!atomic_exchange(&vcpu->wake_queued, true)) {
		struct vcpu *first = atomic_load(&sched->wake);

		do
			vcpu->wake_next = first;
		while (!atomic_compare_exchange_weak(&sched->wake, &first, vcpu));
	}
	if (!atomic_exchange(&sched->look, 1) && cpu != cpu_this())
		kick_cpu(cpu->index);
}

void vcpu_request(struct vcpu *vcpu, uint32_t request)
{
	atomic_fetch_or(&vcpu->requests, request);
	vcpu_wake(vcpu);
}

/* ---- its own CPU ------------------------------------------------------------------------------
 */

static struct sched *sched_of(const struct vcpu *vcpu) { return &cpus[vcpu->cpu]->sched; }

void vcpu_set_timer(struct vcpu *vcpu, uint64_t tsc) { timer_set(&sched_of(vcpu)->timers, &vcpu->timer, tsc); }

static void guest_requests(struct vcpu *vcpu)
{
	uint32_t requests = atomic_exchange(&vcpu->requests, 0);

	if (requests & VCPU_REQUEST_INIT) {
		virt->vcpu_reset(vcpu);
		guest_apic_init(vcpu);
		vcpu->state = VCPU_WAIT_SIPI;
	}
	if ((requests & VCPU_REQUEST_SIPI) && vcpu->state == VCPU_WAIT_SIPI) {
		guest_state_startup(vcpu, vcpu->sipi_vector);
		vcpu->state = VCPU_RUNNABLE;
	}
}

static void guest_attend(struct vcpu *vcpu)
{
	/* A monitor's answer still belongs to the state before INIT: first the answer. */
	if (atomic_load(&vcpu->requests) && vcpu->state != VCPU_POSTED && vcpu->state != VCPU_MESSAGE)
		guest_requests(vcpu);
	guest_apic_sync(vcpu);
	if (vcpu->state == VCPU_HALTED && guest_apic_pending(vcpu) >= 0)
		vcpu->state = VCPU_RUNNABLE;
}

void vcpu_attend(struct vcpu *vcpu)
{
	if (vcpu->state == VCPU_OFF || vcpu->state == VCPU_PARKED)
		return;
	if (vcpu->is_guest)
		guest_attend(vcpu);
	else
		event_attend(vcpu);
	sched_wake(sched_of(vcpu), vcpu->entity);
}

static void guest_timer(struct timer *timer)
{
	struct vcpu *vcpu = (struct vcpu *)((char *)timer - offsetof(struct vcpu, timer));

	guest_apic_timer_expired(vcpu);
	vcpu_attend(vcpu);
}

static void wait_timer(struct timer *timer)
{
	struct vcpu *vcpu = (struct vcpu *)((char *)timer - offsetof(struct vcpu, timer));

	if (vcpu->state != VCPU_WAITING)
		return;
	if (vcpu->wait_deadline > clock_now()) {
		vcpu_set_timer(vcpu, vcpu->wait_deadline);
		return;
	}
	event_finish_wait(vcpu, 0);
	sched_wake(sched_of(vcpu), vcpu->entity);
}

void vcpu_start(struct vcpu *vcpu)
{
	vcpu->arch.tsc_offset = 0;
	virt->vcpu_reset(vcpu);
	vcpu->message_reason = BH_MSG_START;
	vcpu->ran = vcpu->kernel = 0;
	for (unsigned reason = 0; reason < 256; reason++)
		vcpu->exits[reason] = 0;

	if (!vcpu->is_guest) {
		vcpu->state = VCPU_RUNNABLE;
		return;
	}
	xstate_init(vcpu->arch.xstate);
	guest_apic_reset(vcpu);
	guest_msr_reset(vcpu);
	vcpu->message->reason = BH_MSG_START;
	vcpu->message->reply = 0;
	vcpu->message->state_out = 0;
	vcpu->state = vcpu->index == 0 ? VCPU_MESSAGE : VCPU_WAIT_SIPI;
}

void vcpu_stop(struct vcpu *vcpu)
{
	struct sched *sched = sched_of(vcpu);

	timer_set(&sched->timers, &vcpu->timer, TIMER_NEVER);
	vcpu->state = VCPU_OFF;
	virt->vcpu_release(vcpu);
	if (sched->loaded == vcpu->entity) {
		vcpu_switch_state(entity_owner(vcpu->entity), NULL);
		sched->loaded = NULL;
	}
}

/* ---- boot --------------------------------------------------------------------------------------
 */

static bool guest_parts(struct vcpu *vcpu)
{
	unsigned pages = (unsigned)((xstate_bytes() + 4095) / 4096);

	vcpu->message = pool_alloc(1);
	vcpu->arch.xstate = pool_alloc(pages);
	return vcpu->message && vcpu->arch.xstate && guest_apic_create(vcpu);
}

struct vcpu *vcpu_create(struct partition *partition, unsigned index, unsigned cpu, bool is_guest)
{
	struct vcpu *vcpu = pool_alloc((sizeof(struct vcpu) + 4095) / 4096);

	if (!vcpu)
		return NULL;
	vcpu->partition = partition;
	vcpu->index = index;
	vcpu->trace_id = partition->id | index << 16;
	vcpu->cpu = cpu;
	vcpu->is_guest = is_guest;
	vcpu->state = VCPU_OFF;
	vcpu->timer.deadline = TIMER_NEVER;
	vcpu->timer.fire = is_guest ? guest_timer : wait_timer;
	if ((is_guest && !guest_parts(vcpu)) || !virt->vcpu_create(vcpu))
		return NULL;
	return vcpu;
}
