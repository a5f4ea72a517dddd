#include "arch_cpu.h"
#include <stddef.h>
#include "address_space.h"
#include "cpu_this.h"
#include "instructions.h"
#include "interrupt.h"
#include "msr.h"
#include "panic.h"
#include "pool.h"

struct cpu *cpus[CPU_MAX];
unsigned cpu_count;

#define CR0_VALUE (CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE)
#define CR4_VALUE (CR4_OSXMMEXCPT | CR4_OSFXSR | CR4_MCE | CR4_PAE)

#define STRUCT_PAGES ((unsigned)((sizeof(struct cpu) + PAGE_BYTES - 1) / PAGE_BYTES))
#define IST_PAGES    (IST_COUNT * IST_BYTES / (unsigned)PAGE_BYTES)
#define STACK_PAGES  (CPU_STACK_BYTES / (unsigned)PAGE_BYTES)

static void init_gdt(struct arch_cpu *arch)
{
	uint64_t tss = (uint64_t)&arch->tss, limit = sizeof(arch->tss) - 1;

	/* SDM vol. 3, 3.4.5 and figure 8-4; "accessed" is set already, so that nothing is ever
	 * written. */
	arch->gdt[GDT_CODE / 8] = 0x00af9b000000ffffull;
	arch->gdt[GDT_DATA / 8] = 0x00cf93000000ffffull;
	arch->gdt[GDT_TSS / 8] = limit | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
	arch->gdt[GDT_TSS / 8 + 1] = tss >> 32;
}

/* A stack with a page below it that is not mapped; 0: no memory. */
static uint64_t create_stack(void)
{
	uint8_t *guard = pool_alloc(1 + STACK_PAGES);

	if (!guard || !address_space_guard(guard))
		return 0;
	return (uint64_t)guard + PAGE_BYTES + CPU_STACK_BYTES;
}

struct cpu *arch_cpu_create(uint32_t index, uint32_t apic_id, uint64_t stack_top)
{
	struct cpu *cpu = pool_alloc(STRUCT_PAGES);
	uint8_t *ist = pool_alloc(IST_PAGES);

	if (!stack_top)
		stack_top = create_stack();
	/* The pool is exhausted: what little was taken is not missed, the caller gives up more
	 * CPUs. */
	if (!cpu || !ist || !stack_top)
		return NULL;

	cpu->self = cpu;
	cpu->index = index;
	cpu->apic_id = apic_id;
	cpu->arch.stack_top = stack_top;
	cpu->arch.timer_deadline = UINT64_MAX;
	cpu->arch.tss.io_map = sizeof(cpu->arch.tss);
	cpu->arch.tss.rsp[0] = stack_top;
	for (unsigned i = 0; i < IST_COUNT; i++)
		cpu->arch.tss.ist[i] = (uint64_t)ist + (i + 1) * IST_BYTES;
	init_gdt(&cpu->arch);
	return cpu;
}

static void load_gdt(const struct arch_cpu *arch)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdtr = { sizeof(arch->gdt) - 1, (uint64_t)arch->gdt };

	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %2, %%ds\n\t"
			 "movl %2, %%es\n\t"
			 "movl %2, %%ss\n\t"
			 "movl %3, %%fs\n\t"
			 "movl %3, %%gs\n\t"
			 "ltr %w4"
			 :
			 : "m"(gdtr), "i"(GDT_CODE), "r"(GDT_DATA), "r"(0), "r"(GDT_TSS)
			 : "rax", "memory");
}

void arch_cpu_load(struct cpu *cpu)
{
	uint64_t cr4 = CR4_VALUE;

	if (read_cr4() & CR4_LA57)
		panic("the firmware left 5-level paging on (CR4.LA57); turn it off in its setup");
	if (cpuid(0, 0).eax >= 7 && cpuid(7, 0).ebx & 1u << 7)
		cr4 |= CR4_SMEP;
	load_gdt(&cpu->arch);
	wrmsr(IA32_GS_BASE, (uint64_t)cpu);
	interrupt_load();
	wrmsr(IA32_EFER, (rdmsr(IA32_EFER) & EFER_LMA) | EFER_LME | EFER_NXE);
	wrmsr(IA32_PAT, PAT_VALUE);
	write_cr0(CR0_VALUE);
	write_cr4(cr4);
}
