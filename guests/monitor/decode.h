/*
 * decode.h: instructions that touch devices, in a form that is easy to carry out.
 *
 * Zydis finds prefixes, opcode, ModRM, displacement and immediate; which operand is where follows
 * from the opcode (SDM vol. 2, appendix A).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define DECODE_BYTES_MAX 15

enum decode_op {
	DECODE_MOV,
	DECODE_MOVZX,
	DECODE_MOVSX,
	DECODE_XCHG,
	DECODE_ADD,
	DECODE_OR,
	DECODE_AND,
	DECODE_SUB,
	DECODE_XOR,
	DECODE_CMP,
	DECODE_TEST,
	DECODE_MOVS,
	DECODE_STOS,
	DECODE_INS,
	DECODE_OUTS,
};

struct decode {
	uint8_t op;	       /* enum decode_op */
	uint8_t length;	       /* of the instruction, bytes */
	uint8_t size;	       /* of the memory operand, or of one element: 1, 2, 4, 8 */
	uint8_t register_size; /* of the register operand; differs from `size` for MOVZX and MOVSX
				*/
	uint8_t address_size;  /* 2, 4, 8 */
	uint8_t reg;	       /* register operand: 0..15, as enum bh_register */
	uint8_t segment;       /* of MOVS's and OUTS's source: enum bh_segment_index */
	bool high_byte;	       /* the register is AH, CH, DH or BH of reg 0..3 */
	bool has_immediate;    /* in place of the register */
	bool to_memory;	       /* memory is the destination (or first) operand */
	bool repeat;
	uint64_t immediate; /* sign-extended to 64 bits */
};

/*
 * Decodes one instruction of `count` bytes at most; `mode` is 16, 32 or 64 (CS's L and D). False if
 * the bytes are no complete instruction, or none of enum decode_op with a memory operand.
 */
bool decode(const uint8_t *bytes, unsigned count, unsigned mode, struct decode *to);
