/*
 * The APIC timer (11.5.4). It counts the crystal of CPUID leaf 15h, which is the TSC, through the
 * divider. In the CPU there is one deadline in host TSC, which vcpu_set_timer holds.
 */
#include "guest_apic_internal.h"
#include "clock.h"

/* LVT timer bits 18:17. The fourth value is reserved: such a timer never fires. */
enum timer_mode { MODE_ONE_SHOT, MODE_PERIODIC, MODE_DEADLINE };

/* A periodic timer fires at most 16384 times a second, so that none keeps its CPU busy with it
 * alone. */
#define PERIODS_PER_SECOND_SHIFT 14

unsigned guest_apic_crystal_shift(void) { return clock_hz > UINT32_MAX; }

static uint32_t mode_of(struct guest_apic *apic) { return *guest_apic_register(apic, APIC_LVT_TIMER) >> 17 & 3; }

/* TSC ticks per count, as a power of 2. */
static unsigned shift_of(struct guest_apic *apic)
{
	uint32_t divide = *guest_apic_register(apic, APIC_DIVIDE);
	uint32_t code = (divide & 3) | (divide >> 1 & 4); /* figure 11-10: 0 is 2, 6 is 128, 7 is 1 */

	return ((code + 1) & 7) + guest_apic_crystal_shift();
}

void guest_apic_timer_stop(struct vcpu *vcpu)
{
	vcpu->arch.apic.deadline = 0;
	vcpu->arch.apic.expires = 0;
	vcpu_set_timer(vcpu, TIMER_NEVER);
}

/* ---- one-shot, periodic ---- */

static uint64_t period(struct guest_apic *apic)
{
	uint64_t ticks = (uint64_t)*guest_apic_register(apic, APIC_INITIAL) << shift_of(apic);
	uint64_t least = clock_hz >> PERIODS_PER_SECOND_SHIFT;

	return ticks > least ? ticks : least;
}

static void count(struct vcpu *vcpu, uint64_t expires)
{
	vcpu->arch.apic.expires = expires;
	vcpu_set_timer(vcpu, expires);
}

static void count_expired(struct vcpu *vcpu, uint64_t now)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	uint64_t ticks, expires = apic->expires;

	if (mode_of(apic) == MODE_PERIODIC) {
		/* Periods that passed while the vCPU did not run are lost. */
		ticks = period(apic);
		count(vcpu, expires + ticks * ((now - expires) / ticks + 1));
	} else {
		guest_apic_timer_stop(vcpu);
	}
	guest_apic_local(&vcpu->arch.apic, APIC_LVT_TIMER);
}

uint32_t guest_apic_timer_current(struct vcpu *vcpu)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	uint64_t now = clock_now();

	return apic->expires > now ? (uint32_t)((apic->expires - now) >> shift_of(apic)) : 0;
}

void guest_apic_timer_set_initial(struct vcpu *vcpu, uint32_t initial)
{
	struct guest_apic *apic = &vcpu->arch.apic;

	if (mode_of(apic) == MODE_DEADLINE)
		return;
	*guest_apic_register(apic, APIC_INITIAL) = initial;
	if (initial)
		count(vcpu, clock_now() + ((uint64_t)initial << shift_of(apic)));
	else
		guest_apic_timer_stop(vcpu);
}

void guest_apic_timer_set_divide(struct vcpu *vcpu, uint32_t divide)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	uint32_t left = guest_apic_timer_current(vcpu);

	*guest_apic_register(apic, APIC_DIVIDE) = divide;
	if (apic->expires)
		count(vcpu, clock_now() + ((uint64_t)left << shift_of(apic)));
}

/* ---- TSC deadline ---- */

/* Arms the host's timer for the guest's deadline, or fires if it has passed. */
static void arm_deadline(struct vcpu *vcpu)
{
	uint64_t now = clock_now(), guest_now = now + vcpu->arch.tsc_offset;
	uint64_t ahead = vcpu->arch.apic.deadline - guest_now;

	if (vcpu->arch.apic.deadline <= guest_now) {
		guest_apic_timer_stop(vcpu);
		guest_apic_local(&vcpu->arch.apic, APIC_LVT_TIMER);
		return;
	}
	vcpu_set_timer(vcpu, ahead < TIMER_NEVER - now ? now + ahead : TIMER_NEVER - 1);
}

uint64_t guest_apic_deadline(struct vcpu *vcpu) { return vcpu->arch.apic.deadline; }

void guest_apic_set_deadline(struct vcpu *vcpu, uint64_t deadline)
{
	if (mode_of(&vcpu->arch.apic) != MODE_DEADLINE)
		return;
	vcpu->arch.apic.deadline = deadline;
	guest_apic_tsc_changed(vcpu);
	if (!deadline)
		guest_apic_timer_stop(vcpu);
}

void guest_apic_tsc_changed(struct vcpu *vcpu)
{
	if (vcpu->arch.apic.deadline)
		arm_deadline(vcpu);
}

/* ---- both ---- */

void guest_apic_timer_set_mode(struct vcpu *vcpu, uint32_t lvt)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	uint32_t mode = lvt >> 17 & 3, old = mode_of(apic);

	/* 11.5.4.1: to TSC deadline or away from it disarms; between the other two the count goes on. */
	if (mode != old && (mode >= MODE_DEADLINE || old >= MODE_DEADLINE)) {
		guest_apic_timer_stop(vcpu);
		*guest_apic_register(apic, APIC_INITIAL) = 0;
	}
}

void guest_apic_timer_expired(struct vcpu *vcpu)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	uint64_t now = clock_now();

	if (apic->deadline)
		arm_deadline(vcpu);
	else if (apic->expires && apic->expires <= now)
		count_expired(vcpu, now);
	else if (apic->expires)
		vcpu_set_timer(vcpu, apic->expires);
}
