/*
 * What guests and natives are offered. A feature is offered if its bit is in the list below and the
 * host has it, or if we emulate it. What is absent from the lists is so for a reason: it needs
 * state that is not switched (PKU, CET, AMX, MPX, LAM), belongs to the host (VMX, SVM, SMX,
 * MONITOR, thermal, PDCM, DS, perfmon, SGX, PT, RDT), is broken by design (TSX), or is a later
 * subject (SPEC_CTRL, ARCH_CAPABILITIES).
 *
 * MCE and MCA are offered, with no banks (MCG_CAP = 0): Linux grumbles without.
 */
#include "guest_cpuid.h"
#include "guest_cpuid_internal.h"
#include <guests/lib/bh_string.h>
#include "xstate.h"

#define BIT(n) (1u << (n))

/* Leaf 1 ECX, EDX */
#define F1C_SSE3	 BIT(0)
#define F1C_PCLMULQDQ	 BIT(1)
#define F1C_SSSE3	 BIT(9)
#define F1C_FMA		 BIT(12)
#define F1C_CX16	 BIT(13)
#define F1C_PCID	 BIT(17)
#define F1C_SSE4	 (BIT(19) | BIT(20))
#define F1C_X2APIC	 BIT(21)
#define F1C_MOVBE	 BIT(22)
#define F1C_POPCNT	 BIT(23)
#define F1C_TSC_DEADLINE BIT(24)
#define F1C_AES		 BIT(25)
#define F1C_XSAVE	 BIT(26)
#define F1C_AVX		 BIT(28)
#define F1C_F16C	 BIT(29)
#define F1C_RDRAND	 BIT(30)
#define F1C_HYPERVISOR	 BIT(31)
/* FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2
 * SS */
#define F1D_GUEST 0x0f8bfbffu
/* PSE TSC MSR PAE CX8 PGE CMOV CLFSH */
#define F1D_NATIVE 0x0008a178u
#define F1D_APIC   BIT(9)

/* Leaf 7 EBX, ECX, EDX */
#define F7B_FSGSBASE   BIT(0)
#define F7B_TSC_ADJUST BIT(1)
#define F7B_FDP	       (BIT(6) | BIT(13)) /* how the x87's pointers behave: as the host's do */
#define F7B_BMI	       (BIT(3) | BIT(8))
#define F7B_AVX2       BIT(5)
#define F7B_SMEP       BIT(7)
#define F7B_ERMS       BIT(9)
#define F7B_INVPCID    BIT(10)
#define F7B_AVX512F    BIT(16)
#define F7B_AVX512     (F7B_AVX512F | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31))
#define F7B_RDSEED     BIT(18)
#define F7B_ADX	       BIT(19)
#define F7B_SMAP       BIT(20)
#define F7B_CLFLUSHOPT BIT(23)
#define F7B_CLWB       BIT(24)
#define F7B_SHA	       BIT(29)
#define F7C_UMIP       BIT(2)
#define F7C_GFNI       BIT(8)
#define F7C_AVX	       (BIT(9) | BIT(10)) /* VAES, VPCLMULQDQ */
#define F7C_AVX512     (BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14))
#define F7C_RDPID      BIT(22)
#define F7C_MOVDIR     (BIT(27) | BIT(28))
#define F7D_AVX512     (BIT(2) | BIT(3) | BIT(8) | BIT(23))
#define F7D_FSRM       BIT(4)
#define F7D_MD_CLEAR   BIT(10)
#define F7D_SERIALIZE  BIT(14)

/* Leaf Dh.1 EAX */
#define FDA_XSAVEOPT BIT(0)
#define FDA_XSAVEC   BIT(1)
#define FDA_XGETBV1  BIT(2)
#define FDA_XSAVES   BIT(3)

/* Leaf 80000001h ECX: LAHF, ALTMOVCR8, LZCNT, SSE4A, MISALIGNSSE, PREFETCHW. EDX: as below, AMD
 * repeats leaf 1's. */
#define F81C_GUEST	0x000001f1u
#define F81C_NATIVE	0x00000121u
#define F81D_AMD_REPEAT 0x0183f3ffu
#define F81D_SYSCALL	BIT(11)
#define F81D_NX		BIT(20)
#define F81D_MMXEXT	BIT(22)
#define F81D_PAGE1G	BIT(26)
#define F81D_RDTSCP	BIT(27)
#define F81D_LM		BIT(29)
#define F87D_INVARIANT	BIT(8)

#define GUEST_PHYSICAL_BITS 48u /* what four levels of nested tables reach */

/* The host's word within the list, and what we emulate. */
static uint32_t offer(bool is_guest, uint32_t host, uint32_t guest, uint32_t native)
{
	return host & (is_guest ? guest : native);
}

static void leaf_1(struct guest_cpuid_policy *p, bool is_guest)
{
	struct cpuid host = host_cpuid(1, 0);
	struct cpuid *leaf = &p->basic[1];

	leaf->eax = host.eax & 0x0fff3fff; /* family, model, stepping */
	leaf->ebx = host.ebx & 0xff00;	   /* CLFLUSH's line */
	leaf->ecx = offer(is_guest, host.ecx,
			  F1C_SSE3 | F1C_PCLMULQDQ | F1C_SSSE3 | F1C_FMA | F1C_CX16 | F1C_PCID | F1C_SSE4 | F1C_MOVBE |
				  F1C_POPCNT | F1C_AES | F1C_XSAVE | F1C_AVX | F1C_F16C | F1C_RDRAND,
			  F1C_CX16 | F1C_MOVBE | F1C_POPCNT | F1C_RDRAND);
	leaf->edx = offer(is_guest, host.edx, F1D_GUEST, F1D_NATIVE);
	leaf->ecx |= F1C_HYPERVISOR;
	if (is_guest) {
		leaf->ecx |= F1C_X2APIC | F1C_TSC_DEADLINE;
		leaf->edx |= F1D_APIC;
	}
}

static void leaf_7(struct guest_cpuid_policy *p, bool is_guest)
{
	struct cpuid host = { 0 };
	struct cpuid *leaf = &p->basic[7];

	if (host_cpuid(0, 0).eax >= 7)
		host = host_cpuid(7, 0);
	leaf->ebx = offer(is_guest, host.ebx,
			  F7B_FSGSBASE | F7B_FDP | F7B_BMI | F7B_AVX2 | F7B_SMEP | F7B_ERMS | F7B_INVPCID | F7B_AVX512 |
				  F7B_RDSEED | F7B_ADX | F7B_SMAP | F7B_CLFLUSHOPT | F7B_CLWB | F7B_SHA,
			  F7B_FSGSBASE | F7B_SMEP | F7B_ERMS | F7B_RDSEED | F7B_ADX | F7B_SMAP | F7B_CLFLUSHOPT);
	leaf->ecx = offer(is_guest, host.ecx, F7C_UMIP | F7C_GFNI | F7C_AVX | F7C_AVX512 | F7C_RDPID | F7C_MOVDIR,
			  F7C_UMIP);
	leaf->edx = offer(is_guest, host.edx, F7D_AVX512 | F7D_FSRM | F7D_MD_CLEAR | F7D_SERIALIZE,
			  F7D_FSRM | F7D_SERIALIZE);
	if (is_guest)
		leaf->ebx |= F7B_TSC_ADJUST;
}

/* The brand string is ours: the host's would promise a frequency and a number of cores. */
static void brand(struct guest_cpuid_policy *p)
{
	char text[48] = "Bulkhead virtual CPU";

	_Static_assert(sizeof(text) == 3 * sizeof(struct cpuid), "SDM vol. 2, CPUID, 80000002h");
	memcpy(&p->extended[2], text, sizeof(text));
}

static void extended(struct guest_cpuid_policy *p, bool is_guest)
{
	uint32_t highest = host_cpuid(0x80000000, 0).eax, physical = 36;
	struct cpuid *leaf = p->extended, host = host_cpuid(0x80000001, 0);

	leaf[0] = p->basic[0];
	leaf[0].eax = 0x80000000 + CPUID_EXTENDED - 1;
	if (p->is_intel)
		leaf[0].ebx = leaf[0].ecx = leaf[0].edx = 0;
	leaf[1].ecx = offer(is_guest, host.ecx, F81C_GUEST, F81C_NATIVE);
	leaf[1].edx =
		offer(is_guest, host.edx, F81D_SYSCALL | F81D_NX | F81D_MMXEXT | F81D_PAGE1G | F81D_RDTSCP | F81D_LM,
		      F81D_NX | F81D_PAGE1G | F81D_LM);
	if (!p->is_intel)
		leaf[1].edx |= p->basic[1].edx & F81D_AMD_REPEAT;
	brand(p);
	if (highest >= 0x80000006) { /* sizes of caches, and nothing else */
		leaf[5] = p->is_intel ? leaf[5] : host_cpuid(0x80000005, 0);
		leaf[6] = host_cpuid(0x80000006, 0);
	}
	if (highest >= 0x80000007)
		leaf[7].edx = host_cpuid(0x80000007, 0).edx & F87D_INVARIANT;
	if (highest >= 0x80000008)
		physical = host_cpuid(0x80000008, 0).eax & 0xff;
	if (physical > GUEST_PHYSICAL_BITS)
		physical = GUEST_PHYSICAL_BITS;
	leaf[8].eax = physical | 48u << 8;
}

/* Leaves 15h and 16h: the crystal is the TSC itself (or half of it), so its ratio is 1 (or 2). */
static void frequency(struct guest_cpuid_policy *p)
{
	uint32_t mhz = (uint32_t)((clock_hz + 500000) / 1000000);

	p->basic[0x15].eax = 1;
	p->basic[0x15].ebx = 1u << guest_crystal_shift();
	p->basic[0x15].ecx = (uint32_t)(clock_hz >> guest_crystal_shift());
	p->basic[0x16] = (struct cpuid){ .eax = mhz, .ebx = mhz, .ecx = 100 };
}

/* Leaf 4: which caches there are; how they are shared depends on the partition. AMD's hosts have no
 * leaf 4. */
static void caches(struct guest_cpuid_policy *p)
{
	if (!p->is_intel)
		return;
	for (uint32_t i = 0; i < CPUID_CACHES; i++) {
		struct cpuid host = host_cpuid(4, i);

		if (!(host.eax & 0x1f))
			break;
		host.eax &= 0x3ff;
		p->cache[i] = host;
	}
	p->basic[2].eax = 0xff01; /* descriptor FFh: see leaf 4 */
}

/* Leaf Dh: places of the components are the host's, because its instructions use them; the rest
 * follows. */
static void xsave(struct guest_cpuid_policy *p, bool is_guest)
{
	uint32_t features = FDA_XSAVEOPT | FDA_XSAVEC | FDA_XGETBV1 | FDA_XSAVES;

	p->xcr0 = is_guest ? xstate_xcr0_supported() : 0;
	if (!(p->basic[1].ecx & F1C_XSAVE))
		p->xcr0 = 0;
	if (!(p->basic[1].ecx & F1C_AVX))
		p->xcr0 &= XCR0_X87 | XCR0_SSE;
	if (!(p->basic[7].ebx & F7B_AVX512F))
		p->xcr0 &= ~(uint64_t)XCR0_AVX512;
	if (!p->xcr0)
		return;
	p->component[1].eax = host_cpuid(0xd, 1).eax & features;
	for (uint32_t i = 2; i < CPUID_COMPONENTS; i++)
		if (p->xcr0 >> i & 1) {
			p->component[i] = host_cpuid(0xd, i);
			p->component[i].ecx &= 2; /* in XCR0, not XSS; alignment */
			p->component[i].edx = 0;
		}
}

/* What depends on something that is not offered is not offered either. */
static void dependencies(struct guest_cpuid_policy *p, uint32_t missing)
{
	struct cpuid *one = &p->basic[1], *seven = &p->basic[7];

	if (!p->xcr0)
		one->ecx &= ~F1C_XSAVE;
	if (!(p->xcr0 & XCR0_AVX)) {
		one->ecx &= ~(F1C_AVX | F1C_FMA | F1C_F16C);
		seven->ebx &= ~F7B_AVX2;
		seven->ecx &= ~F7C_AVX;
	}
	if ((p->xcr0 & XCR0_AVX512) != XCR0_AVX512) {
		seven->ebx &= ~F7B_AVX512;
		seven->ecx &= ~F7C_AVX512;
		seven->edx &= ~F7D_AVX512;
	}
	if ((missing & GUEST_CPUID_NO_INVPCID) || !(one->ecx & F1C_PCID))
		seven->ebx &= ~F7B_INVPCID;
	if (missing & GUEST_CPUID_NO_RDTSCP) {
		p->extended[1].edx &= ~F81D_RDTSCP;
		seven->ecx &= ~F7C_RDPID;
	}
	if ((missing & GUEST_CPUID_NO_XSAVES) || !(p->component[1].eax & FDA_XSAVEC))
		p->component[1].eax &= ~FDA_XSAVES;
}

/* CR4 (SDM vol. 3, 2.5): bits 0 to 10 are as old as x86-64, PVI comes with VME. */
static uint64_t cr4(const struct guest_cpuid_policy *p, bool is_guest)
{
	const struct cpuid *one = &p->basic[1], *seven = &p->basic[7];
	uint64_t bits = is_guest ? 0x7ff : 0x0bc; /* natives: TSD DE PSE PAE PGE */

	bits |= seven->ecx & F7C_UMIP ? 1u << 11 : 0;
	bits |= seven->ebx & F7B_FSGSBASE ? 1u << 16 : 0;
	bits |= one->ecx & F1C_PCID ? 1u << 17 : 0;
	bits |= one->ecx & F1C_XSAVE ? 1u << 18 : 0;
	bits |= seven->ebx & F7B_SMEP ? 1u << 20 : 0;
	bits |= seven->ebx & F7B_SMAP ? 1u << 21 : 0;
	return bits;
}

void guest_cpuid_compute(struct guest_cpuid_policy *p, bool is_guest, uint32_t missing)
{
	memset(p, 0, sizeof(*p));
	p->basic[0] = host_cpuid(0, 0);
	p->basic[0].eax = CPUID_BASIC - 1;
	p->is_intel = p->basic[0].ebx == 0x756e6547; /* "Genu" */
	leaf_1(p, is_guest);
	leaf_7(p, is_guest);
	p->basic[6].eax = is_guest ? BIT(2) : 0; /* ARAT: the APIC timer never stops */
	caches(p);
	extended(p, is_guest);
	frequency(p);
	xsave(p, is_guest);
	dependencies(p, missing);
	p->cr4 = cr4(p, is_guest);
	p->efer = EFER_LME | EFER_LMA;
	p->efer |= p->extended[1].edx & F81D_NX ? EFER_NXE : 0;
	p->efer |= p->extended[1].edx & F81D_SYSCALL ? EFER_SCE : 0;
}
