/* Any bytes as an ELF file, by both rules: what is accepted keeps to what elf.h promises. */
#include "boot/elf.h"
#include "tests/fuzz/require.h"

static void check(const struct boot_program *program, const struct elf_rules *rules, size_t size)
{
	uint64_t end = rules->first;
	bool entry = false;

	REQUIRE(program->segments >= 1 && program->segments <= BOOT_SEGMENTS);
	for (uint32_t i = 0; i < program->segments; i++) {
		const struct boot_segment *segment = &program->segment[i];

		REQUIRE(segment->address >= end && segment->address % 4096 == 0);
		end = (segment->address + segment->memory_bytes + 4095) & ~4095ull;
		REQUIRE(end > segment->address && end <= rules->end);
		REQUIRE(segment->file_bytes <= segment->memory_bytes);
		REQUIRE(segment->physical <= size && segment->file_bytes <= size - segment->physical);
		REQUIRE(!(segment->writable && segment->executable));
		entry |= segment->executable && program->entry >= segment->address &&
			 program->entry < segment->address + segment->file_bytes;
	}
	REQUIRE(entry && elf_end(program) == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct elf_rules *rules[] = { &elf_native, &elf_kernel };
	static struct boot_program program;
	char error[ELF_ERROR_BYTES];

	for (int i = 0; i < 2; i++) {
		if (elf_parse(data, size, rules[i], &program, error))
			check(&program, rules[i], size);
		else
			REQUIRE(error[0]);
	}
	return 0;
}
