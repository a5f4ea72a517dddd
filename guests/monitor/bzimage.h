/*
 * bzimage.h: a Linux kernel image (Documentation/arch/x86/boot.rst, protocol 2.12 and up): what its
 * header says, checked against the file, and where everything goes in the guest's memory. Pure:
 * reads the file, writes nothing.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guest_memory.h"

#define BZIMAGE_REASON_BYTES 192
#define BZIMAGE_ENTRY_64     0x200 /* the 64-bit entry's distance from the load address */
#define BZIMAGE_HEADER	     0x1f1 /* the setup header's place, in the file and in boot_params */

/* The first 1 MiB minus what linux_boot.c uses is the kernel's too, but nothing is loaded there. */
#define BZIMAGE_LOWEST 0x100000ull

struct bzimage {
	uint32_t header_bytes; /* of the setup header, from BZIMAGE_HEADER on */
	uint64_t payload;      /* offset of the protected-mode part in the file */
	uint64_t payload_bytes;
	uint64_t init_size;   /* memory that it needs from its load address on, until it knows the
				 memory map */
	uint64_t preferred;   /* load address */
	uint64_t alignment;   /* of the load address; a power of two */
	uint64_t initrd_max;  /* highest address that an initrd's last byte may have */
	uint32_t command_max; /* bytes, without the final 0 */
};

struct bzimage_plan {
	uint64_t load;	 /* guest-physical */
	uint64_t initrd; /* 0: none */
};

/*
 * Reads the header of `bytes` at `file` (any content). False, with the reason in words, if it is no
 * kernel that can be started by the 64-bit entry, or if its numbers contradict the file.
 */
bool bzimage_parse(const void *file, uint64_t bytes, struct bzimage *image, char reason[BZIMAGE_REASON_BYTES]);

/*
 * Finds room for the kernel, and for the initrd at the top of low memory, within `low_bytes` of RAM
 * from 0. False, with the reason and what would fit, if there is none.
 */
bool bzimage_place(const struct bzimage *image, uint64_t low_bytes, uint64_t initrd_bytes, uint64_t command_bytes,
		   struct bzimage_plan *plan, char reason[BZIMAGE_REASON_BYTES]);
