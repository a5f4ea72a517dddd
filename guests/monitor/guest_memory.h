/*
 * guest_memory.h: the guest's RAM, through the monitor's window on it.
 *
 * The one place where a guest-physical address becomes a pointer. What stands there can change at
 * any time: the guest's other vCPUs run meanwhile. So whatever is checked must first be copied out,
 * once.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/lib/guest_paging.h"

struct guest_memory {
	uint8_t *window;	    /* guest-physical address + this */
	uint64_t low_bytes;	    /* RAM from 0, at most BH_GUEST_LOW_MAX */
	uint64_t high_bytes;	    /* RAM from BH_GUEST_HIGH */
	struct guest_reader reader; /* the same, for guest_paging.h */
};

/* Divides `bytes` of RAM as abi.h says. */
void guest_memory_init(struct guest_memory *memory, void *window, uint64_t bytes);

/* Pointer to `bytes` (not 0) of RAM at `address`, or NULL unless all of them are RAM in one piece.
 */
void *guest_memory_at(const struct guest_memory *memory, uint64_t address, uint64_t bytes);

/* Copy out or in. False, with no effect, if that is not all RAM. */
bool guest_memory_read(const struct guest_memory *memory, uint64_t address, void *to, uint64_t bytes);
bool guest_memory_write(const struct guest_memory *memory, uint64_t address, const void *from, uint64_t bytes);
