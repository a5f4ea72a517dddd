/* message.c: dispatch. Ports first: they are the bulk, and measured. */
#include "message.h"
#include "emulate.h"
#include "entry_rules.h"
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

/* The kernel's part of the report has the general registers; what most rules are about is added. */
static _Noreturn void refused(const struct machine *machine, const struct bh_message *message)
{
	static const char name[BH_SEGMENTS][5] = { "es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr" };
	const struct bh_vcpu_state *state = &message->state;
	struct entry_offer offer = { .cr4 = (uint32_t)message->value,
				     .efer = message->value >> 32,
				     .address_bits = (unsigned)message->address };
	const char *rule =
		message->write ? entry_rules_broken_svm(state, &offer) : entry_rules_broken_vmx(state, &offer);

	bh_report("vCPU %u  rip %lx  rflags %lx  cr0 %lx  cr3 %lx  cr4 %lx  efer %lx\n", message->vcpu, state->rip,
		  state->rflags, state->cr0, state->cr3, state->cr4, state->efer);
	for (unsigned i = 0; i < BH_SEGMENTS; i++)
		bh_report("  %-4s %04x  base %lx  limit %x  access %x\n", name[i], state->segment[i].selector,
			  state->segment[i].base, state->segment[i].limit, state->segment[i].access);
	machine_fail(machine, "invalid guest state: %s",
		     rule ? rule : "the CPU refused to enter it (SDM vol. 3, 26.3; APM vol. 2, 15.5.1)");
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
	case BH_MSG_REFUSED: refused(machine, message);
	default:
		machine_fail(machine, "vCPU %u: message with reason %u, which nobody knows", message->vcpu,
			     message->reason);
	}
}
