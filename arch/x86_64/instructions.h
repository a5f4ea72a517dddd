/* instructions.h: instructions that C has no words for. */
#pragma once
#include <stdint.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

#ifdef HOST_TEST /* unit tests answer in the CPU's place */
struct cpuid cpuid(uint32_t leaf, uint32_t subleaf);
void xsetbv(uint64_t value);
uint64_t xgetbv(void);
#else
static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

static inline void xsetbv(uint64_t value)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t xgetbv(void)
{
	uint64_t low, high; /* XGETBV clears the upper halves */

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low | high << 32;
}
#endif

static inline uint64_t rdtsc(void)
{
	uint64_t low, high; /* RDTSC clears the upper halves */

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | high << 32;
}

/* Control registers (SDM vol. 3, 2.5). */
#define RFLAGS_IF 0x200u

#define CR0_PE	       0x1u
#define CR0_MP	       0x2u
#define CR0_TS	       0x8u
#define CR0_ET	       0x10u
#define CR0_NE	       0x20u
#define CR0_WP	       0x10000u
#define CR0_NW	       0x20000000u
#define CR0_CD	       0x40000000u
#define CR0_PG	       0x80000000u
#define CR4_PAE	       0x20u
#define CR4_MCE	       0x40u
#define CR4_OSFXSR     0x200u
#define CR4_OSXMMEXCPT 0x400u
#define CR4_UMIP       0x800u
#define CR4_LA57       0x1000u
#define CR4_VMXE       0x2000u
#define CR4_FSGSBASE   0x10000u
#define CR4_PCIDE      0x20000u
#define CR4_OSXSAVE    0x40000u
#define CR4_SMEP       0x100000u
#define CR4_SMAP       0x200000u

#define DEFINE_CONTROL_REGISTER(name)                                           \
	static inline uint64_t read_##name(void)                                \
	{                                                                       \
		uint64_t value;                                                 \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value));          \
		return value;                                                   \
	}                                                                       \
	static inline void write_##name(uint64_t value)                         \
	{                                                                       \
		__asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory"); \
	}

DEFINE_CONTROL_REGISTER(cr0)
DEFINE_CONTROL_REGISTER(cr2)
DEFINE_CONTROL_REGISTER(cr3)
DEFINE_CONTROL_REGISTER(cr4)
#undef DEFINE_CONTROL_REGISTER

static inline void invlpg(const void *address) { __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory"); }

static inline void interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }

/* For good: nothing but NMI, SMI and INIT reach this CPU again. */
_Noreturn static inline void cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}
