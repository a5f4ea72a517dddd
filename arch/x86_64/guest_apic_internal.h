/* guest_apic_internal.h: what the parts of guest_apic share. */
#pragma once
#include "guest_apic.h"
#include "vcpu.h"

#define LVT_READONLY 0x5000u /* delivery status, remote IRR */

#define ESR_SEND_VECTOR	     0x20u /* 11.5.3 */
#define ESR_RECEIVE_VECTOR   0x40u
#define ESR_ILLEGAL_REGISTER 0x80u

static inline uint32_t *guest_apic_register(struct guest_apic *apic, uint32_t offset)
{
	return (uint32_t *)(void *)(apic->page + offset);
}

static inline void guest_apic_attend(struct guest_apic *apic)
{
	atomic_store(&apic->attention, APIC_ATTENTION_SCAN | APIC_ATTENTION_SYNC);
}

/* Own CPU: an edge on this CPU's APIC itself; an illegal vector is noted in ESR. */
void guest_apic_raise(struct guest_apic *apic, unsigned vector);

/* Own CPU: notes the error, and raises the LVT's error interrupt if it is not masked. */
void guest_apic_error(struct guest_apic *apic, uint32_t bit);

/* Own CPU: the LVT entry's event happens. */
void guest_apic_local(struct guest_apic *apic, uint32_t lvt);

/* Own CPU: PPR from TPR and ISR (11.8.3.1), also into the page. */
uint32_t guest_apic_ppr(struct guest_apic *apic);

/* Own CPU: a write to ICR, in the current mode's form. */
void guest_apic_send(struct vcpu *vcpu, uint32_t low, uint32_t high);

/* Own CPU: the timer disarmed, and writes to its registers; of the LVT's, before the page has it. */
void guest_apic_timer_stop(struct vcpu *vcpu);
void guest_apic_timer_set_mode(struct vcpu *vcpu, uint32_t lvt);
void guest_apic_timer_set_initial(struct vcpu *vcpu, uint32_t count);
void guest_apic_timer_set_divide(struct vcpu *vcpu, uint32_t divide);
uint32_t guest_apic_timer_current(struct vcpu *vcpu);
