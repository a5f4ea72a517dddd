/*
 * code-change: instructions that exit, in all their forms, at one and the same address.
 *
 * A hypervisor on a CPU that does not tell where instructions end has to find out, and may remember; code and page
 * tables then change under it. Each form is run where another one was a moment ago. What CPUID answers must be the
 * same, and it must go on right behind: what follows counts in RDI, and any other length would miss that.
 * With any word behind it: two CPUs race for one instruction.
 */
#include "program.h"

#define SYS_MMAP   9
#define SYS_MUNMAP 11
#define SYS_MREMAP 25
#define SYS_FORK   57
#define SYS_WAIT4  61

#define PAGE	    4096ull
#define PROT_RW	    3
#define PROT_RWX    7
#define PRIVATE	    0x22 /* and anonymous */
#define SHARED	    0x21 /* and anonymous */
#define FIXED	    0x10
#define WNOHANG	    1
#define MAYMOVE	    3 /* and fixed */
#define SIGNAL_SEGV 11

#define LEAF	0x40000000u /* the same answer each time: the hypervisor's name */
#define LONGEST 15u
#define OSXSAVE (1u << 27)

static uint64_t forms, wrong;

static uint8_t *map(uint64_t address, uint64_t pages)
{
	return (uint8_t *)call6(SYS_MMAP, address, pages * PAGE, PROT_RWX, PRIVATE | (address ? FIXED : 0), -1, 0);
}

/* ---- a form ------------------------------------------------------------------------------------ */

/* Prefixes, CPUID, then INC EDI three times and RET. If it went on too early or too late, the sum differs. */
static unsigned put_form(volatile uint8_t *to, const uint8_t *prefix, unsigned prefixes)
{
	static const uint8_t behind[] = { 0xff, 0xc7, 0xff, 0xc7, 0xff, 0xc7, 0xc3 };
	unsigned at = 0;

	for (unsigned i = 0; i < prefixes; i++)
		to[at++] = prefix[i];
	to[at++] = 0x0f;
	to[at++] = 0xa2;
	for (unsigned i = 0; i < sizeof(behind); i++)
		to[at++] = behind[i];
	return at;
}

struct answer {
	uint32_t eax, ebx, ecx, edx, behind;
};

static struct answer run(const volatile uint8_t *code)
{
	struct answer a = { .eax = LEAF, .ecx = 0, .behind = 100 };

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tcall *%5\n\tlea 128(%%rsp), %%rsp" /* not into the red zone */
			 : "+a"(a.eax), "=b"(a.ebx), "+c"(a.ecx), "=d"(a.edx), "+D"(a.behind)
			 : "r"(code)
			 : "memory", "cc");
	return a;
}

static struct answer expected;

static void check(const char *what, const volatile uint8_t *code, unsigned length)
{
	struct answer a = run(code);

	forms++;
	if (a.eax == expected.eax && a.ebx == expected.ebx && a.ecx == expected.ecx && a.edx == expected.edx &&
	    a.behind == 103)
		return;
	wrong++;
	print("code-change: wrong: ");
	print(what);
	print(", length ");
	print_number(length);
	print("\n");
}

/* ---- which forms ------------------------------------------------------------------------------- */

static const uint8_t prefix[] = { 0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
#define PREFIXES sizeof(prefix)

/* The n-th form's prefixes into `to`; how many there are. 0: none. Then each alone, REX, mixtures, and the longest. */
#define FORMS (1 + PREFIXES + 16 + PREFIXES * 16 + PREFIXES * 16 + LONGEST - 2)
static unsigned form(unsigned n, uint8_t *to)
{
	if (n-- == 0)
		return 0;
	if (n < PREFIXES) {
		to[0] = prefix[n];
		return 1;
	}
	n -= PREFIXES;
	if (n < 16) {
		to[0] = 0x40 + n;
		return 1;
	}
	n -= 16;
	if (n < PREFIXES * 16) { /* REX behind, as it must be */
		to[0] = prefix[n / 16];
		to[1] = 0x40 + n % 16;
		return 2;
	}
	n -= PREFIXES * 16;
	if (n < PREFIXES * 16) { /* and before, where it does nothing */
		to[0] = 0x40 + n % 16;
		to[1] = prefix[n / 16];
		return 2;
	}
	n -= PREFIXES * 16;
	for (unsigned i = 0; i <= n; i++)
		to[i] = prefix[(n + i) % PREFIXES];
	return n + 1;
}

/* ---- what changes ------------------------------------------------------------------------------ */

/* The bytes at one address, twice each: the second time the place is known. */
static void rewritten(volatile uint8_t *at)
{
	uint8_t bytes[LONGEST];

	for (unsigned n = 0; n < FORMS; n++) {
		unsigned prefixes = form(n, bytes), length = prefixes + 2;

		put_form(at, bytes, prefixes);
		check("rewritten", at, length);
		check("rewritten, again", at, length);
		put_form(at, bytes, 0);
		check("rewritten, plain", at, 2);
	}
}

/* The page at the address: unmapped and mapped anew, mapped over, or another one moved there. */
static void remapped(volatile uint8_t *at)
{
	uint64_t page = (uint64_t)at & ~(PAGE - 1);
	uint8_t bytes[LONGEST];

	for (unsigned n = 0; n < FORMS; n++) {
		unsigned prefixes = form(n, bytes), length = prefixes + 2;
		uint8_t *other;

		call(SYS_MUNMAP, page, PAGE, 0);
		map(page, 1);
		put_form(at, bytes, prefixes);
		check("unmapped and mapped", at, length);
		check("unmapped and mapped, again", at, length);
		map(page, 1);
		put_form(at, bytes, 0);
		check("mapped over", at, 2);
		other = map(0, 1);
		put_form(other + ((uint64_t)at - page), bytes, prefixes);
		call6(SYS_MREMAP, (uint64_t)other, PAGE, PAGE, MAYMOVE, page, 0);
		check("moved there", at, length);
	}
}

/* Operand-size prefixes up to the border, then another page, where more of them and CPUID stand. */
static void another_page(volatile uint8_t *border, unsigned before, unsigned behind)
{
	static const uint8_t size[LONGEST] = { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
					       0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66 };

	call(SYS_MUNMAP, (uint64_t)border, PAGE, 0);
	map((uint64_t)border, 1);
	for (unsigned i = 1; i <= before; i++)
		border[-(int)i] = 0x66;
	put_form(border, size, behind);
	check("across a border, another page", border - before, before + behind + 2);
}

/* The border of two pages at many places within the instruction. */
static void across(volatile uint8_t *border)
{
	uint8_t bytes[LONGEST];

	for (unsigned n = 0; n < FORMS; n++) {
		unsigned prefixes = form(n, bytes), length = prefixes + 2;

		for (unsigned before = 1; before<length; before += length> 3 ? 3 : 1) {
			put_form(border - before, bytes, prefixes);
			check("across a border", border - before, length);
			check("across a border, again", border - before, length);
			if (before + 2 <= LONGEST)
				another_page(border, before, n % (LONGEST - 1 - before));
		}
	}
}

/* Another process, so other page tables, with other code at the same address, while this one's stays. */
static void in_a_child(volatile uint8_t *at)
{
	uint8_t bytes[LONGEST];
	unsigned prefixes = form(FORMS - 1, bytes);
	int64_t child;
	uint32_t status = 1;

	put_form(at, bytes, 0);
	check("before a child", at, 2);
	child = call(SYS_FORK, 0, 0, 0);
	if (child == 0) {
		uint64_t before = wrong;

		for (unsigned n = 0; n < 50; n++) {
			put_form(at, bytes, n % (prefixes + 1));
			check("in a child", at, n % (prefixes + 1) + 2);
		}
		call(SYS_EXIT, wrong != before, 0, 0);
	}
	for (unsigned n = 0; n < 50; n++)
		check("beside a child", at, 2);
	call6(SYS_WAIT4, child, (uint64_t)&status, 0, 0, 0, 0);
	forms++;
	if (status) {
		wrong++;
		print("code-change: wrong: the child\n");
	}
}

/* What the kernel has put into XCR0; 0: nothing, as it has no XSAVE. */
static uint64_t xcr0(void)
{
	uint32_t eax = 1, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if (!(ecx & OSXSAVE))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
	return (uint64_t)edx << 32 | eax;
}

/* XSETBV is the kernel's alone, wherever the CPU looks at that. */
static void xsetbv_in_ring_3(void)
{
	int64_t child = call(SYS_FORK, 0, 0, 0);
	uint32_t status = 0;

	if (child == 0) {
		__asm__ volatile("xsetbv" : : "a"(1), "d"(0), "c"(0));
		call(SYS_EXIT, 0, 0, 0);
	}
	call6(SYS_WAIT4, child, (uint64_t)&status, 0, 0, 0, 0);
	print((status & 0x7f) == SIGNAL_SEGV ? "code-change: XSETBV refused\n" : "code-change: XSETBV NOT refused\n");
}

/*
 * Another CPU takes the instruction away right after it was begun, most of the time. What becomes of this process is
 * its own matter (SIGILL is fair), but the guest must go on.
 */
static void race(void)
{
	volatile uint8_t *at = (volatile uint8_t *)call6(SYS_MMAP, 0, PAGE, PROT_RWX, SHARED, -1, 0);
	volatile uint16_t *code = (volatile uint16_t *)(at + 16);
	int64_t child;
	uint32_t status = 0;

	put_form(at + 16, 0, 0);
	child = call(SYS_FORK, 0, 0, 0);
	if (child == 0) {
		uint64_t end = clock_nanoseconds(CLOCK_MONOTONIC) + 5000000000ull;

		while (clock_nanoseconds(CLOCK_MONOTONIC) < end)
			for (unsigned i = 0; i < 1000; i++)
				run(at + 16);
		call(SYS_EXIT, 0, 0, 0);
	}
	while (call6(SYS_WAIT4, child, (uint64_t)&status, WNOHANG, 0, 0, 0) == 0)
		for (unsigned i = 0; i < 1000; i++) {
			*code = 0xa20f;
			*code = 0x9066; /* a NOP of the same length */
			for (unsigned j = 0; j < 20; j++)
				__asm__ volatile("pause");
		}
	print("code-change: raced, status ");
	print_number(status);
	print("\n");
}

int program(int words, char **word)
{
	volatile uint8_t *two = map(0, 2);
	uint64_t before = xcr0();

	(void)word;
	if (words > 1) {
		race();
		return 0;
	}
	put_form(two, 0, 0);
	expected = run(two);
	rewritten(two + 0x123);
	rewritten(two + PAGE - 30);
	remapped(two + 0x456);
	across(two + PAGE);
	in_a_child(two + 0x789);
	xsetbv_in_ring_3();
	print(xcr0() == before ? "code-change: XCR0 kept, " : "code-change: XCR0 LOST, ");
	print_number(before);
	print("\ncode-change: ");
	print_number(forms - wrong);
	print(" forms right");
	if (wrong) {
		print(", ");
		print_number(wrong);
		print(" wrong");
	}
	print("\n");
	return wrong != 0;
}
