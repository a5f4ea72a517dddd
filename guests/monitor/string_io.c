/* string_io.c: port accesses that read or write the guest's memory. */
#include "string_io.h"
#include "instruction.h"

static bool element_ins(struct machine *machine, struct bh_message *message, const struct decode *decode)
{
	uint64_t value;

	/* A port's read may have an effect, so the memory is looked at first. */
	if (!instruction_can_write(machine, message, decode, BH_ES, BH_RDI))
		return false;
	value = ports_read(&machine->ports, message->port, decode->size);
	instruction_access(machine, message, decode, BH_ES, BH_RDI, &value, true);
	instruction_step(&message->state, decode, BH_RDI);
	return true;
}

static bool element_outs(struct machine *machine, struct bh_message *message, const struct decode *decode)
{
	uint64_t value;

	if (!instruction_access(machine, message, decode, decode->segment, BH_RSI, &value, false))
		return false;
	ports_write(&machine->ports, message->port, decode->size, (uint32_t)value);
	instruction_step(&message->state, decode, BH_RSI);
	return true;
}

void string_io(struct machine *machine, struct bh_message *message)
{
	struct decode decode;

	if (!instruction_get(machine, message, &decode))
		return;
	if (decode.op == DECODE_INS)
		instruction_repeat(machine, message, &decode, element_ins);
	else if (decode.op == DECODE_OUTS)
		instruction_repeat(machine, message, &decode, element_outs);
	/* Else another vCPU has changed the instruction since: the guest tries again. */
}
