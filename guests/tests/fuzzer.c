/*
 * fuzzer.c: 100,000 random hypercalls, of all numbers, half of them from ring 3, and a look at each
 * result and at every register. It ends with 0 if all was as abi.h says; with a report of the first
 * call that was not.
 *
 * Two calls are tamed: BH_EXIT is only made from ring 3, where it must be refused, and BH_WAIT
 * never waits for long.
 */
#include "bh.h"
#include "terminal.h"

#define CALLS 100000

#define SELECTOR_TSS 0x28

struct tss { /* SDM vol. 3, figure 8-11 */
	uint32_t reserved0;
	uint64_t rsp0;
	uint32_t rest[22];
	uint16_t reserved1, io_map;
} __attribute__((packed));

void fuzzer_call(uint64_t registers[16]);
void fuzzer_call3(uint64_t registers[16], void *stack);
void fuzzer_back(void);

extern uint64_t bh_pagetables[];

static struct tss tss;
static uint64_t gdt[7];
static uint8_t user_stack[4096] __attribute__((aligned(16)));
static uint8_t back_stack[4096] __attribute__((aligned(16)));
static struct terminal terminal;
static uint64_t seed;

static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

static uint64_t below(uint64_t limit) { return random64() % limit; }

/* ---- ring 3 ---- */

static void set_up_gdt(void)
{
	uint64_t base = (uint64_t)&tss, limit = sizeof(tss) - 1;
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdtr = { sizeof(gdt) - 1, (uint64_t)gdt };

	gdt[1] = 0x00af9b000000ffff; /* the runtime's */
	gdt[2] = 0x00cf93000000ffff;
	gdt[3] = 0x00cff3000000ffff; /* user data */
	gdt[4] = 0x00affb000000ffff; /* user code, 64-bit */
	gdt[5] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	gdt[6] = base >> 32;
	tss.rsp0 = (uint64_t)back_stack + sizeof(back_stack);
	tss.io_map = sizeof(tss);
	__asm__ volatile("lgdt %0\n\tltr %w1" : : "m"(gdtr), "r"(SELECTOR_TSS));
}

/* Everything below 4 GiB becomes ring 3's too; SMEP and SMAP would then bar ring 0 from it. */
static void open_to_ring3(void)
{
	uint64_t cr4, cr3;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	if (cr4 & (3ull << 20))
		__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 & ~(3ull << 20)));
	for (unsigned i = 0; i < 7 * 512; i++)
		if (bh_pagetables[i])
			bh_pagetables[i] |= 4;
	__asm__ volatile("mov %%cr3, %0\n\tmov %0, %%cr3" : "=r"(cr3) : : "memory");
}

/* ---- random calls ---- */

static uint64_t random_number(void)
{
	switch (below(8)) {
	case 0: return random64();
	case 1: return below(32); /* KVM's */
	case 2: return BH_HYPERCALL_END + below(100);
	case 3: return (random64() << 32) | (BH_HYPERCALL_BASE + below(24)); /* wrong upper half */
	default: return BH_HYPERCALL_BASE + below(BH_HYPERCALL_END - BH_HYPERCALL_BASE);
	}
}

static uint64_t random_argument(void)
{
	const struct bh_info *info = bh_info();

	switch (below(6)) {
	case 0: return random64();
	case 1: return below(64);
	case 2: return info->handles ? info->handle[below(info->handles)].handle : 0;
	case 3: return 1ull << below(64);
	case 4: return (uint64_t) - (int64_t)below(16);
	default: return random64() >> below(64);
	}
}

static bool is_known(uint64_t number) { return number >= BH_HYPERCALL_BASE && number < BH_HYPERCALL_END; }

/* Texts fill the log and the report, which are there for more than this: one in a hundred is
 * enough. */
static bool is_noisy(uint64_t number) { return (number == BH_LOG || number == BH_REPORT) && below(100); }

static void choose(uint64_t registers[16], bool ring3)
{
	do {
		registers[BH_RAX] = random_number();
	} while ((registers[BH_RAX] == BH_EXIT && !ring3) || is_noisy(registers[BH_RAX]));
	for (unsigned i = 1; i < 16; i++)
		registers[i] = random_argument();
	/* Most calls begin with a handle: let it be a good one more often than chance would have it. */
	if (below(2))
		registers[BH_RDI] = bh_info()->handle[below(bh_info()->handles + 1)].handle;
	if (registers[BH_RAX] == BH_WAIT)
		registers[BH_RSI] = below(2) ? 0 : bh_rdtsc() + below(10000);
}

static bool is_documented(uint64_t number, int64_t result, bool ring3)
{
	if (!is_known(number))
		return result == -BH_ENOSYS || (ring3 && result == -BH_EPERM);
	if (ring3)
		return result == -BH_EPERM;
	return result >= 0 || (result >= -BH_ENOENT && result <= -BH_EPERM);
}

static void try_one(bool ring3, unsigned *good)
{
	uint64_t before[16], after[16];

	choose(before, ring3);
	memcpy(after, before, sizeof(after));
	if (ring3)
		fuzzer_call3(after, user_stack + sizeof(user_stack));
	else
		fuzzer_call(after);

	if (!is_documented(before[BH_RAX], (int64_t)after[BH_RAX], ring3))
		bh_fail("hypercall %#lx (%#lx, %#lx, %#lx) from ring %u returned %ld\n", before[BH_RAX], before[BH_RDI],
			before[BH_RSI], before[BH_RDX], ring3 ? 3 : 0, (int64_t)after[BH_RAX]);
	*good += (int64_t)after[BH_RAX] >= 0;
	for (unsigned i = 1; i < 16; i++)
		if (i != BH_RSP && after[i] != before[i])
			bh_fail("hypercall %#lx from ring %u changed register %u: %#lx to %#lx\n", before[BH_RAX],
				ring3 ? 3 : 0, i, before[i], after[i]);
}

int main(unsigned vcpu)
{
	unsigned good[2] = { 0, 0 };

	if (vcpu != 0)
		return 0;
	if (!terminal_open_console(&terminal, vcpu, 0))
		bh_fail("no channel \"console\"\n");
	seed = 0x243f6a8885a308d3ull + bh_info()->restarts;
	set_up_gdt();
	open_to_ring3();
	bh_gate(0x80, fuzzer_back, 3);

	for (unsigned i = 0; i < CALLS; i++) {
		try_one(i & 1, &good[i & 1]);
		if ((i + 1) % 10000 == 0)
			terminal_printf(&terminal, "fuzzer: %u calls\r\n", i + 1);
	}
	terminal_printf(&terminal, "fuzzer: done, %u calls, accepted %u from ring 0 and %u from ring 3\r\n", CALLS,
			good[0], good[1]);
	return good[1] != 0;
}
