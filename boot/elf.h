/*
 * elf.h: ELF64 executables, read into segment records (ELF-64 Object File Format 1.5). Strict: what
 * is not plainly right is refused, with the reason. The file may hold anything; nothing outside of
 * it is read.
 */
#pragma once
#include "boot_info.h"

#define ELF_ERROR_BYTES 160

/* What an executable must keep to. */
struct elf_rules {
	uint64_t first, end; /* its addresses: first <= address < end */
	bool physical;	     /* p_paddr must equal p_vaddr (native programs) */
	uint64_t required;   /* a segment must begin there; 0: any */
};

extern const struct elf_rules elf_native; /* BH_GPA_IMAGE and up; page tables at BH_NATIVE_CR3 */
extern const struct elf_rules elf_kernel; /* KERNEL_BASE and up */

/*
 * Reads `bytes` of `file` into `program`, whose path stays as it is: entry and segments by rising
 * address, each with `physical` = the offset in the file. No two segments share a page; none is
 * writable and executable; the entry lies in an executable one. False with `error`
 * (ELF_ERROR_BYTES) filled when anything is wrong.
 */
bool elf_parse(const void *file, uint64_t bytes, const struct elf_rules *rules, struct boot_program *program,
	       char *error);

/* First address after the last segment, a multiple of 4 KiB. */
uint64_t elf_end(const struct boot_program *program);
