/* svm_decode.h: where an instruction ends, and its register, for CPUs that do not tell. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define SVM_INSTRUCTION_BYTES 15u /* the longest */

struct svm_instruction {
	uint8_t length;
	uint8_t operand; /* MOV to or from a control register: enum bh_register; software interrupts: the vector */
};

/*
 * The instruction among `count` (up to 15) bytes, as one that exits by `code` (enum svm_exit: CPUID, HLT, MSR, INVD,
 * WBINVD, VMMCALL, XSETBV, SWINT, and moves to and from control registers), prefixes included. `code64`: of a 64-bit
 * code segment. False: it is none.
 */
bool svm_decode(const uint8_t *bytes, unsigned count, bool code64, uint32_t code, struct svm_instruction *instruction);
