/* svm_decode.c: the few instructions whose length matters: prefixes, then one of a short list of opcodes. */
#include "svm_decode.h"
#include <bulkhead/abi.h>
#include <stddef.h>
#include "vmcb.h"

#define REX_R 0x4u
#define REX_B 0x1u

static const struct {
	uint8_t code, count, opcode[3];
} instructions[] = {
	{ SVM_EXIT_CPUID, 2, { 0x0f, 0xa2 } },	       { SVM_EXIT_HLT, 1, { 0xf4 } },
	{ SVM_EXIT_MSR, 2, { 0x0f, 0x30 } },	       { SVM_EXIT_MSR, 2, { 0x0f, 0x32 } },
	{ SVM_EXIT_INVD, 2, { 0x0f, 0x08 } },	       { SVM_EXIT_WBINVD, 2, { 0x0f, 0x09 } },
	{ SVM_EXIT_VMMCALL, 3, { 0x0f, 0x01, 0xd9 } }, { SVM_EXIT_XSETBV, 3, { 0x0f, 0x01, 0xd1 } },
};

/* Operand and address size, segments, LOCK, REP (APM vol. 3, 1.2). */
static bool is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64 ... 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3: return true;
	default: return false;
	}
}

/* MOV to or from the control register of the exit code; with LOCK, CR0 means CR8 (APM vol. 3). */
static bool is_move(const uint8_t *opcode, uint8_t rex, uint32_t code, struct svm_instruction *instruction)
{
	unsigned reg = (opcode[2] >> 3 & 7) | (rex & REX_R ? 8 : 0);

	instruction->operand = (uint8_t)((opcode[2] & 7) | (rex & REX_B ? 8 : 0));
	return opcode[0] == 0x0f && opcode[1] == (code >= SVM_EXIT_CR_WRITE ? 0x22 : 0x20) && reg == (code & 0xf);
}

/* INT3, INT n, and INTO, which 64-bit code has not. */
static bool is_int(const uint8_t *opcode, unsigned count, bool code64, struct svm_instruction *instruction,
		   unsigned *bytes)
{
	*bytes = opcode[0] == 0xcd ? 2 : 1;
	if (count < *bytes)
		return false;
	switch (opcode[0]) {
	case 0xcc: instruction->operand = 3; return true;
	case 0xcd: instruction->operand = opcode[1]; return true;
	case 0xce: instruction->operand = 4; return !code64;
	default: return false;
	}
}

static bool is_listed(const uint8_t *opcode, unsigned count, uint32_t code, unsigned *bytes)
{
	for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
		unsigned same = 0;

		*bytes = instructions[i].count;
		while (same < *bytes && same < count && opcode[same] == instructions[i].opcode[same])
			same++;
		if (instructions[i].code == code && same == *bytes)
			return true;
	}
	return false;
}

bool svm_decode(const uint8_t *bytes, unsigned count, bool code64, uint32_t code, struct svm_instruction *instruction)
{
	unsigned at = 0, opcode_bytes = 3;
	uint8_t rex = 0;

	/* A REX counts only right before the opcode (APM vol. 3, 1.2.7); elsewhere it may stand all the same. */
	for (; at < count; at++) {
		if (code64 && (bytes[at] & 0xf0) == 0x40)
			rex = bytes[at];
		else if (is_prefix(bytes[at]))
			rex = 0;
		else
			break;
	}
	instruction->operand = 0;
	if (code < SVM_EXIT_DR_READ) {
		if (count - at < 3 || !is_move(bytes + at, rex, code, instruction))
			return false;
	} else if (code == SVM_EXIT_SWINT) {
		if (at == count || !is_int(bytes + at, count - at, code64, instruction, &opcode_bytes))
			return false;
	} else if (!is_listed(bytes + at, count - at, code, &opcode_bytes)) {
		return false;
	}
	instruction->length = (uint8_t)(at + opcode_bytes);
	return true;
}
