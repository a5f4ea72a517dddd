/*
 * measure.c: what a way out of a partition and back costs, in ticks of the TSC. It prints a line
 * `measure KEY TICKS` for each on its terminal, and ends.
 *
 * Each loop is measured with and without the one instruction that leaves the partition, and the
 * difference counts. The least of several rounds is taken: an interrupt that belongs to somebody
 * else only ever adds.
 */
#include "bh.h"
#include "terminal.h"

#define COUNT  1000
#define ROUNDS 5

/* Ticks of COUNT times `instructions`; RAX is set to `rax` before each. */
#define LOOP(name, instructions)                                                      \
	static uint64_t name(uint64_t rax)                                            \
	{                                                                             \
		uint64_t start = bh_rdtsc();                                          \
                                                                                      \
		__asm__ volatile("mov %1, %%r9d\n"                                    \
				 "1:\tmov %0, %%rax\n\t"                              \
				 "xor %%ecx, %%ecx\n\t" instructions "dec %%r9d\n\t"  \
				 "jnz 1b"                                             \
				 :                                                    \
				 : "S"(rax), "i"(COUNT)                               \
				 : "rax", "rbx", "rcx", "rdx", "r9", "memory", "cc"); \
		return bh_rdtsc() - start;                                            \
	}

LOOP(empty, "")
LOOP(with_cpuid, "cpuid\n\t")
LOOP(with_vmcall, "vmcall\n\t")
LOOP(with_vmmcall, "vmmcall\n\t")

static uint64_t least(uint64_t (*loop)(uint64_t), uint64_t rax)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t ticks = loop(rax);

		best = ticks < best ? ticks : best;
	}
	return best;
}

static void measure(struct terminal *terminal, const char *key, uint64_t (*loop)(uint64_t), uint64_t rax)
{
	uint64_t nothing = least(empty, rax), all = least(loop, rax);
	uint64_t each = all > nothing ? (all - nothing + COUNT / 2) / COUNT : 0;

	terminal_printf(terminal, "measure %s %u\r\n", key, (unsigned)each);
}

int main(unsigned vcpu)
{
	struct terminal terminal;

	if (vcpu != 0)
		return 0;
	if (!terminal_open_console(&terminal, vcpu, 0))
		bh_fail("no channel \"console\"\n");
	measure(&terminal, "exit.cpuid", with_cpuid, 0);
	measure(&terminal, "exit.hypercall", bh_use_vmmcall ? with_vmmcall : with_vmcall, BH_NULL);
	terminal_printf(&terminal, "measure done 1\r\n");
	return 0;
}
