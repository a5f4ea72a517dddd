/*
 * The instruction at which a guest has left, found through its page tables, and the last place that is remembered. The
 * windows are real mappings here: who looks through one that somebody else has taken sees something else.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "cpu.h"
#include "guest_cpuid.h"
#include "instructions.h"
#include "msr.h"
#include "partition.h"
#include "svm/svm.h"
#include "vcpu.h"
#include "window.h"

#define RAM_BYTES    (4 * PAGING_2M)
#define RAM_PHYSICAL 0x40000000ull /* where the partition's memory is said to be */

#define PRESENT 1ull
#define USER	4ull
#define TABLE	7ull /* present, writable, user */
#define LARGE	0x80ull
#define NX	(1ull << 63)

/* Guest-physical: the tables, one of each level, and pages with code. */
#define ROOT  0x1000ull
#define PDPT  0x2000ull
#define PD    0x3000ull
#define PT    0x4000ull
#define OTHER 0x200000ull /* a copy of all of it, with other code */
#define CODE  0x10000ull

#define LINEAR	     0x00007f8a4cc07000ull
#define INDEX(level) (LINEAR >> (12 + 9 * (level)) & 511)

static int ram_file;
static uint8_t *ram, *windows;
static int rights; /* to the windows */
static unsigned windows_mapped;
static struct cpu cpu;
static struct partition partition;
static struct vmcb vmcb[2];
static struct vcpu vcpu[2];
static struct guest_cpuid_policy policy;

void *window_map_slot(unsigned slot, uint64_t physical)
{
	uint8_t *window = windows + slot * WINDOW_BYTES;

	windows_mapped++;
	assert_in_range(slot, 1, WINDOW_SLOTS - 1);
	assert_in_range(physical, RAM_PHYSICAL, RAM_PHYSICAL + RAM_BYTES - 1);
	physical -= RAM_PHYSICAL;
	assert_ptr_equal(mmap(window, WINDOW_BYTES, rights, MAP_SHARED | MAP_FIXED, ram_file,
			      (off_t)(physical & ~(WINDOW_BYTES - 1))),
			 window);
	return window + (physical & (WINDOW_BYTES - 1));
}

const struct guest_cpuid_policy *guest_cpuid_policy(const struct vcpu *v)
{
	(void)v;
	return &policy;
}

/* ---- the guest --------------------------------------------------------------------------------- */

static void put_entry(uint64_t table, uint64_t index, uint64_t value)
{
	memcpy(ram + table + index * 8, &value, sizeof(value));
}

static void put_code(uint64_t address, const char *code, size_t bytes) { memcpy(ram + address, code, bytes); }
#define PUT(address, code) put_code(address, code, sizeof(code) - 1)

/* A way through all four levels; `base` is added to all addresses of it. */
static void make_tables(uint64_t base)
{
	put_entry(base + ROOT, INDEX(3), base + PDPT + TABLE);
	put_entry(base + PDPT, INDEX(2), base + PD + TABLE);
	put_entry(base + PD, INDEX(1), base + PT + TABLE);
	put_entry(base + PT, INDEX(0), base + CODE + TABLE);
	put_entry(base + PT, INDEX(0) + 1, base + CODE + 0x3000 + TABLE);
}

static int setup(void **state)
{
	(void)state;
	rights = PROT_READ;
	ram_file = memfd_create("ram", 0);
	assert_int_equal(ftruncate(ram_file, RAM_BYTES), 0);
	ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, ram_file, 0);
	windows = mmap(NULL, WINDOW_SLOTS * WINDOW_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(ram != MAP_FAILED && windows != MAP_FAILED);
	memset(&cpu, 0, sizeof(cpu));
	memset(vcpu, 0, sizeof(vcpu));
	memset(vmcb, 0, sizeof(vmcb));
	partition = (struct partition){ .extents = 2,
					.extent = { { 0, RAM_PHYSICAL, PAGING_2M },
						    { PAGING_2M, RAM_PHYSICAL + PAGING_2M, RAM_BYTES - PAGING_2M } } };
	for (unsigned i = 0; i < 2; i++) {
		vcpu[i].partition = &partition;
		vcpu[i].is_guest = true;
		vcpu[i].arch.svm.vmcb = &vmcb[i];
		vcpu[i].arch.svm.cpu = &cpu;
		vmcb[i].cr0 = CR0_PG | CR0_PE;
		vmcb[i].cr4 = CR4_PAE;
		vmcb[i].efer = EFER_SVME | EFER_LME | EFER_LMA | EFER_NXE;
		vmcb[i].cs.attributes = 0xa9b;
		vmcb[i].ss.attributes = 0xc93;
		vmcb[i].cr3 = ROOT;
		vmcb[i].rip = LINEAR + 0x123;
		svm_place_forget(&vcpu[i]);
	}
	make_tables(0);
	make_tables(OTHER);
	PUT(CODE + 0x123, "\x0f\xa2");		   /* cpuid */
	PUT(OTHER + CODE + 0x123, "\xf3\x0f\xa2"); /* rep cpuid */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	munmap(ram, RAM_BYTES);
	munmap(windows, WINDOW_SLOTS * WINDOW_BYTES);
	close(ram_file);
	return 0;
}

/* Its length; 0: there is none. */
static unsigned length_of(unsigned i, uint32_t code)
{
	struct svm_instruction instruction = { 0 };

	return svm_instruction(&vcpu[i], code, &instruction) ? instruction.length : 0;
}

static bool stands(unsigned i) { return svm_place_stands(&vcpu[i].arch.svm.place, &vmcb[i]); }

/* The first bytes at the place, as the first stage looks at them. */
static unsigned opcode_at_place(unsigned i)
{
	uint16_t opcode;

	memcpy(&opcode, vcpu[i].arch.svm.place.at[4], sizeof(opcode));
	return opcode;
}

static void learn(void)
{
	assert_false(stands(0));
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	assert_true(stands(0));
	assert_int_equal(opcode_at_place(0), 0xa20f);
}

/* ---- the place --------------------------------------------------------------------------------- */

static void test_place_survives(void **state)
{
	(void)state;
	learn();
	assert_true(stands(0));
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	assert_true(stands(0));
	vmcb[0].rip++;
	assert_false(stands(0));
	vmcb[0].rip--;
	vmcb[0].cr3 = OTHER + ROOT;
	assert_false(stands(0));
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 3);
	assert_true(stands(0));
}

/* The same addresses, but not the same bytes; what follows the instruction counts as well. */
static void test_code_changes(void **state)
{
	(void)state;
	learn();
	PUT(CODE + 0x123, "\xf2\x0f\xa2");
	assert_false(stands(0));
	assert_int_equal(opcode_at_place(0), 0x0ff2);
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 3);
	PUT(CODE + 0x123, "\x90\x0f\xa2");
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
	PUT(CODE + 0x123, "\x0f\xa2");
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
}

/* Nine bytes, of which the first eight may stay the same while the length changes: such an instruction is read each
 * time. */
static void test_long_instruction_is_not_kept(void **state)
{
	(void)state;
	PUT(CODE + 0x123, "\x66\x66\x66\x66\x66\x66\x0f\xa2");
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 8);
	assert_true(stands(0));
	PUT(CODE + 0x123, "\x66\x66\x66\x66\x66\x66\x66\x66\x0f\xa2");
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 10);
	assert_false(stands(0));
	PUT(CODE + 0x123, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\xa2");
	assert_false(stands(0));
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 11);
}

static void test_entry_of_each_level_changes(void **state)
{
	static const uint64_t table[] = { ROOT, PDPT, PD, PT }, next[] = { PDPT, PD, PT, CODE };

	(void)state;
	for (unsigned level = 0; level < 4; level++) {
		uint64_t index = INDEX(3 - level), old = next[level] + TABLE;

		learn();
		put_entry(table[level], index, OTHER + old);
		assert_false(stands(0));
		assert_int_equal(length_of(0, SVM_EXIT_CPUID), 3);
		assert_true(stands(0));
		put_entry(table[level], index, old);
		assert_false(stands(0));
		put_entry(table[level], index, 0);
		assert_false(stands(0));
		assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
		assert_false(stands(0));
		put_entry(table[level], index, old);
	}
}

/* Both vCPUs of a CPU have places in windows of their own. */
static void test_other_vcpu_has_its_own(void **state)
{
	(void)state;
	learn();
	vmcb[1].cr3 = OTHER + ROOT;
	assert_false(stands(1));
	assert_int_equal(length_of(1, SVM_EXIT_CPUID), 3);
	assert_true(stands(1));
	assert_true(stands(0));
}

/* Places that are kept are found again without a walk, until so many others came that their windows are taken. */
static void test_places_are_kept(void **state)
{
	unsigned mapped;

	(void)state;
	for (unsigned i = 0; i < SVM_PLACES; i++) {
		PUT(CODE + 0x200 + 8 * i, "\x0f\xa2");
		vmcb[0].rip = LINEAR + 0x200 + 8 * i;
		assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	}
	mapped = windows_mapped;
	for (unsigned i = 0; i < SVM_PLACES; i++) {
		vmcb[0].rip = LINEAR + 0x200 + 8 * i;
		assert_false(stands(0));
		assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
		assert_true(stands(0));
	}
	assert_int_equal(windows_mapped, mapped);
	/* One that finds nothing has taken the oldest one's windows all the same. */
	vmcb[1].rip = 0;
	assert_int_equal(length_of(1, SVM_EXIT_CPUID), 0);
	mapped = windows_mapped;
	vmcb[0].rip = LINEAR + 0x200;
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	assert_true(windows_mapped > mapped);
}

static void take_all_windows(void)
{
	vmcb[1].rip = 0;
	for (unsigned i = 0; i < SVM_PLACES; i++)
		assert_int_equal(length_of(1, SVM_EXIT_CPUID), 0);
}

/* Who loses the windows of the place that the first stage looks at has none. */
static void test_windows_are_taken(void **state)
{
	(void)state;
	learn();
	take_all_windows();
	assert_false(stands(0));
	learn();
}

/* Another exit at the same bytes, or another life of the vCPU, looks anew. */
static void test_kept_for_one_life_and_exit(void **state)
{
	unsigned mapped;

	(void)state;
	learn();
	mapped = windows_mapped;
	assert_int_equal(length_of(0, SVM_EXIT_HLT), 0);
	assert_true(windows_mapped > mapped);
	learn();
	mapped = windows_mapped;
	vcpu[0].arch.svm.life++;
	svm_place_forget(&vcpu[0]);
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	assert_true(windows_mapped > mapped);
}

/* No CR3 and no RIP may mean a place where there is none: a guest can have any (also with a PCID, or ignored bits). */
static void test_no_place_matches_nothing(void **state)
{
	static const uint64_t cr3[] = { 0, 1, 0xfff, UINT64_MAX, ROOT }, rip[] = { 0, LINEAR + 0x123 };

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 10; i++) {
			vmcb[0].cr3 = cr3[i % 5];
			vmcb[0].rip = rip[i / 5];
			assert_false(stands(0));
		}
		if (round == 0) { /* it has had one, and lost it */
			learn();
			take_all_windows();
		}
	}
}

/* The same RIP and tables, but a segment's base counts: compatibility mode. */
static void test_compatibility_mode_is_another_place(void **state)
{
	(void)state;
	put_entry(ROOT, 0, PDPT + TABLE);
	put_entry(PDPT, 0, PD + TABLE);
	put_entry(PD, 0, PT + TABLE);
	put_entry(PT, 5, CODE + TABLE);
	put_entry(PT, 6, OTHER + CODE + TABLE);
	vmcb[0].rip = 0x5123;
	learn();
	vmcb[0].cs.attributes = 0xc9b;
	vmcb[0].cs.base = 0x1000;
	assert_false(stands(0));
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 3);
	assert_false(stands(0));
}

/* ---- ways to the code -------------------------------------------------------------------------- */

/* It goes on in the next page, which is elsewhere; nothing of it is remembered. */
static void test_page_border(void **state)
{
	const uint64_t next = CODE + 0x3000;

	(void)state;
	for (unsigned first = 1; first < 15; first++) {
		memset(ram + CODE + 0x1000 - first, 0x66, first);
		memset(ram + next, 0x66, 15);
		put_code(next + 13 - first, "\x0f\xa2", first < 14 ? 2 : 0);
		if (first == 14) {
			PUT(CODE + 0xfff, "\x0f");
			PUT(next, "\xa2");
		}
		vmcb[0].rip = LINEAR + 0x1000 - first;
		assert_int_equal(length_of(0, SVM_EXIT_CPUID), 15);
		assert_false(stands(0));
	}
	/* The last one that ends with its page. */
	PUT(CODE + 0xffe, "\x0f\xa2");
	vmcb[0].rip = LINEAR + 0xffe;
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	/* The other half is not there, or not to be executed. */
	vmcb[0].rip = LINEAR + 0xfff;
	PUT(CODE + 0xfff, "\x0f");
	PUT(next, "\xa2");
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	put_entry(PT, INDEX(0) + 1, next + TABLE + NX);
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
	put_entry(PT, INDEX(0) + 1, 0);
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
	/* HLT needs no more than there is. */
	PUT(CODE + 0xfff, "\xf4");
	assert_int_equal(length_of(0, SVM_EXIT_HLT), 1);
}

/* The bytes of the longest instruction, just inside of a page, can be remembered. */
static void test_end_of_page(void **state)
{
	(void)state;
	vmcb[0].rip = LINEAR + 0x1000 - 15;
	PUT(CODE + 0x1000 - 15, "\x0f\xa2");
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	assert_true(stands(0));
	vmcb[0].rip++;
	PUT(CODE + 0x1000 - 14, "\x0f\xa2");
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	assert_false(stands(0));
}

static void test_large_pages(void **state)
{
	const uint64_t offset = LINEAR % PAGING_2M + 0x123, far = LINEAR % PAGING_1G % RAM_BYTES;

	(void)state;
	put_entry(PD, INDEX(1), OTHER + TABLE + LARGE);
	PUT(OTHER + offset, "\x66\x0f\xa2");
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 3);
	assert_true(stands(0));
	put_entry(PD, INDEX(1), TABLE + LARGE);
	assert_false(stands(0));
	PUT(offset, "\x0f\xa2");
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	assert_true(stands(0));

	/* 1 GiB from address 0 on, of which there are a few MiB. */
	put_entry(PDPT, INDEX(2), TABLE + LARGE);
	assert_false(stands(0));
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
	vmcb[0].rip = (LINEAR & ~(PAGING_1G - 1)) + far;
	PUT(far, "\x48\x0f\xa2");
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 3);
	assert_true(stands(0));
	PUT(far, "\x0f\xa2");
	assert_false(stands(0));
	assert_int_equal(opcode_at_place(0), 0xa20f);
	put_entry(PDPT, INDEX(2), TABLE + LARGE + PAGING_1G);
	assert_false(stands(0));
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
}

/* Tables and code in no memory, at its end, and beyond what an address can be. */
static void test_no_memory(void **state)
{
	static const uint64_t outside[] = { RAM_BYTES, 0xfee00000, 0xffffffffff000ull };
	static const uint64_t table[] = { ROOT, PDPT, PD, PT };

	(void)state;
	for (unsigned i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		for (unsigned level = 0; level < 4; level++) {
			put_entry(table[level], INDEX(3 - level), outside[i] + TABLE);
			assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
			assert_false(stands(0));
			make_tables(0);
		}
		vmcb[0].cr3 = outside[i];
		assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
		vmcb[0].cr3 = ROOT;
	}
	put_entry(PT, INDEX(0), RAM_BYTES - PAGING_4K + TABLE);
	vmcb[0].rip = LINEAR + 0xffe;
	PUT(RAM_BYTES - 2, "\x0f\xa2");
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	vmcb[0].rip = 0x8000000000000000ull;
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
}

/* An exit at a place that is kept shows that the CPU may fetch it, so these are of a new life. */
static void test_rights(void **state)
{
	(void)state;
	put_entry(PT, INDEX(0), CODE + PRESENT + NX);
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
	put_entry(PT, INDEX(0), CODE + PRESENT);
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	vcpu[0].arch.svm.life++;
	vmcb[0].cpl = 3;
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
	vmcb[0].ss.attributes = 0; /* as SYSRET may leave it */
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
	put_entry(PT, INDEX(0), CODE + PRESENT + USER);
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
}

/* Real mode, and 32-bit code with and without paging. Nothing is remembered. */
static void test_other_modes(void **state)
{
	uint32_t directory = 0x8000 + 7, entry = CODE + 7;

	(void)state;
	vmcb[0].efer = EFER_SVME;
	vmcb[0].cr4 = 0;
	vmcb[0].cr0 = 0;
	vmcb[0].cs = (struct vmcb_segment){ 0x1000, 0x9b, 0xffff, 0x10000 };
	vmcb[0].rip = 0x123;
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 2);
	assert_false(stands(0));
	PUT(CODE + 0x123, "\x40\x0f\xa2"); /* an INC here */
	assert_int_equal(length_of(0, SVM_EXIT_CPUID), 0);
	PUT(CODE + 0x123, "\x66\x67\xf4");
	assert_int_equal(length_of(0, SVM_EXIT_HLT), 3);
	vmcb[0].cs.base = UINT32_MAX - 0xff; /* wraps at 4 GiB */
	vmcb[0].rip = CODE + 0x123 + 0x100;
	assert_int_equal(length_of(0, SVM_EXIT_HLT), 3);

	memcpy(ram + ROOT + 4 * 0x201, &directory, 4);
	memcpy(ram + 0x8000 + 4 * 0x345, &entry, 4);
	vmcb[0].cr0 = CR0_PG | CR0_PE;
	vmcb[0].cs = (struct vmcb_segment){ 8, 0xc9b, UINT32_MAX, 0 };
	vmcb[0].rip = (0x201u << 22) + (0x345u << 12) + 0x123;
	assert_int_equal(length_of(0, SVM_EXIT_HLT), 3);
	assert_false(stands(0));
}

/* Through page-table entries that lie anywhere, also across nothing: tables are aligned by their address alone. */
static void test_random_tables(void **state)
{
	uint64_t seed = 88172645463325252ull;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t *table = (uint64_t *)(void *)(ram + ROOT);

		for (unsigned j = 0; j < 8; j++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			table[seed >> 20 & 0x7ff] = seed & 0x80000000007ff0e7ull;
		}
		vmcb[0].rip = seed & 0xffffffff;
		vmcb[0].cr3 = seed & 0x7fff;
		vmcb[0].cs.attributes = i & 1 ? 0xa9b : 0xc9b;
		vmcb[0].cr0 = (i & 6) == 6 ? CR0_PE : CR0_PG | CR0_PE;
		length_of(i & 1, SVM_EXIT_HLT);
		if (stands(0))
			assert_int_equal(vcpu[0].arch.svm.place.cr3, vmcb[0].cr3);
	}
}

/* ---- software interrupts, and code that is written again --------------------------------------- */

/* It is found, and no place is kept. */
static void test_int(void **state)
{
	struct svm_instruction instruction = { 0 };

	(void)state;
	assert_int_equal(length_of(0, SVM_EXIT_SWINT), 0);
	PUT(CODE + 0x123, "\xcd\x80");
	assert_true(svm_instruction(&vcpu[0], SVM_EXIT_SWINT, &instruction));
	assert_int_equal(instruction.length, 2);
	assert_int_equal(instruction.operand, 0x80);
	assert_false(stands(0));
	PUT(CODE + 0x123, "\xcc");
	assert_int_equal(length_of(0, SVM_EXIT_SWINT), 1);
	assert_false(stands(0));
}

static sigjmp_buf back;
static void *volatile written;

static void on_write(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	written = info->si_addr;
	siglongjmp(back, 1);
}

/* Where it writes; NULL: nowhere. */
static void *rewritten_at(unsigned i)
{
	struct sigaction action = { .sa_sigaction = on_write, .sa_flags = SA_SIGINFO }, before;

	written = NULL;
	assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
	if (!sigsetjmp(back, 1))
		assert_false(svm_rewrite_code(&vcpu[i]));
	assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
	return written;
}

/* It is the first byte of the instruction that is written, and it stays what it is. */
static void test_code_is_written_again(void **state)
{
	static uint8_t copy[RAM_BYTES];

	(void)state;
	learn();
	assert_ptr_equal(rewritten_at(0), windows + 11 * WINDOW_BYTES + CODE + 0x123);
	rights = PROT_READ | PROT_WRITE;
	memcpy(copy, ram, sizeof(copy));
	assert_true(svm_rewrite_code(&vcpu[0]));
	assert_memory_equal(copy, ram, sizeof(copy));
	assert_false(stands(0));
}

/* Neither what is not there nor what the guest may not execute. */
static void test_what_is_no_code_is_not_written(void **state)
{
	(void)state;
	put_entry(PT, INDEX(0), CODE + PRESENT + NX);
	assert_null(rewritten_at(0));
	put_entry(PT, INDEX(0), 0);
	assert_null(rewritten_at(0));
	put_entry(PT, INDEX(0), RAM_BYTES + TABLE);
	assert_null(rewritten_at(0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_place_survives),
		TEST(test_code_changes),
		TEST(test_long_instruction_is_not_kept),
		TEST(test_entry_of_each_level_changes),
		TEST(test_other_vcpu_has_its_own),
		TEST(test_places_are_kept),
		TEST(test_windows_are_taken),
		TEST(test_kept_for_one_life_and_exit),
		TEST(test_no_place_matches_nothing),
		TEST(test_compatibility_mode_is_another_place),
		TEST(test_page_border),
		TEST(test_end_of_page),
		TEST(test_large_pages),
		TEST(test_no_memory),
		TEST(test_rights),
		TEST(test_other_modes),
		TEST(test_random_tables),
		TEST(test_int),
		TEST(test_code_is_written_again),
		TEST(test_what_is_no_code_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
