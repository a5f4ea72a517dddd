/* interrupt.h: exceptions and interrupts. */
#pragma once
#include <stdint.h>

enum interrupt_vector {
	VECTOR_NMI = 2,
	VECTOR_PIC_FIRST = 0x20,    /* the masked 8259s' spurious interrupts: 0x20 to 0x2f */
	VECTOR_DEVICE_FIRST = 0x30, /* + irq.h's number: ISA interrupts, then messages of PCI devices */
	VECTOR_DEVICE_LAST = 0xdf,
	VECTOR_TIMER = 0xf0,
	VECTOR_KICK = 0xf1,
	VECTOR_SPURIOUS = 0xff,
};

/* What the stubs in entry.S push (SDM vol. 3, figure 6-9). */
struct interrupt_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Fills the one IDT that all CPUs share. Once, before the first arch_cpu_load. */
void interrupt_init(void);

/* Loads IDTR of the calling CPU. */
void interrupt_load(void);

/* Base of the IDT, for the VMCS. */
uint64_t interrupt_idt_base(void);

/*
 * Handles external interrupt `vector` (>= 0x20): EOI where one is due, then the hooks of
 * kernel/irq.h. For the stubs, and for VM exits that have acknowledged an interrupt. Interrupts
 * off.
 */
void interrupt_dispatch(unsigned vector);

/* Handles an NMI: counts it, or stops this CPU if a panic or the machine's end asks for it. Also
 * for VM exits. */
void interrupt_nmi(void);

/* Makes another CPU come back to the kernel: ends its idling, or its vCPU's run, at once. Any CPU, interrupts off. */
void kick_cpu(unsigned index);

/* Waits for an interrupt and handles it: the only place where root mode has interrupts on. Returns
 * after each. */
void cpu_idle(void);
