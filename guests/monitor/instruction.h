/*
 * instruction.h: the registers and memory that an instruction of the guest works on; shared by
 * emulate.c (MMIO) and string_io.c.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "decode.h"
#include "machine.h"

/* Elements of a string instruction that one message does at most; the guest then starts it again
 * for the rest. */
#define INSTRUCTION_ELEMENTS 1024

/*
 * Fetches and decodes the instruction at the vCPU's RIP. False if its page is not mapped (any
 * more): then the guest should try again and take its own page fault. What cannot be carried out
 * ends the guest with a report that names the bytes.
 */
bool instruction_get(struct machine *machine, const struct bh_message *message, struct decode *decode);

/* The register operand, zero-extended; and setting it, as the CPU does it (32 bits clear the upper
 * half). */
uint64_t instruction_register(const struct bh_vcpu_state *state, const struct decode *decode);
void instruction_set_register(struct bh_vcpu_state *state, const struct decode *decode, uint64_t value);

/* RIP behind the instruction; the reply then sets general registers and RIP. */
void instruction_finish(struct bh_message *message, const struct decode *decode);

/*
 * Memory of a string instruction at segment:register: RAM, or a device. Reads into or writes from
 * `value`. False if not mapped.
 */
bool instruction_access(struct machine *machine, const struct bh_message *message, const struct decode *decode,
			enum bh_segment_index segment, enum bh_register pointer, uint64_t *value, bool write);

/* Whether instruction_access could write there. */
bool instruction_can_write(const struct machine *machine, const struct bh_message *message, const struct decode *decode,
			   enum bh_segment_index segment, enum bh_register pointer);

/* Moves RSI or RDI to the next element, as the direction flag says. */
void instruction_step(struct bh_vcpu_state *state, const struct decode *decode, enum bh_register pointer);

/*
 * Carries out `element` for as many as RCX says (one without REP), and INSTRUCTION_ELEMENTS at
 * most, and answers the message: RIP moves on when all is done. An element that is not mapped ends
 * the loop; if it was the first, the guest gets #GP.
 */
typedef bool (*instruction_element)(struct machine *machine, struct bh_message *message, const struct decode *decode);
void instruction_repeat(struct machine *machine, struct bh_message *message, const struct decode *decode,
			instruction_element element);
