/* emulate.c: moves, arithmetic and strings on device memory. */
#include "emulate.h"
#include "instruction.h"
#include "mmio.h"

#define FLAG_CF 0x001u
#define FLAG_PF 0x004u
#define FLAG_AF 0x010u
#define FLAG_ZF 0x040u
#define FLAG_SF 0x080u
#define FLAG_OF 0x800u
#define FLAGS	(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

/* a OP b, and the flags (SDM vol. 1, 3.4.3.1). AF is undefined after logic; here it is 0. */
static uint64_t compute(unsigned op, uint64_t a, uint64_t b, unsigned size, uint64_t *flags)
{
	uint64_t sign = 1ull << (8 * size - 1), mask = sign | (sign - 1), result, set = 0;

	a &= mask;
	b &= mask;
	switch (op) {
	case DECODE_ADD:
		result = (a + b) & mask;
		set |= result < a ? FLAG_CF : 0;
		set |= ~(a ^ b) & (a ^ result) & sign ? FLAG_OF : 0;
		set |= (a ^ b ^ result) & FLAG_AF;
		break;
	case DECODE_SUB:
	case DECODE_CMP:
		result = (a - b) & mask;
		set |= a < b ? FLAG_CF : 0;
		set |= (a ^ b) & (a ^ result) & sign ? FLAG_OF : 0;
		set |= (a ^ b ^ result) & FLAG_AF;
		break;
	case DECODE_OR: result = a | b; break;
	case DECODE_XOR: result = a ^ b; break;
	default: /* AND, TEST */ result = a & b;
	}
	set |= result ? 0 : FLAG_ZF;
	set |= result & sign ? FLAG_SF : 0;
	set |= __builtin_parity((unsigned)result & 0xff) ? 0 : FLAG_PF;
	*flags = (*flags & ~(uint64_t)FLAGS) | set;
	return result;
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned shift = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

static void arithmetic(struct machine *machine, struct bh_message *message, const struct decode *decode,
		       uint64_t operand)
{
	struct bh_vcpu_state *state = &message->state;
	uint64_t memory = mmio_read(machine, message->vcpu, message->address, decode->size);
	uint64_t a = decode->to_memory ? memory : operand, b = decode->to_memory ? operand : memory;
	uint64_t result = compute(decode->op, a, b, decode->size, &state->rflags);

	if (decode->op == DECODE_CMP || decode->op == DECODE_TEST)
		return;
	if (decode->to_memory)
		mmio_write(machine, message->vcpu, message->address, decode->size, result);
	else
		instruction_set_register(state, decode, result);
}

static void exchange(struct machine *machine, struct bh_message *message, const struct decode *decode, uint64_t operand)
{
	uint64_t memory = mmio_read(machine, message->vcpu, message->address, decode->size);

	mmio_write(machine, message->vcpu, message->address, decode->size, operand);
	instruction_set_register(&message->state, decode, memory);
}

static void move(struct machine *machine, struct bh_message *message, const struct decode *decode, uint64_t operand)
{
	uint64_t value;

	if (decode->to_memory) {
		mmio_write(machine, message->vcpu, message->address, decode->size, operand);
		return;
	}
	value = mmio_read(machine, message->vcpu, message->address, decode->size);
	if (decode->op == DECODE_MOVSX)
		value = sign_extend(value, decode->size);
	instruction_set_register(&message->state, decode, value);
}

static bool element_movs(struct machine *machine, struct bh_message *message, const struct decode *decode)
{
	struct bh_vcpu_state *state = &message->state;
	uint64_t value;

	if (!instruction_access(machine, message, decode, decode->segment, BH_RSI, &value, false) ||
	    !instruction_access(machine, message, decode, BH_ES, BH_RDI, &value, true))
		return false;
	instruction_step(state, decode, BH_RSI);
	instruction_step(state, decode, BH_RDI);
	return true;
}

static bool element_stos(struct machine *machine, struct bh_message *message, const struct decode *decode)
{
	uint64_t value = message->state.gpr[BH_RAX];

	if (!instruction_access(machine, message, decode, BH_ES, BH_RDI, &value, true))
		return false;
	instruction_step(&message->state, decode, BH_RDI);
	return true;
}

void emulate_mmio(struct machine *machine, struct bh_message *message)
{
	struct decode decode;
	uint64_t operand;

	if (!instruction_get(machine, message, &decode))
		return;
	operand = decode.has_immediate ? decode.immediate : instruction_register(&message->state, &decode);
	switch (decode.op) {
	case DECODE_MOVS: instruction_repeat(machine, message, &decode, element_movs); return;
	case DECODE_STOS: instruction_repeat(machine, message, &decode, element_stos); return;
	case DECODE_INS:
	case DECODE_OUTS:
		return; /* its port is asked first; the address was another vCPU's change: try again
			 */
	case DECODE_MOV:
	case DECODE_MOVZX:
	case DECODE_MOVSX: move(machine, message, &decode, operand); break;
	case DECODE_XCHG: exchange(machine, message, &decode, operand); break;
	default: arithmetic(machine, message, &decode, operand);
	}
	instruction_finish(message, &decode);
}
