/* The loader's ELF parser: a good file, and each way in which one can be bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "boot/elf.h"

#define HEADERS (64 + 4 * 56)
#define BYTES	(HEADERS + 256)

static uint8_t file[BYTES];
static struct boot_program program;
static char error[ELF_ERROR_BYTES];

static void put(size_t at, uint64_t value, size_t bytes) { memcpy(file + at, &value, bytes); }

/* Fields of program header `i`, ELF-64 figure 6. */
enum { TYPE = 0, FLAGS = 4, OFFSET = 8, VADDR = 16, PADDR = 24, FILESZ = 32, MEMSZ = 40 };

static void set(unsigned i, size_t field, uint64_t value) { put(64 + i * 56 + field, value, field < OFFSET ? 4 : 8); }

static void segment(unsigned i, uint32_t flags, uint64_t address, uint64_t file_bytes, uint64_t memory_bytes)
{
	set(i, TYPE, 1);
	set(i, FLAGS, flags);
	set(i, OFFSET, HEADERS + i * 64);
	set(i, VADDR, address);
	set(i, PADDR, address);
	set(i, FILESZ, file_bytes);
	set(i, MEMSZ, memory_bytes);
}

/* Data, code, constants, and a header that is not to be loaded. */
static void build(uint64_t base)
{
	memset(file, 0, sizeof(file));
	memcpy(file, "\177ELF\2\1\1", 7);
	put(16, 2, 2);
	put(18, 62, 2);
	put(20, 1, 4);
	put(24, base + 0x3010, 8);
	put(32, 64, 8);
	put(54, 56, 2);
	put(56, 4, 2);
	segment(0, 6, base, 16, 0x2001);
	segment(1, 5, base + 0x3000, 64, 64);
	segment(2, 4, base + 0x4000, 32, 32);
	set(3, TYPE, 0x6474e551);
}

static bool parse_bytes(size_t bytes, const struct elf_rules *rules)
{
	uint8_t *copy = malloc(bytes ? bytes : 1);
	bool good;

	memcpy(copy, file, bytes);
	good = elf_parse(copy, bytes, rules, &program, error);
	free(copy);
	assert_int_equal(good, !error[0]);
	return good;
}

static void refused(const char *expected)
{
	if (parse_bytes(BYTES, &elf_native) || !strstr(error, expected))
		fail_msg("\"%s\" where \"%s\" was expected", error, expected);
	build(BH_GPA_IMAGE);
}

static void test_good(void **state)
{
	(void)state;
	build(BH_GPA_IMAGE);
	assert_true(parse_bytes(BYTES, &elf_native));
	assert_int_equal(program.entry, BH_GPA_IMAGE + 0x3010);
	assert_int_equal(program.segments, 3);
	assert_int_equal(program.segment[0].address, BH_GPA_IMAGE);
	assert_int_equal(program.segment[0].physical, HEADERS);
	assert_int_equal(program.segment[0].file_bytes, 16);
	assert_int_equal(program.segment[0].memory_bytes, 0x2001);
	assert_true(program.segment[0].writable && !program.segment[0].executable);
	assert_true(!program.segment[1].writable && program.segment[1].executable);
	assert_true(!program.segment[2].writable && !program.segment[2].executable);
	assert_int_equal(elf_end(&program), BH_GPA_IMAGE + 0x5000);
	assert_false(parse_bytes(BYTES, &elf_kernel));
	build(KERNEL_BASE);
	set(1, PADDR, 0x1000);
	assert_true(parse_bytes(BYTES, &elf_kernel));
	assert_false(parse_bytes(BYTES, &elf_native));
}

static void test_header(void **state)
{
	(void)state;
	build(BH_GPA_IMAGE);
	file[0] = 'E';
	refused("not an ELF file");
	file[4] = 1;
	refused("not a 64-bit");
	put(18, 3, 2);
	refused("for machine 3");
	put(16, 3, 2);
	refused("ELF type 3");
	put(54, 55, 2);
	refused("program headers of 55 bytes");
	put(56, 0, 2);
	refused("0 program headers");
	put(56, 65, 2);
	refused("65 program headers");
	put(32, BYTES - 100, 8);
	refused("past the end of the file");
	put(32, UINT64_MAX - 8, 8);
	refused("past the end of the file");
}

static void test_segments(void **state)
{
	(void)state;
	build(BH_GPA_IMAGE);
	set(1, FLAGS, 7);
	refused("writable and executable");
	set(1, OFFSET, BYTES - 63);
	refused("past the end of the file");
	set(1, OFFSET, UINT64_MAX);
	refused("past the end of the file");
	set(1, FILESZ, 65);
	refused("more bytes in the file");
	set(1, VADDR, BH_GPA_IMAGE + 0x2000);
	set(1, PADDR, BH_GPA_IMAGE + 0x2000);
	refused("shares a page");
	set(2, VADDR, BH_GPA_IMAGE + 0x4008);
	refused("does not begin at a page");
	set(2, PADDR, 0);
	refused("another physical address");
	set(2, MEMSZ, BH_GPA_MESSAGES);
	refused("is not within");
	set(2, MEMSZ, UINT64_MAX);
	refused("is not within");
	set(2, VADDR, 0x1000);
	refused("is not within");
	set(3, TYPE, 3);
	refused("dynamically linked");
	segment(0, 6, BH_GPA_IMAGE + 0x1000, 16, 16);
	refused("no segment begins at 0x100000");
}

static void test_entry(void **state)
{
	(void)state;
	build(BH_GPA_IMAGE);
	put(24, BH_GPA_IMAGE, 8);
	refused("in no executable segment");
	put(24, BH_GPA_IMAGE + 0x3040, 8);
	refused("in no executable segment");
	for (unsigned i = 0; i < 3; i++)
		set(i, TYPE, 0);
	refused("no segments to load");
}

static void test_too_many_segments(void **state)
{
	static uint8_t big[64 + (BOOT_SEGMENTS + 1) * 56 + 64];

	(void)state;
	build(BH_GPA_IMAGE);
	memcpy(big, file, 64);
	big[56] = BOOT_SEGMENTS + 1;
	for (unsigned i = 0; i <= BOOT_SEGMENTS; i++) {
		segment(0, i == 3 ? 5 : 4, BH_GPA_IMAGE + i * 0x1000, 32, 32);
		memcpy(big + 64 + i * 56, file + 64, 56);
	}
	assert_false(elf_parse(big, sizeof(big), &elf_native, &program, error));
	assert_non_null(strstr(error, "more than 6 segments"));
	big[56] = BOOT_SEGMENTS;
	assert_true(elf_parse(big, sizeof(big), &elf_native, &program, error));
}

/* Every prefix of a good file is refused, and none makes it read beyond its end (the sanitizer
 * looks on). */
static void test_truncated(void **state)
{
	(void)state;
	build(BH_GPA_IMAGE);
	for (size_t bytes = 0; bytes < HEADERS + 2 * 64 + 32; bytes++)
		assert_false(parse_bytes(bytes, &elf_native));
	assert_true(parse_bytes(HEADERS + 2 * 64 + 32, &elf_native));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	  cmocka_unit_test(test_header),
		cmocka_unit_test(test_segments),  cmocka_unit_test(test_entry),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_too_many_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
