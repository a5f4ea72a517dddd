#include "elf.h"
#include "text.h"

#define PAGE 4096ull

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF-64, figure 2");

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf_segment) == 56, "ELF-64, figure 6");

#define ELF_TYPE_EXEC	   2
#define ELF_MACHINE_X86_64 62
#define ELF_LOAD	   1
#define ELF_DYNAMIC	   2
#define ELF_INTERPRETER	   3
#define ELF_EXECUTE	   1u
#define ELF_WRITE	   2u
#define ELF_PROGRAM_MAX	   64

const struct elf_rules elf_native = { BH_GPA_IMAGE, BH_GPA_MESSAGES, true, BH_NATIVE_CR3 };
const struct elf_rules elf_kernel = { KERNEL_BASE, KERNEL_BASE + (16u << 20), false, KERNEL_BASE };

static bool refuse(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(char *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_vformat(error, ELF_ERROR_BYTES, format, arguments);
	va_end(arguments);
	return false;
}

static bool check_header(const struct elf_header *header, uint64_t bytes, char *error)
{
	if (__builtin_memcmp(header->ident, "\177ELF", 4))
		return refuse(error, "not an ELF file");
	if (header->ident[4] != 2 || header->ident[5] != 1 || header->ident[6] != 1)
		return refuse(error, "not a 64-bit little-endian ELF file of version 1");
	if (header->machine != ELF_MACHINE_X86_64)
		return refuse(error, "for machine %u, not for x86-64 (62)", header->machine);
	if (header->type != ELF_TYPE_EXEC)
		return refuse(error, "ELF type %u is no fixed executable (2): link with -no-pie", header->type);
	if (header->phentsize != sizeof(struct elf_segment))
		return refuse(error, "program headers of %u bytes, not 56", header->phentsize);
	if (!header->phnum || header->phnum > ELF_PROGRAM_MAX)
		return refuse(error, "%u program headers: 1 to %u can be", header->phnum, ELF_PROGRAM_MAX);
	if (header->phoff > bytes || header->phnum * sizeof(struct elf_segment) > bytes - header->phoff)
		return refuse(error, "the program headers lie past the end of the file: truncated?");
	return true;
}

static bool check_segment(const struct elf_segment *segment, uint64_t bytes, const struct elf_rules *rules, char *error)
{
	unsigned long long address = segment->vaddr;

	if (segment->filesz > segment->memsz)
		return refuse(error, "segment 0x%llx has more bytes in the file than in memory", address);
	if (segment->offset > bytes || segment->filesz > bytes - segment->offset)
		return refuse(error, "segment 0x%llx lies past the end of the file: truncated?", address);
	if (address < rules->first || address >= rules->end || segment->memsz > rules->end - address)
		return refuse(error, "segment 0x%llx of 0x%llx bytes is not within 0x%llx-0x%llx", address,
			      (unsigned long long)segment->memsz, (unsigned long long)rules->first,
			      (unsigned long long)rules->end);
	if (address % PAGE)
		return refuse(error, "segment 0x%llx does not begin at a page (4096 bytes)", address);
	if (rules->physical && segment->paddr != address)
		return refuse(error, "segment 0x%llx has another physical address, 0x%llx", address,
			      (unsigned long long)segment->paddr);
	if ((segment->flags & ELF_WRITE) && (segment->flags & ELF_EXECUTE))
		return refuse(error, "segment 0x%llx is writable and executable", address);
	return true;
}

static bool add_segment(const struct elf_segment *segment, struct boot_program *program, char *error)
{
	struct boot_segment *add = &program->segment[program->segments];

	if (program->segments == BOOT_SEGMENTS)
		return refuse(error, "more than %u segments to load", BOOT_SEGMENTS);
	/* The ELF format has them rise; so only neighbours can overlap. */
	if (program->segments && segment->vaddr < elf_end(program))
		return refuse(error, "segment 0x%llx shares a page with the one before it, or lies lower",
			      (unsigned long long)segment->vaddr);
	add->address = segment->vaddr;
	add->physical = segment->offset;
	add->file_bytes = segment->filesz;
	add->memory_bytes = segment->memsz;
	add->writable = (segment->flags & ELF_WRITE) != 0;
	add->executable = (segment->flags & ELF_EXECUTE) != 0;
	program->segments++;
	return true;
}

static bool read_segments(const uint8_t *at, unsigned count, uint64_t bytes, const struct elf_rules *rules,
			  struct boot_program *program, char *error)
{
	struct elf_segment segment;

	for (unsigned i = 0; i < count; i++) {
		__builtin_memcpy(&segment, at + i * sizeof(segment), sizeof(segment));
		if (segment.type == ELF_INTERPRETER || segment.type == ELF_DYNAMIC)
			return refuse(error, "dynamically linked: link with -static");
		if (segment.type != ELF_LOAD || !segment.memsz)
			continue;
		if (!check_segment(&segment, bytes, rules, error) || !add_segment(&segment, program, error))
			return false;
	}
	return true;
}

static bool check_program(const struct boot_program *program, const struct elf_rules *rules, char *error)
{
	bool entry = false, required = !rules->required;

	if (!program->segments)
		return refuse(error, "no segments to load");
	for (unsigned i = 0; i < program->segments; i++) {
		const struct boot_segment *segment = &program->segment[i];

		entry |= segment->executable && program->entry >= segment->address &&
			 program->entry - segment->address < segment->file_bytes;
		required |= segment->address == rules->required;
	}
	if (!entry)
		return refuse(error, "the entry 0x%llx is in no executable segment",
			      (unsigned long long)program->entry);
	if (!required)
		return refuse(error, "no segment begins at 0x%llx, as one must", (unsigned long long)rules->required);
	return true;
}

bool elf_parse(const void *file, uint64_t bytes, const struct elf_rules *rules, struct boot_program *program,
	       char *error)
{
	struct elf_header header;

	program->segments = 0;
	error[0] = 0;
	if (bytes < sizeof(header))
		return refuse(error, "%llu bytes are too few for an ELF file", (unsigned long long)bytes);
	__builtin_memcpy(&header, file, sizeof(header));
	if (!check_header(&header, bytes, error))
		return false;
	program->entry = header.entry;
	return read_segments((const uint8_t *)file + header.phoff, header.phnum, bytes, rules, program, error) &&
	       check_program(program, rules, error);
}

uint64_t elf_end(const struct boot_program *program)
{
	const struct boot_segment *last;

	if (!program->segments)
		return 0;
	last = &program->segment[program->segments - 1];
	return (last->address + last->memory_bytes + PAGE - 1) & ~(PAGE - 1);
}
