/* trampoline.h: the code in trampoline.S, to be copied to a page below 1 MiB, and what it needs to
 * know. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

struct trampoline_parameters {
	uint64_t cr3; /* below 4 GiB */
	uint64_t stack, cpu, entry;
	_Atomic uint32_t claim; /* 1: a CPU may come; the one that comes makes it 0 */
	uint32_t pad;
};
_Static_assert(sizeof(struct trampoline_parameters) == 40, "trampoline.S");

extern const uint8_t trampoline_start[], trampoline_end[], trampoline_parameters[];
extern const uint8_t trampoline_gdt_base[],
	trampoline_long_mode[]; /* 32 bits each; the page's address is to be added */
