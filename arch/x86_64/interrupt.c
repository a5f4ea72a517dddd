#include "interrupt.h"
#include "apic.h"
#include "clock.h"
#include "cpu_this.h"
#include "exception.h"
#include "instructions.h"
#include "irq.h"
#include "log.h"
#include "machine.h"

#define STUB_BYTES 16u

/* Interrupt gate (SDM vol. 3, figure 6-8). */
struct idt_gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct idt_gate) == 16, "SDM vol. 3, figure 6-8");

extern const char interrupt_stubs[];
static struct idt_gate idt[256];

static void set_gate(unsigned vector, unsigned ist)
{
	uint64_t stub = (uint64_t)interrupt_stubs + vector * STUB_BYTES;

	idt[vector] = (struct idt_gate){
		.offset_low = (uint16_t)stub,
		.offset_middle = (uint16_t)(stub >> 16),
		.offset_high = (uint32_t)(stub >> 32),
		.selector = GDT_CODE,
		.ist = (uint8_t)ist,
		.type = 0x8e, /* present, DPL 0, interrupt gate */
	};
}

void interrupt_init(void)
{
	for (unsigned vector = 0; vector < 256; vector++)
		set_gate(vector, 0);
	set_gate(2, IST_NMI);
	set_gate(8, IST_DOUBLE_FAULT);
	set_gate(18, IST_MACHINE_CHECK);
}

void interrupt_load(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (uint64_t)idt };

	__asm__ volatile("lidt %0" : : "m"(idtr));
}

uint64_t interrupt_idt_base(void) { return (uint64_t)idt; }

void interrupt_dispatch(unsigned vector)
{
	cpu_this()->arch.last_vector = vector;
	switch (vector) {
	case VECTOR_TIMER:
		apic_eoi();
		if (clock_timer_due())
			irq_timer();
		break;
	case VECTOR_KICK:
		apic_eoi();
		irq_kick();
		break;
	case VECTOR_DEVICE_FIRST ... VECTOR_DEVICE_LAST:
		apic_eoi();
		irq_device(vector - VECTOR_DEVICE_FIRST);
		break;
	case VECTOR_SPURIOUS: /* no EOI: SDM vol. 3, 11.9 */
	case VECTOR_PIC_FIRST ... VECTOR_DEVICE_FIRST - 1: /* the local APIC knows nothing of it */ break;
	default: apic_eoi(); log_printf("interrupt vector 0x%x came, which the kernel never gave away", vector);
	}
}

void interrupt_nmi(void)
{
	if (machine_stopping())
		cpu_halt();
	cpu_this()->arch.nmis++;
}

/* From the stubs in entry.S. */
void exception_entry(struct interrupt_frame *frame);
void exception_entry(struct interrupt_frame *frame)
{
	if (frame->vector == VECTOR_NMI)
		interrupt_nmi();
	else
		exception_handle(frame);
}

void cpu_idle(void)
{
	/* STI takes effect after HLT has begun: an interrupt that is pending already ends it at
	 * once. */
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}
