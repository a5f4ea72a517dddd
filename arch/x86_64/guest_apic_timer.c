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

unsigned guest_apic_crystal_shift(void)
{
	return clock_hz > UINT32_MAX;
}

static void stop(struct vcpu *vcpu)
{
	vcpu->arch.apic.deadline = 0;
	vcpu->arch.apic.expires = 0;
	vcpu_set_timer(vcpu, TIMER_NEVER);
}

static void fire(struct vcpu *vcpu)
{
	guest_apic_local(&vcpu->arch.apic, APIC_LVT_TIMER);
}

/* ---- one-shot, periodic ---- */

static uint64_t period(struct guest_apic *apic)
{
	uint64_t ticks = (uint64_t)*guest_apic_register(apic, APIC_INITIAL) << apic->timer_shift;
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

	if (apic->timer_mode == MODE_PERIODIC) {
		/* Periods that passed while the vCPU did not run are lost. */
		ticks = period(apic);
		count(vcpu, expires + ticks * ((now - expires) / ticks + 1));
	} else {
		stop(vcpu);
	}
	fire(vcpu);
}

uint32_t guest_apic_timer_current(struct vcpu *vcpu)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	uint64_t now = clock_now();

	return apic->expires > now ? (uint32_t)((apic->expires - now) >> apic->timer_shift) : 0;
}

void guest_apic_timer_set_initial(struct vcpu *vcpu, uint32_t initial)
{
	struct guest_apic *apic = &vcpu->arch.apic;

	if (apic->timer_mode == MODE_DEADLINE)
		initial = 0;
	*guest_apic_register(apic, APIC_INITIAL) = initial;
	if (apic->timer_mode == MODE_DEADLINE)
		return;
	if (initial)
		count(vcpu, clock_now() + ((uint64_t)initial << apic->timer_shift));
	else
		stop(vcpu);
}

void guest_apic_timer_set_divide(struct vcpu *vcpu, uint32_t divide)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	uint32_t code = (divide & 3) | (divide >> 1 & 4); /* figure 11-10: 0 is 2, 6 is 128, 7 is 1 */
	uint32_t left = guest_apic_timer_current(vcpu);

	apic->timer_shift = ((code + 1) & 7) + guest_apic_crystal_shift();
	if (apic->expires)
		count(vcpu, clock_now() + ((uint64_t)left << apic->timer_shift));
}

/* ---- TSC deadline ---- */

/* Arms the host's timer for the guest's deadline, or fires if it has passed. */
static void arm_deadline(struct vcpu *vcpu)
{
	uint64_t now = clock_now(), guest_now = now + vcpu->arch.tsc_offset;
	uint64_t ahead = vcpu->arch.apic.deadline - guest_now;

	if (vcpu->arch.apic.deadline <= guest_now) {
		stop(vcpu);
		fire(vcpu);
		return;
	}
	vcpu_set_timer(vcpu, ahead < TIMER_NEVER - now ? now + ahead : TIMER_NEVER - 1);
}

uint64_t guest_apic_deadline(struct vcpu *vcpu)
{
	return vcpu->arch.apic.deadline;
}

void guest_apic_set_deadline(struct vcpu *vcpu, uint64_t deadline)
{
	if (vcpu->arch.apic.timer_mode != MODE_DEADLINE)
		return;
	vcpu->arch.apic.deadline = deadline;
	guest_apic_tsc_changed(vcpu);
	if (!deadline)
		stop(vcpu);
}

void guest_apic_tsc_changed(struct vcpu *vcpu)
{
	if (vcpu->arch.apic.deadline)
		arm_deadline(vcpu);
}

/* ---- both ---- */

void guest_apic_timer_set_lvt(struct vcpu *vcpu, uint32_t lvt)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	uint32_t mode = lvt >> 17 & 3;

	/* 11.5.4.1: to TSC deadline or away from it disarms; between the other two the count goes
	 * on. */
	if (mode != apic->timer_mode && (mode >= MODE_DEADLINE || apic->timer_mode >= MODE_DEADLINE)) {
		stop(vcpu);
		*guest_apic_register(apic, APIC_INITIAL) = 0;
	}
	apic->timer_mode = mode;
}

void guest_apic_timer_reset(struct vcpu *vcpu)
{
	stop(vcpu);
	vcpu->arch.apic.timer_mode = MODE_ONE_SHOT;
	guest_apic_timer_set_divide(vcpu, 0);
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
