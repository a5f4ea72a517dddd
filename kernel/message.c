#include "message.h"
#include "event.h"
#include "vcpu.h"
#include "virt.h"

/* The monitor's vCPU goes on at once, if it waits; otherwise it finds the message when it does. */
static inline void deliver(struct vcpu *guest, enum bh_message_reason reason)
{
	struct vcpu *monitor = guest->peer;

	guest->message_reason = reason;
	if (monitor->state != VCPU_WAITING) {
		vcpu_set_state(guest, VCPU_POSTED);
		return;
	}
	vcpu_set_state(guest, VCPU_MESSAGE);
	event_finish_wait(monitor, (int64_t)BH_EVENT_MESSAGE);
}

void message_pio(struct vcpu *guest, uint16_t port, unsigned size, unsigned write)
{
	struct bh_message *message = guest->message;

	message->reason = BH_MSG_PIO;
	message->port = port;
	message->size = (uint8_t)size;
	message->write = (uint8_t)write;
	message->reply = 0;
	message->state_in = 0;
	message->state_out = 0;
	message->value = guest->arch.gpr[BH_RAX];
	guest->message_size = size;
	deliver(guest, write ? BH_MSG_NONE : BH_MSG_PIO);
}

void message_send(struct vcpu *guest, enum bh_message_reason reason, uint64_t address, uint64_t value, unsigned write,
		  uint32_t groups)
{
	struct bh_message *message = guest->message;

	message->reason = reason;
	message->write = (uint8_t)write;
	message->reply = 0;
	message->value = value;
	message->address = address;
	message->tsc_offset = guest->arch.tsc_offset;
	message->state_in = groups;
	message->state_out = 0;
	if (groups)
		virt->get_state(guest, groups, &message->state);
	deliver(guest, reason);
}

void message_finish_in(struct vcpu *vcpu, unsigned size, uint64_t value)
{
	uint64_t *rax = &vcpu->arch.gpr[BH_RAX];
	uint64_t mask = UINT64_MAX >> (64 - 8 * size);

	*rax = size == 4 ? (uint32_t)value : (*rax & ~mask) | (value & mask);
}

static void answer_msr(struct vcpu *guest, uint32_t reply, uint64_t value)
{
	if (reply & BH_REPLY_GP) {
		virt->inject_gp(guest);
		return;
	}
	if (guest->message_reason == BH_MSG_MSR_READ) {
		guest->arch.gpr[BH_RAX] = (uint32_t)value;
		guest->arch.gpr[BH_RDX] = value >> 32;
	}
	virt->skip(guest);
}

static void answer_state(struct vcpu *guest, const volatile struct bh_message *message)
{
	struct bh_vcpu_state state = ((const struct bh_message *)message)->state;
	uint32_t groups = message->state_out & BH_STATE_ALL;

	if (message->reply & BH_REPLY_GP)
		virt->inject_gp(guest);
	else if (groups)
		virt->set_state(guest, groups, &state);
}

void message_answer(struct vcpu *guest)
{
	const volatile struct bh_message *message = guest->message;

	switch (guest->message_reason) {
	case BH_MSG_PIO: message_finish_in(guest, guest->message_size, message->value); break;
	case BH_MSG_MSR_READ:
	case BH_MSG_MSR_WRITE: answer_msr(guest, message->reply, message->value); break;
	case BH_MSG_START:
	case BH_MSG_MMIO:
	case BH_MSG_PIO_STRING:
	case BH_MSG_REFUSED: answer_state(guest, message); break;
	}
}
