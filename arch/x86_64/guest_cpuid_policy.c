/*
 * What guests and natives are offered. A feature is offered if its bit is in the list below and the
 * host has it, or if we emulate it. What is absent from the lists is so for a reason: it needs
 * state that is not switched (PKU, CET, AMX, MPX, LAM), belongs to the host (VMX, SVM, SMX,
 * MONITOR, thermal, PDCM, DS, perfmon, SGX, PT, RDT), is broken by design (TSX), or is a later
 * subject (SPEC_CTRL, ARCH_CAPABILITIES).
 *
 * MCE and MCA are offered, with no banks (MCG_CAP = 0): Linux grumbles without.
 */
#include <stddef.h>
#include <guests/lib/bh_string.h>
#include "clock.h"
#include "guest_apic.h"
#include "guest_cpuid.h"
#include "msr.h"
#include "xstate.h"

#define BIT(n) (1u << (n))

#define F1C_PCID	 BIT(17)
#define F1C_X2APIC	 BIT(21)
#define F1C_TSC_DEADLINE BIT(24)
#define F1C_XSAVE	 BIT(26)
#define F1C_AVX		 BIT(28)
#define F1C_HYPERVISOR	 BIT(31)
#define F1D_APIC	 BIT(9)
#define F7B_FSGSBASE	 BIT(0)
#define F7B_TSC_ADJUST	 BIT(1)
#define F7B_SMEP	 BIT(7)
#define F7B_INVPCID	 BIT(10)
#define F7B_AVX512F	 BIT(16)
#define F7B_SMAP	 BIT(20)
#define F7C_UMIP	 BIT(2)
#define F7C_RDPID	 BIT(22)
#define F81D_SYSCALL	 BIT(11)
#define F81D_NX		 BIT(20)
#define F81D_RDTSCP	 BIT(27)
#define FDA_XSAVEC	 BIT(1)
#define FDA_XSAVES	 BIT(3)

#define GUEST_PHYSICAL_BITS 48u /* what four levels of nested tables reach */

#define WORD(member) offsetof(struct guest_cpuid_policy, member)

/* Features of the host's that are passed on, word by word. Those of one row need the same bits of XCR0. */
static const struct offer {
	size_t word;
	uint32_t guest, native;
	uint64_t xcr0;
} offers[] = {
	/* SSE3 PCLMULQDQ SSSE3 CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES RDRAND */
	{ WORD(basic[1].ecx),
	  BIT(0) | BIT(1) | BIT(9) | BIT(13) | F1C_PCID | BIT(19) | BIT(20) | BIT(22) | BIT(23) | BIT(25) | BIT(30),
	  BIT(13) | BIT(22) | BIT(23) | BIT(30), 0 },
	{ WORD(basic[1].ecx), F1C_XSAVE, 0, XCR0_X87 },
	/* FMA AVX F16C */
	{ WORD(basic[1].ecx), BIT(12) | F1C_AVX | BIT(29), 0, XCR0_AVX },
	/*
	 * FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2 SS;
	 * natives: PSE TSC MSR PAE CX8 PGE CMOV CLFSH
	 */
	{ WORD(basic[1].edx), 0x0f8bfbff, 0x0008a178, 0 },
	/*
	 * FSGSBASE BMI1 SMEP BMI2 ERMS INVPCID RDSEED ADX SMAP CLFLUSHOPT CLWB SHA; 6 and 13 say how the x87's
	 * pointers behave: as the host's do
	 */
	{ WORD(basic[7].ebx),
	  F7B_FSGSBASE | BIT(3) | BIT(6) | F7B_SMEP | BIT(8) | BIT(9) | F7B_INVPCID | BIT(13) | BIT(18) | BIT(19) |
		  F7B_SMAP | BIT(23) | BIT(24) | BIT(29),
	  F7B_FSGSBASE | F7B_SMEP | BIT(9) | BIT(18) | BIT(19) | F7B_SMAP | BIT(23), 0 },
	/* AVX2 */
	{ WORD(basic[7].ebx), BIT(5), 0, XCR0_AVX },
	/* AVX512F DQ IFMA CD BW VL */
	{ WORD(basic[7].ebx), F7B_AVX512F | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31), 0, XCR0_AVX512 },
	/* UMIP GFNI RDPID MOVDIRI MOVDIR64B */
	{ WORD(basic[7].ecx), F7C_UMIP | BIT(8) | F7C_RDPID | BIT(27) | BIT(28), F7C_UMIP, 0 },
	/* VAES VPCLMULQDQ */
	{ WORD(basic[7].ecx), BIT(9) | BIT(10), 0, XCR0_AVX },
	/* AVX512_VBMI VBMI2 VNNI BITALG VPOPCNTDQ */
	{ WORD(basic[7].ecx), BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14), 0, XCR0_AVX512 },
	/* FSRM MD_CLEAR SERIALIZE */
	{ WORD(basic[7].edx), BIT(4) | BIT(10) | BIT(14), BIT(4) | BIT(14), 0 },
	/* AVX512_4VNNIW 4FMAPS VP2INTERSECT FP16 */
	{ WORD(basic[7].edx), BIT(2) | BIT(3) | BIT(8) | BIT(23), 0, XCR0_AVX512 },
	/* LAHF ALTMOVCR8 LZCNT SSE4A MISALIGNSSE PREFETCHW; natives: LAHF LZCNT PREFETCHW */
	{ WORD(extended[1].ecx), 0x1f1, 0x121, 0 },
	/* SYSCALL NX MMXEXT PAGE1G RDTSCP LM */
	{ WORD(extended[1].edx), F81D_SYSCALL | F81D_NX | BIT(22) | BIT(26) | F81D_RDTSCP | BIT(29),
	  F81D_NX | BIT(26) | BIT(29), 0 },
	/* sizes of the level 2 cache */
	{ WORD(extended[6].ecx), UINT32_MAX, UINT32_MAX, 0 },
	/* invariant TSC */
	{ WORD(extended[7].edx), BIT(8), BIT(8), 0 },
};

/* What the host says: the leaves that policies are made from. */
static void ask_host(struct guest_cpuid_policy *host)
{
	uint32_t extended = cpuid(0x80000000, 0).eax;

	memset(host, 0, sizeof(*host));
	host->basic[0] = cpuid(0, 0);
	host->basic[1] = cpuid(1, 0);
	if (host->basic[0].eax >= 7)
		host->basic[7] = cpuid(7, 0);
	for (uint32_t i = 1; i < CPUID_EXTENDED && 0x80000000 + i <= extended; i++)
		host->extended[i] = cpuid(0x80000000 + i, 0);
}

static uint32_t *word_at(struct guest_cpuid_policy *p, size_t offset)
{
	return (uint32_t *)(void *)((uint8_t *)p + offset);
}

static void features(struct guest_cpuid_policy *p, struct guest_cpuid_policy *host, bool is_guest, uint32_t missing)
{
	struct cpuid *one = &p->basic[1], *seven = &p->basic[7];

	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		const struct offer *o = &offers[i];

		if ((p->xcr0 & o->xcr0) == o->xcr0)
			*word_at(p, o->word) |= *word_at(host, o->word) & (is_guest ? o->guest : o->native);
	}
	one->ecx |= F1C_HYPERVISOR;
	if (is_guest) { /* emulated */
		one->ecx |= F1C_X2APIC | F1C_TSC_DEADLINE;
		one->edx |= F1D_APIC;
		seven->ebx |= F7B_TSC_ADJUST;
	}
	if ((missing & GUEST_CPUID_NO_INVPCID) || !(one->ecx & F1C_PCID))
		seven->ebx &= ~F7B_INVPCID;
	if (missing & GUEST_CPUID_NO_RDTSCP) {
		p->extended[1].edx &= ~F81D_RDTSCP;
		seven->ecx &= ~F7C_RDPID;
	}
}

/* Leaf Dh: places of the components are the host's, because its instructions use them. */
static void xsave(struct guest_cpuid_policy *p, const struct guest_cpuid_policy *host, uint32_t missing)
{
	p->xcr0 = xstate_xcr0_supported();
	if (!(host->basic[1].ecx & F1C_AVX))
		p->xcr0 &= XCR0_X87 | XCR0_SSE;
	if (!(host->basic[7].ebx & F7B_AVX512F))
		p->xcr0 &= ~(uint64_t)XCR0_AVX512;
	if (!p->xcr0)
		return;
	p->component[1].eax = cpuid(0xd, 1).eax & 0xf; /* XSAVEOPT XSAVEC XGETBV1 XSAVES */
	if (missing & GUEST_CPUID_NO_XSAVEC)
		p->component[1].eax &= ~FDA_XSAVEC;
	if ((missing & GUEST_CPUID_NO_XSAVES) || !(p->component[1].eax & FDA_XSAVEC))
		p->component[1].eax &= ~FDA_XSAVES;
	for (uint32_t i = 2; i < CPUID_COMPONENTS; i++)
		if (p->xcr0 >> i & 1) {
			p->component[i] = cpuid(0xd, i);
			p->component[i].ecx &= 2; /* in XCR0, not XSS; alignment */
			p->component[i].edx = 0;
		}
}

/* Leaf 4: which caches there are; how they are shared depends on the partition. */
static void caches(struct guest_cpuid_policy *p)
{
	for (uint32_t i = 0; i < CPUID_CACHES; i++) {
		p->cache[i] = cpuid(4, i);
		if (!(p->cache[i].eax & 0x1f)) {
			p->cache[i] = (struct cpuid){ 0 };
			break;
		}
		p->cache[i].eax &= 0x3ff;
	}
	p->basic[2].eax = 0xff01; /* descriptor FFh: see leaf 4 */
}

static void numbers(struct guest_cpuid_policy *p, const struct guest_cpuid_policy *host)
{
	/* The brand string is ours: the host's would promise a frequency and a number of cores. */
	char brand[48] = "Bulkhead virtual CPU";
	uint32_t mhz = (uint32_t)((clock_hz + 500000) / 1000000), physical = host->extended[8].eax & 0xff;

	_Static_assert(sizeof(brand) == 3 * sizeof(struct cpuid), "SDM vol. 2, CPUID, 80000002h");
	memcpy(&p->extended[2], brand, sizeof(brand));
	p->basic[0] = host->basic[0];
	p->basic[0].eax = CPUID_BASIC - 1;
	p->basic[1].eax = host->basic[1].eax & 0x0fff3fff; /* family, model, stepping */
	p->basic[1].ebx = host->basic[1].ebx & 0xff00;	   /* CLFLUSH's line */
	/* The crystal is the TSC itself (or half of it), so its ratio is 1 (or 2). */
	p->basic[0x15].eax = 1;
	p->basic[0x15].ebx = 1u << guest_apic_crystal_shift();
	p->basic[0x15].ecx = (uint32_t)(clock_hz >> guest_apic_crystal_shift());
	p->basic[0x16] = (struct cpuid){ .eax = mhz, .ebx = mhz, .ecx = 100 };
	p->extended[0].eax = 0x80000000 + CPUID_EXTENDED - 1;
	p->extended[8].eax = (physical < GUEST_PHYSICAL_BITS ? physical : GUEST_PHYSICAL_BITS) | 48u << 8;
}

/* CR4 (SDM vol. 3, 2.5): bits 0 to 10 are as old as x86-64, PVI comes with VME. */
static uint64_t cr4(const struct guest_cpuid_policy *p, bool is_guest)
{
	const struct cpuid *one = &p->basic[1], *seven = &p->basic[7];
	uint64_t bits = is_guest ? 0x7ff : 0x0bc; /* natives: TSD DE PSE PAE PGE */

	bits |= seven->ecx & F7C_UMIP ? CR4_UMIP : 0;
	bits |= seven->ebx & F7B_FSGSBASE ? CR4_FSGSBASE : 0;
	bits |= one->ecx & F1C_PCID ? CR4_PCIDE : 0;
	bits |= one->ecx & F1C_XSAVE ? CR4_OSXSAVE : 0;
	bits |= seven->ebx & F7B_SMEP ? CR4_SMEP : 0;
	bits |= seven->ebx & F7B_SMAP ? CR4_SMAP : 0;
	return bits;
}

void guest_cpuid_compute(struct guest_cpuid_policy *p, bool is_guest, uint32_t missing)
{
	static struct guest_cpuid_policy host;

	ask_host(&host);
	memset(p, 0, sizeof(*p));
	if (is_guest)
		xsave(p, &host, missing);
	features(p, &host, is_guest, missing);
	numbers(p, &host);
	caches(p);
	p->basic[6].eax = is_guest ? BIT(2) : 0; /* ARAT: the APIC timer never stops */
	p->xsaves = p->component[1].eax & FDA_XSAVES;
	p->cr4 = cr4(p, is_guest);
	p->efer = EFER_LME | EFER_LMA;
	p->efer |= p->extended[1].edx & F81D_NX ? EFER_NXE : 0;
	p->efer |= p->extended[1].edx & F81D_SYSCALL ? EFER_SCE : 0;
}
