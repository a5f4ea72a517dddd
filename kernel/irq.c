#include "irq.h"
#include <stdatomic.h>
#include "cpu_this.h"
#include "event.h"
#include "handle.h"
#include "interrupt.h"
#include "ioapic.h"
#include "partition.h"
#include "vcpu.h"

#define ISA_IRQS 16

/* Who hears of an interrupt; 0: nobody. Written by the holder's CPU, read by the one that is
 * interrupted. */
struct binding {
	struct vcpu *_Atomic vcpu;
	_Atomic uint64_t mask;
};

static struct binding bindings[ISA_IRQS];

void irq_kick(void) { atomic_store(&cpu_this()->sched.look, 1); }

void irq_timer(void) { atomic_store(&cpu_this()->sched.look, 1); }

void irq_device(unsigned irq)
{
	struct vcpu *vcpu = atomic_load(&bindings[irq].vcpu);

	/* Until its holder has served the device it would come again and again, and leave the CPU to nobody. */
	if (ioapic_is_level(irq))
		ioapic_mask(irq, true);
	if (vcpu)
		event_signal(vcpu, atomic_load(&bindings[irq].mask));
}

int64_t irq_hypercall_bind(struct vcpu *caller, uint64_t value, uint64_t vcpu, uint64_t bit)
{
	struct handle *handle;
	int64_t error = handle_lookup(caller, value, BH_HANDLE_IRQ, BH_RIGHT_USE, &handle);
	struct partition *holder = caller->partition;
	struct binding *binding;
	unsigned irq;

	if (error)
		return error;
	irq = handle->number;
	if (vcpu >= holder->vcpus || bit >= BH_EVENT_BITS)
		return -BH_EINVAL;
	if (!ioapic_route_isa(irq, VECTOR_DEVICE_FIRST + irq, holder->vcpu[vcpu]->cpu))
		return -BH_ENOENT;

	binding = &bindings[irq];
	atomic_store(&binding->mask, 1ull << bit);
	atomic_store(&binding->vcpu, holder->vcpu[vcpu]);
	ioapic_mask(irq, false);
	return 0;
}
