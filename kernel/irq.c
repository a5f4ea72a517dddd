#include "irq.h"
#include <stdatomic.h>
#include "cpu_this.h"
#include "event.h"
#include "interrupt.h"
#include "ioapic.h"
#include "partition.h"
#include "vcpu.h"

#define IRQS (VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1)

/* Who hears of an interrupt; 0: nobody. Written by the holder's CPU, read by the one that is
 * interrupted. */
struct binding {
	struct vcpu *_Atomic vcpu;
	_Atomic uint64_t mask;
};

static struct binding bindings[IRQS];
static uint32_t isa_taken;
static unsigned messages_taken;

void irq_kick(void) { atomic_store(&cpu_this()->sched.look, 1); }

void irq_timer(void) { atomic_store(&cpu_this()->sched.look, 1); }

void irq_device(unsigned irq)
{
	struct vcpu *vcpu = atomic_load(&bindings[irq].vcpu);

	/* Until its holder has served the device it would come again and again, and leave the CPU to nobody. */
	if (irq < IRQ_ISA && ioapic_is_level(irq))
		ioapic_mask(irq, true);
	if (vcpu)
		event_signal(vcpu, atomic_load(&bindings[irq].mask));
}

bool irq_take(unsigned irq)
{
	bool taken = isa_taken >> irq & 1;

	isa_taken |= 1u << irq;
	return !taken;
}

unsigned irq_take_messages(unsigned most, unsigned *first)
{
	unsigned left = IRQS - IRQ_ISA - messages_taken, count = most < left ? most : left;

	*first = IRQ_ISA + messages_taken;
	messages_taken += count;
	return count;
}

unsigned irq_vector(unsigned irq) { return VECTOR_DEVICE_FIRST + irq; }

void irq_set(unsigned irq, struct vcpu *vcpu, unsigned bit)
{
	atomic_store(&bindings[irq].mask, 1ull << bit);
	atomic_store(&bindings[irq].vcpu, vcpu);
}

bool irq_set_isa(unsigned irq, struct vcpu *vcpu, unsigned bit)
{
	if (!ioapic_route_isa(irq, irq_vector(irq), vcpu->cpu))
		return false;
	irq_set(irq, vcpu, bit);
	ioapic_mask(irq, false);
	return true;
}

int64_t irq_hypercall_bind(struct vcpu *caller, unsigned irq, uint64_t vcpu, uint64_t bit)
{
	struct partition *holder = caller->partition;

	if (vcpu >= holder->vcpus || bit >= BH_EVENT_BITS)
		return -BH_EINVAL;
	return irq_set_isa(irq, holder->vcpu[vcpu], (unsigned)bit) ? 0 : -BH_ENOENT;
}
