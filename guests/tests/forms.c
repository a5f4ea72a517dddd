/*
 * forms.c: hypercalls and CPUID with all kinds of prefixes, at many addresses; then at one address, whose page tables
 * change at each level. Each must answer, and go on right behind itself.
 */
#include "bh.h"
#include "terminal.h"

#define ADDRESS	 0x1f0000ull /* within the first 2 MiB, where the runtime maps 4 KiB pages and nothing lies */
#define OFFSET	 0x123u
#define PRESENT	 0x63ull /* as crt0.S says: writable, accessed, dirty */
#define TABLE	 0x23ull
#define PAGE	 4096u
#define ROUNDS	 20u
#define LOW_CALL 5u /* no hypercall of ours */

typedef const uint8_t *code;

extern const code forms_vmmcall[], forms_cpuid[]; /* up to NULL */
extern const uint8_t forms_page_a[], forms_page_b[], forms_page_c[], forms_page_d[];
extern uint64_t bh_pagetables[];

static unsigned right, wrong;
static struct terminal terminal;

/* ---- one form ---------------------------------------------------------------------------------- */

struct answer {
	uint64_t rax, rbx, rcx, rdx, behind;
};

static struct answer run(code form, uint64_t rax)
{
	struct answer a = { .rax = rax, .behind = 100 };

	__asm__ volatile("call *%5"
			 : "+a"(a.rax), "+b"(a.rbx), "+c"(a.rcx), "+d"(a.rdx), "+D"(a.behind)
			 : "r"(form)
			 : "memory", "cc");
	return a;
}

static void count(bool good, const char *what, code form)
{
	if (good) {
		right++;
		return;
	}
	if (!wrong++)
		terminal_printf(&terminal, "forms: wrong: %s at %p\r\n", what, form);
}

static void check_vmmcall(code form)
{
	struct answer null = run(form, BH_NULL), low = run(form, LOW_CALL);

	count(null.rax == 0 && null.behind == 103, "BH_NULL", form);
	count(low.rax == (uint64_t)-BH_ENOSYS && low.behind == 103, "a low hypercall", form);
}

static void check_cpuid(code form)
{
	struct answer a = run(form, BH_CPUID_LEAF);

	count(a.rax == BH_CPUID_LEAF + 1 && !memcmp(&a.rbx, BH_CPUID_SIGNATURE, 4) &&
		      !memcmp(&a.rcx, BH_CPUID_SIGNATURE + 4, 4) && !memcmp(&a.rdx, BH_CPUID_SIGNATURE + 8, 4) &&
		      a.behind == 103,
	      "CPUID", form);
}

/* ---- page tables ------------------------------------------------------------------------------- */

/* Other tables that differ in one page: the runtime's own, and the way to it through these. */
static uint64_t other_root[512] __attribute__((aligned(PAGE)));
static uint64_t other_pdpt[512] __attribute__((aligned(PAGE)));
static uint64_t other_pd[512] __attribute__((aligned(PAGE)));
static uint64_t other_pt[512] __attribute__((aligned(PAGE)));

static uint64_t *const own[] = { bh_pagetables, bh_pagetables + 512, bh_pagetables + 1024, bh_pagetables + 6 * 512 };
static uint64_t *const other[] = { other_root, other_pdpt, other_pd, other_pt };

static void load_cr3(const uint64_t *root) { __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory"); }

/* `first` at ADDRESS in the runtime's tables, `second` in the others. */
static void make_tables(const uint8_t *first, const uint8_t *second)
{
	own[3][ADDRESS / PAGE] = (uint64_t)first | PRESENT;
	for (unsigned i = 0; i < 4; i++)
		memcpy(other[i], own[i], PAGE);
	for (unsigned i = 0; i < 3; i++)
		other[i][0] = (uint64_t)other[i + 1] | TABLE;
	other[3][ADDRESS / PAGE] = (uint64_t)second | PRESENT;
	load_cr3(own[0]);
}

/* The way turns off at `level`: 0 is CR3, 1 to 3 an entry that names a table, 4 the page's. */
static void turn(unsigned level, bool away, const uint8_t *page)
{
	if (level == 0) {
		load_cr3(away ? other[0] : own[0]);
		return;
	}
	if (level == 4)
		own[3][ADDRESS / PAGE] = (uint64_t)page | PRESENT;
	else
		own[level - 1][0] = (uint64_t)(away ? other[level] : own[level]) | TABLE;
	load_cr3(own[0]);
}

static void check_remapped(void (*check)(code), const uint8_t *first, const uint8_t *second)
{
	const uint8_t *at = (const uint8_t *)ADDRESS + OFFSET;

	make_tables(first, second);
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned level = 0; level <= 4; level++) {
			turn(level, true, second);
			check(at);
			check(at);
			turn(level, false, first);
			check(at);
			check(at);
		}
}

int main(unsigned vcpu)
{
	if (vcpu != 0)
		return 0;
	if (!terminal_open_console(&terminal, vcpu, 0))
		bh_fail("no channel \"console\"\n");
	for (unsigned round = 0; round < 3; round++) {
		for (const code *form = forms_vmmcall; *form; form++)
			check_vmmcall(*form);
		for (const code *form = forms_cpuid; *form; form++)
			check_cpuid(*form);
	}
	terminal_printf(&terminal, "forms: at many addresses: %u right\r\n", right);
	check_remapped(check_cpuid, forms_page_a, forms_page_b);
	check_remapped(check_vmmcall, forms_page_c, forms_page_d);
	check_remapped(check_vmmcall, forms_page_d, forms_page_c);
	terminal_printf(&terminal, "forms: done: %u right %u wrong\r\n", right, wrong);
	return wrong != 0;
}
