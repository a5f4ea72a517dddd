/*
 * linux_boot.h: brings a Linux guest to its first instruction, by the 64-bit boot protocol
 * (Documentation/arch/x86/boot.rst, "64-bit boot protocol").
 *
 * In the guest's memory, below 1 MiB:
 *	0x01000 GDT     0x02000 page tables (six pages: 4 GiB one to one)    0x08000 boot_params
 *	0x20000 command line    0x9fc00 end of RAM    0xe0000 ACPI tables    0x100000 RAM again
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/abi.h>
#include "bzimage.h"
#include "guest_memory.h"

struct linux_boot {
	const void *kernel;
	uint64_t kernel_bytes;
	const void *initrd; /* NULL: none */
	uint64_t initrd_bytes;
	const char *command;
	unsigned vcpus;
};

/*
 * Writes everything into the guest's memory (all zero before) and the first vCPU's registers into
 * `state`. False, with the reason in words, if the image is refused or does not fit; memory may
 * then be partly written.
 */
bool linux_boot(const struct linux_boot *boot, const struct guest_memory *memory, struct bh_vcpu_state *state,
		char reason[BZIMAGE_REASON_BYTES]);
