/*
 * prober.c: reads and writes every I/O port, and every MSR of the three architectural ranges, and
 * counts what answered.
 *
 * What a partition has no right to must look like an empty PC: ports read as all ones and swallow
 * writes, MSRs raise #GP. A handler of its own skips an instruction that raised #GP.
 */
#include "bh.h"
#include "terminal.h"

#define VECTOR_GP 13

static volatile uint64_t faults; /* #GPs so far */
volatile uint64_t prober_skip;	 /* length of the instruction that may raise one */

void prober_count(void);
void prober_gp(void);

void prober_count(void) { faults++; }

/* On the stack: error code, RIP, CS, RFLAGS, RSP, SS. Only what C may change is saved. */
__asm__(".text\n"
	"prober_gp:\n\t"
	"push %rax\n\tpush %rcx\n\tpush %rdx\n\tpush %rsi\n\tpush %rdi\n\t"
	"push %r8\n\tpush %r9\n\tpush %r10\n\tpush %r11\n\t"
	"mov prober_skip(%rip), %rax\n\t"
	"add %rax, 80(%rsp)\n\t"
	"call prober_count\n\t"
	"pop %r11\n\tpop %r10\n\tpop %r9\n\tpop %r8\n\t"
	"pop %rdi\n\tpop %rsi\n\tpop %rdx\n\tpop %rcx\n\tpop %rax\n\t"
	"add $8, %rsp\n\t"
	"iretq");

/* ---- ports ---- */

static struct terminal terminal;

static uint32_t in32(uint16_t port)
{
	uint32_t value = 0;

	prober_skip = 1;
	__asm__ volatile("inl %1, %0" : "+a"(value) : "d"(port));
	return value;
}

static uint8_t in8(uint16_t port)
{
	uint8_t value = 0;

	prober_skip = 1;
	__asm__ volatile("inb %1, %0" : "+a"(value) : "d"(port));
	return value;
}

/* 6 is a value that resets a PC at port CF9h; it must not. */
static void out8(uint16_t port)
{
	prober_skip = 1;
	__asm__ volatile("outb %0, %1" : : "a"((uint8_t)6), "d"(port));
}

static void probe_ports(void)
{
	unsigned answered = 0, first = 0;
	uint64_t before = faults;

	for (uint32_t port = 0; port < 0x10000; port++) {
		bool silent = in8((uint16_t)port) == 0xff && in32((uint16_t)port) == 0xffffffff;

		out8((uint16_t)port);
		if (!silent && !answered++)
			first = port;
	}
	terminal_printf(&terminal, "prober: ports 65536 answered %u refused %u", answered, (unsigned)(faults - before));
	if (answered)
		terminal_printf(&terminal, " (the first %#x)", first);
	terminal_printf(&terminal, "\r\n");
}

/* ---- MSRs ---- */

struct count {
	unsigned read, written, refused;
};

static bool read_msr(uint32_t msr, uint32_t *low, uint32_t *high)
{
	uint64_t before = faults;

	prober_skip = 2;
	__asm__ volatile("rdmsr" : "=a"(*low), "=d"(*high) : "c"(msr), "0"(0), "1"(0));
	return faults == before;
}

static bool write_msr(uint32_t msr, uint32_t low, uint32_t high)
{
	uint64_t before = faults;

	prober_skip = 2;
	__asm__ volatile("wrmsr" : : "a"(low), "d"(high), "c"(msr));
	return faults == before;
}

/* Writes back what it read; where it cannot read, 0. */
static void probe_msr(uint32_t msr, struct count *count)
{
	uint32_t low = 0, high = 0;
	bool readable = read_msr(msr, &low, &high);
	bool writable = write_msr(msr, readable ? low : 0, readable ? high : 0);

	count->read += readable;
	count->written += writable;
	count->refused += !readable && !writable;
}

static void probe_msrs(uint32_t first, uint32_t last)
{
	struct count count = { 0 };

	for (uint32_t msr = first; msr <= last; msr++)
		probe_msr(msr, &count);
	terminal_printf(&terminal, "prober: MSRs %x-%x read %u written %u refused %u\r\n", first, last, count.read,
			count.written, count.refused);
}

int main(unsigned vcpu)
{
	if (vcpu != 0)
		return 0;
	if (!terminal_open_console(&terminal, vcpu, 0))
		bh_fail("no channel \"console\"\n");
	bh_gate(VECTOR_GP, prober_gp, 0);
	probe_ports();
	probe_msrs(0, 0x1fff);
	probe_msrs(0x40000000, 0x400001ff);
	probe_msrs(0xc0000000, 0xc0001fff);
	terminal_printf(&terminal, "prober: done\r\n");
	return 0;
}
