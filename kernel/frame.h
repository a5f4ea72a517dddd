/*
 * frame.h: who owns which page frame, and the one function that maps frames into partitions.
 *
 * The owner is recorded per 2 MiB; frames that channels share out in 4 KiB pages have a split
 * record. Ownership is given out at boot, and later by the console's CPU only (create.c); it is read without a lock.
 */
#pragma once
#include <stdint.h>
#include <stdbool.h>
#include "boot/boot_info.h"
#include "pool.h"

#define FRAME_BYTES 0x200000ull

enum frame_owner {
	FRAME_NONE, /* no RAM, or not known to us */
	FRAME_FREE,
	FRAME_FIRMWARE, /* reserved, runtime services, ACPI; or mixed with such */
	FRAME_KERNEL,
	FRAME_IMAGE,		 /* read-only files and programs */
	FRAME_SPLIT,		 /* see its split record */
	FRAME_PARTITION = 0x100, /* + partition's id */
	FRAME_CHANNEL = 0x1000,	 /* + channel's number */
};

struct partition;

/* Fills the record from the loader's memory map. */
void frame_init(const struct boot_info *boot);

/*
 * Takes `count` free frames in one piece for `owner`, at a multiple of `align` frames; 0 when there
 * is none such. Largest addresses first, so that memory below 4 GiB lasts.
 */
uint64_t frame_take(uint64_t count, uint64_t align, uint16_t owner);

/* Whole frames are nobody's again. Their owner has no mapping of them any more. */
void frame_give(uint64_t physical, uint64_t bytes);

/* The largest free piece, in frames. */
uint64_t frame_largest(void);

/* Takes `pages` 4 KiB pages in one piece from split frames for `owner`; 0 when there is no memory.
 */
uint64_t frame_take_pages(uint64_t pages, uint16_t owner);

/* Owner of the 4 KiB page at `physical`. */
uint16_t frame_owner(uint64_t physical);

/* The address after the last frame in the record. */
uint64_t frame_end(void);

/* Whether none of it is memory that the kernel knows, or memory of the firmware's at most. */
bool frame_is_device(uint64_t physical, uint64_t bytes);

uint64_t frame_free_bytes(void);
uint64_t frame_ram_bytes(void);

#define MAP_READ    1u
#define MAP_WRITE   2u
#define MAP_EXECUTE 4u
#define MAP_DEVICE  0x10u /* a device's registers: not cached */

/*
 * May `partition` see these bytes with these rights? Its own memory; its ward's, not executable; a
 * granted image, read only; a channel it is an end of and its ward's message pages, not executable. With MAP_DEVICE:
 * registers of its devices, not executable, and nothing else.
 */
bool frame_may_map(const struct partition *partition, uint64_t physical, uint64_t bytes, unsigned rights);

/* Maps into the partition's nested table, if frame_may_map; false: it may not, or the kernel's
 * memory is used up. */
bool frame_map(struct partition *partition, uint64_t address, uint64_t physical, uint64_t bytes, unsigned rights);
