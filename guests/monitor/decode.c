/* decode.c: from Zydis's raw parts to struct decode. */
#include "decode.h"
#include <bulkhead/abi.h>
#include "guests/lib/bh_string.h"
#include <Zydis/Decoder.h>

/* What the opcode alone says. */
struct form {
	uint8_t op;
	bool byte_operand; /* memory operand of 8 bits */
	bool word_operand; /* ... of 16 bits (MOVZX, MOVSX) */
	bool to_memory;
	bool immediate;
	bool accumulator; /* the register is AL, AX, EAX or RAX, and there is no ModRM */
	bool string;
};

static bool init(ZydisDecoder *decoder, unsigned mode)
{
	if (mode == 64)
		return ZYAN_SUCCESS(ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64));
	if (mode == 32)
		return ZYAN_SUCCESS(ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32));
	return ZYAN_SUCCESS(ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16));
}

/* Opcodes 00 to 3D, a block of eight each, and /0 to /7 of group 1: the same eight operations. ADC,
 * SBB are not ours. */
static bool arithmetic(unsigned index, struct form *form)
{
	static const int8_t ops[8] = { DECODE_ADD, DECODE_OR, -1, -1, DECODE_AND, DECODE_SUB, DECODE_XOR, DECODE_CMP };

	if (ops[index] < 0)
		return false;
	form->op = (uint8_t)ops[index];
	return true;
}

static bool form_of_string(unsigned opcode, struct form *form)
{
	form->string = true;
	form->byte_operand = !(opcode & 1);
	switch (opcode & ~1u) {
	case 0xa4: form->op = DECODE_MOVS; return true;
	case 0xaa: form->op = DECODE_STOS; return true;
	case 0x6c: form->op = DECODE_INS; return true;
	case 0x6e: form->op = DECODE_OUTS; return true;
	}
	return false;
}

/* SDM vol. 2, table A-2. */
static bool form_of_one_byte(unsigned opcode, unsigned modrm_reg, struct form *form)
{
	form->byte_operand = !(opcode & 1);
	switch (opcode) {
	case 0x00 ... 0x3f:
		if ((opcode & 7) > 3)
			return false;
		form->to_memory = !(opcode & 2);
		return arithmetic(opcode >> 3, form);
	case 0x80:
	case 0x81:
	case 0x83: form->to_memory = form->immediate = true; return arithmetic(modrm_reg, form);
	case 0x84:
	case 0x85:
		form->op = DECODE_TEST;
		form->to_memory = true;
		return true;
	case 0xf6:
	case 0xf7:
		form->op = DECODE_TEST;
		form->to_memory = form->immediate = true;
		return modrm_reg < 2;
	case 0x86:
	case 0x87:
		form->op = DECODE_XCHG;
		form->to_memory = true;
		return true;
	case 0x88 ... 0x8b:
		form->op = DECODE_MOV;
		form->to_memory = opcode < 0x8a;
		return true;
	case 0xa0 ... 0xa3:
		form->op = DECODE_MOV;
		form->to_memory = opcode >= 0xa2;
		form->accumulator = true;
		return true;
	case 0xc6:
	case 0xc7:
		form->op = DECODE_MOV;
		form->to_memory = form->immediate = true;
		return modrm_reg == 0;
	}
	return form_of_string(opcode, form);
}

/* SDM vol. 2, table A-3; and MOVSXD, which has one byte but belongs here. */
static bool form_of_extension(ZydisOpcodeMap map, unsigned opcode, unsigned mode, struct form *form)
{
	if (map == ZYDIS_OPCODE_MAP_DEFAULT) {
		form->op = DECODE_MOVSX;
		return opcode == 0x63 && mode == 64;
	}
	form->op = opcode < 0xb8 ? DECODE_MOVZX : DECODE_MOVSX;
	form->word_operand = opcode & 1;
	form->byte_operand = !form->word_operand;
	return (opcode & 0xf6) == 0xb6;
}

static bool has_prefix(const ZydisDecodedInstruction *in, uint8_t prefix)
{
	for (unsigned i = 0; i < in->raw.prefix_count; i++)
		if (in->raw.prefixes[i].value == prefix)
			return true;
	return false;
}

static unsigned operand_size(const ZydisDecodedInstruction *in, unsigned mode)
{
	bool other = has_prefix(in, 0x66);

	if (mode == 64 && in->raw.rex.W)
		return 8;
	return (mode == 16) != other ? 2 : 4;
}

static unsigned address_size(const ZydisDecodedInstruction *in, unsigned mode)
{
	bool other = has_prefix(in, 0x67);

	if (mode == 64)
		return other ? 4 : 8;
	return (mode == 16) != other ? 2 : 4;
}

/* Prefixes that matter for strings; the last segment override wins. */
static void set_prefixes(const ZydisDecodedInstruction *in, unsigned mode, struct decode *to)
{
	static const struct {
		uint8_t byte, segment;
	} overrides[] = { { 0x26, BH_ES }, { 0x2e, BH_CS }, { 0x36, BH_SS },
			  { 0x3e, BH_DS }, { 0x64, BH_FS }, { 0x65, BH_GS } };

	to->segment = BH_DS;
	for (unsigned i = 0; i < in->raw.prefix_count; i++) {
		uint8_t byte = in->raw.prefixes[i].value;

		if (byte == 0xf2 || byte == 0xf3)
			to->repeat = true;
		for (unsigned j = 0; j < sizeof(overrides) / sizeof(overrides[0]); j++)
			if (byte == overrides[j].byte && (mode != 64 || byte >= 0x64))
				to->segment = overrides[j].segment;
	}
}

static void set_register(const ZydisDecodedInstruction *in, const struct form *form, bool has_rex, struct decode *to)
{
	if (form->accumulator || form->string)
		return;
	to->reg = (uint8_t)(in->raw.modrm.reg | in->raw.rex.R << 3);
	/* Without REX, byte registers 4 to 7 are AH, CH, DH, BH (SDM vol. 2, table 3-1). */
	if (to->register_size == 1 && !has_rex && to->reg >= 4) {
		to->high_byte = true;
		to->reg -= 4;
	}
}

static void set_sizes(const ZydisDecodedInstruction *in, const struct form *form, unsigned mode, struct decode *to)
{
	unsigned size = operand_size(in, mode);
	bool extends = form->op == DECODE_MOVZX || form->op == DECODE_MOVSX;

	to->size = (uint8_t)(form->byte_operand ? 1 : form->word_operand ? 2 : size);
	if (extends && !form->byte_operand && !form->word_operand)
		to->size = size == 2 ? 2 : 4; /* MOVSXD */
	if ((form->op == DECODE_INS || form->op == DECODE_OUTS) && to->size == 8)
		to->size = 4; /* no port is that wide */
	to->register_size = (uint8_t)(extends ? size : to->size);
	to->address_size = (uint8_t)address_size(in, mode);
}

bool decode(const uint8_t *bytes, unsigned count, unsigned mode, struct decode *to)
{
	ZydisDecoder decoder;
	ZydisDecodedInstruction in;
	struct form form = { 0 };

	if (!init(&decoder, mode) || !ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, count, &in)) ||
	    in.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return false;

	bool two_bytes = in.opcode_map == ZYDIS_OPCODE_MAP_0F;

	if (two_bytes || (in.opcode == 0x63 && in.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT)) {
		if (!form_of_extension(in.opcode_map, in.opcode, mode, &form))
			return false;
	} else if (in.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT || !form_of_one_byte(in.opcode, in.raw.modrm.reg, &form)) {
		return false;
	}
	if (!form.string && !form.accumulator && in.raw.modrm.mod == 3)
		return false; /* no memory operand */

	memset(to, 0, sizeof(*to));
	to->op = form.op;
	to->length = in.length;
	to->to_memory = form.to_memory;
	set_sizes(&in, &form, mode, to);
	set_prefixes(&in, mode, to);
	set_register(&in, &form, in.attributes & ZYDIS_ATTRIB_HAS_REX, to);
	if (form.immediate) {
		to->has_immediate = true;
		to->immediate = in.raw.imm[0].value.u;
		if (in.raw.imm[0].size < 64) /* shorter ones are sign-extended */
			to->immediate = (uint64_t)((int64_t)(to->immediate << (64 - in.raw.imm[0].size)) >>
						   (64 - in.raw.imm[0].size));
	}
	return true;
}
