/*
 * window.h: looking at memory that the kernel has not mapped, one 2 MiB frame at a time.
 *
 * Each CPU has 64 windows. What window_map_slot returns stays valid until the next call for the
 * same slot on the same CPU; interrupts are off, so nobody else comes between.
 */
#pragma once
#include <stdint.h>
#include "address_space.h"
#include "cpu_this.h"
#include "instructions.h"

#define WINDOW_BYTES PAGING_2M
#define WINDOW_SLOTS 64u /* 0 and 1 for whoever needs one for a moment, the others are svm/svm_instruction.c's */

/* The page directories of all windows, in one piece: entry 8 * CPU + slot. Each CPU writes only its own. */
extern uint64_t *window_entry;

/* Where `physical` (RAM, write-back) stands in window `slot`, up to the end of its 2 MiB
 * frame. */
#ifdef HOST_TEST
void *window_map_slot(unsigned slot, uint64_t physical);
#else
static inline void *window_map_slot(unsigned slot, uint64_t physical)
{
	unsigned n = cpu_this()->index * WINDOW_SLOTS + slot;
	uint8_t *window = (uint8_t *)(WINDOW_BASE + n * WINDOW_BYTES);
	/* present, writable, accessed, dirty, 2 MiB page, no execute (SDM vol. 3, table 4-18) */
	uint64_t entry = (physical & ~(WINDOW_BYTES - 1)) | 0x80000000000000e3ull;

	if (window_entry[n] != entry) {
		*(volatile uint64_t *)&window_entry[n] = entry;
		invlpg(window);
	}
	return window + (physical & (WINDOW_BYTES - 1));
}
#endif

static inline void *window_map(uint64_t physical) { return window_map_slot(0, physical); }
