/* message.c: dispatch. Ports first: they are the bulk, and measured. */
#include "message.h"
#include "emulate.h"
#include "string_io.h"

static void read_msr(struct machine *machine, struct bh_message *message)
{
	if (!pvclock_read(&machine->pvclock, message->vcpu, (uint32_t)message->address, &message->value))
		message->reply = BH_REPLY_GP;
}

static void write_msr(struct machine *machine, struct bh_message *message)
{
	if (!pvclock_write(&machine->pvclock, message->vcpu, (uint32_t)message->address, message->value,
			   message->tsc_offset))
		message->reply = BH_REPLY_GP;
}

void message_handle(struct machine *machine, struct bh_message *message)
{
	if (__builtin_expect(message->reason == BH_MSG_PIO, 1)) {
		if (message->write)
			ports_write(&machine->ports, message->port, message->size, (uint32_t)message->value);
		else
			message->value = ports_read(&machine->ports, message->port, message->size);
		return;
	}

	switch (message->reason) {
	case BH_MSG_PIO_STRING: string_io(machine, message); break;
	case BH_MSG_MMIO: emulate_mmio(machine, message); break;
	case BH_MSG_MSR_READ: read_msr(machine, message); break;
	case BH_MSG_MSR_WRITE: write_msr(machine, message); break;
	case BH_MSG_EOI: ioapic_eoi(&machine->ioapic, (uint8_t)message->value); break;
	default:
		machine_fail(machine, "vCPU %u: message with reason %u, which nobody knows", message->vcpu,
			     message->reason);
	}
}
