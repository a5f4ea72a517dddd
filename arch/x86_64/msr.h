/* msr.h: model-specific registers (SDM vol. 4), by the manual's names. */
#pragma once
#include <stdint.h>

#define IA32_TSC	     0x10u
#define IA32_APIC_BASE	     0x1bu
#define IA32_FEATURE_CONTROL 0x3au
#define IA32_TSC_ADJUST	     0x3bu
#define IA32_MTRRCAP	     0xfeu
#define IA32_SYSENTER_CS     0x174u
#define IA32_SYSENTER_ESP    0x175u
#define IA32_SYSENTER_EIP    0x176u
#define IA32_MISC_ENABLE     0x1a0u
#define IA32_DEBUGCTL	     0x1d9u
#define IA32_PAT	     0x277u
#define IA32_TSC_DEADLINE    0x6e0u
#define IA32_X2APIC_FIRST    0x800u
#define IA32_X2APIC_EOI	     0x80bu
#define IA32_XSS	     0xda0u
#define IA32_EFER	     0xc0000080u
#define IA32_STAR	     0xc0000081u
#define IA32_LSTAR	     0xc0000082u
#define IA32_CSTAR	     0xc0000083u
#define IA32_FMASK	     0xc0000084u
#define IA32_FS_BASE	     0xc0000100u
#define IA32_GS_BASE	     0xc0000101u
#define IA32_KERNEL_GS_BASE  0xc0000102u
#define IA32_TSC_AUX	     0xc0000103u

/* AMD APM vol. 2, appendix A. */
#define VM_CR	    0xc0010114u
#define VM_HSAVE_PA 0xc0010117u

#define EFER_SCE  0x001u
#define EFER_LME  0x100u
#define EFER_LMA  0x400u
#define EFER_NXE  0x800u
#define EFER_SVME 0x1000u

/*
 * What this kernel loads into IA32_PAT on every CPU: WB, WC, UC-, UC, twice. (The VMCS must restore
 * it at an exit if a guest may change it.)
 */
#define PAT_VALUE 0x0007010600070106ull

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (uint64_t)high << 32;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}
