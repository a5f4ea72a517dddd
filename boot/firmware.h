/*
 * firmware.h: what the loader asks of UEFI's boot services (UEFI 2.10, chapter 7), until it leaves
 * them.
 *
 * Physical addresses are pointers here: firmware maps memory one to one (2.3.4).
 */
#pragma once
#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

#define FRAME_BYTES 0x200000ull

extern EFI_SYSTEM_TABLE *firmware;
extern EFI_HANDLE firmware_image; /* this application */

/* Before anything else. Turns the watchdog off: loading can take minutes. */
void firmware_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

/* Prints a line on the firmware's console; format as text_format. */
void firmware_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, then waits for a key and returns. For what ends the loader. */
void firmware_give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed memory of type EfiLoaderData, in 4 KiB pages; NULL when there is none. */
void *firmware_allocate(uint64_t bytes);

/*
 * Frames of 2 MiB: `bytes` rounded up to a multiple of FRAME_BYTES, aligned to it, not zeroed;
 * below 4 GiB if `low`. 0 when there are none.
 */
uint64_t firmware_allocate_frames(uint64_t bytes, bool low);

/* A page below 1 MiB, 0: none. */
uint64_t firmware_allocate_low_page(void);

/*
 * The memory map (7.2.3): `*bytes` of descriptors of `*stride` bytes, in memory allocated once and
 * used again. NULL on failure. `key` is for firmware_leave.
 */
const void *firmware_memory_map(uint64_t *bytes, uint64_t *stride, uint64_t *key);

/*
 * `bytes` at a physical address, be it memory or registers; NULL: the firmware does not have all of them mapped one to
 * one. Also after firmware_leave.
 */
void *firmware_at(uint64_t physical, uint64_t bytes);

/* ExitBootServices (7.4.6): true when done; false when the map has changed: get it again. */
bool firmware_leave(uint64_t key);
