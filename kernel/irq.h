/*
 * irq.h: what interrupts mean to the kernel. Called by interrupt_dispatch (arch/x86_64/interrupt.h)
 * after the EOI, on the CPU that was interrupted, interrupts off: from cpu_idle, or after a VM
 * exit.
 *
 * Interrupts of devices have numbers: 0 to 15 are ISA's, by the I/O APIC; the others are messages of PCI devices.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define IRQ_ISA 16u

struct vcpu;

void irq_kick(void);	       /* another CPU wants this one to look at its mailbox */
void irq_timer(void);	       /* the time given to clock_set_timer has come */
void irq_device(unsigned irq); /* the vector of interrupt `irq` has come */

/* Takes ISA interrupt `irq` for one holder; false: another has it. At boot. */
bool irq_take(unsigned irq);
/* Takes up to `most` messages in a row, `*first` and on; how many there were. At boot. */
unsigned irq_take_messages(unsigned most, unsigned *first);

/* From now on it sets event `bit` of `vcpu`; NULL: nobody hears of it. */
void irq_set(unsigned irq, struct vcpu *vcpu, unsigned bit);
/* And for one of ISA: routes it to the vCPU's CPU and unmasks it. False: no I/O APIC can. */
bool irq_set_isa(unsigned irq, struct vcpu *vcpu, unsigned bit);
/* The vector that stands for it. */
unsigned irq_vector(unsigned irq);

/* BH_IRQ_BIND: ISA interrupt `irq`, which the caller has, sets an event bit. */
int64_t irq_hypercall_bind(struct vcpu *caller, unsigned irq, uint64_t vcpu, uint64_t bit);
