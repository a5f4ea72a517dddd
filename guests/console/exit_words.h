/*
 * exit_words.h: one exit in words, such as "out 0x3f8" or "hypercall BH_WAIT". Pure.
 *
 * The detail of a trace record is, by reason: pio and control register: the exit qualification of
 * VT-x (SDM vol. 3, tables 27-5 and 27-3); rdmsr, wrmsr: the MSR; cpuid: the leaf; hypercall: its
 * number; mmio: the address; interrupt, exception, eoi: the vector.
 */
#pragma once
#include <stdint.h>

#define EXIT_WORDS_BYTES 64

const char *exit_words(char text[EXIT_WORDS_BYTES], uint64_t reason, uint64_t detail);
