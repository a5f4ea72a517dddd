/*
 * irq.h: what interrupts mean to the kernel. Called by interrupt_dispatch (arch/x86_64/interrupt.h)
 * after the EOI, on the CPU that was interrupted, interrupts off: from cpu_idle, or after a VM
 * exit.
 */
#pragma once
#include <stdint.h>

struct vcpu;

void irq_kick(void);	       /* another CPU wants this one to look at its mailbox */
void irq_timer(void);	       /* the time given to clock_set_timer has come */
void irq_device(unsigned irq); /* ISA interrupt `irq`, 0 to 15, routed by ioapic_route_isa */

/* BH_IRQ_BIND: the interrupt of the caller's handle sets an event bit. */
int64_t irq_hypercall_bind(struct vcpu *caller, uint64_t irq, uint64_t vcpu, uint64_t bit);
