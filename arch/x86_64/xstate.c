#include "xstate.h"
#include <guests/lib/bh_string.h>
#include "guest_cpuid.h"
#include "instructions.h"
#include "msr.h"
#include "vcpu.h"

#define DR6_RESET    0xffff0ff0u
#define FCW_INIT     0x37fu
#define MXCSR_INIT   0x1f80u
#define LEGACY_BYTES 512u
#define HEADER_BYTES 64u

static struct {
	uint64_t xcr0; /* all that is switched; 0: no XSAVE, but FXSAVE */
	size_t area_bytes;
	unsigned first_msr, msrs; /* of msr_number[] */
} host;

/* What a service's CPU holds. */
static const struct xstate clean = { .dr6 = DR6_RESET };

/* TSC_AUX comes last: not every CPU has it. */
static const uint32_t msr_number[XSTATE_MSRS] = { IA32_STAR,  IA32_LSTAR,	   IA32_CSTAR,
						  IA32_FMASK, IA32_KERNEL_GS_BASE, IA32_TSC_AUX };

/* ---- what the host has ---- */

/*
 * Takes the component into the area if the host tells a size and a place that can be true; a host
 * whose leaf Dh disagrees with itself loses the component, not its memory.
 */
static bool add_component(unsigned index, uint32_t bytes)
{
	struct cpuid component = cpuid(0xd, index);
	size_t end = (size_t)component.ebx + bytes;

	if (component.eax != bytes || component.ebx < LEGACY_BYTES + HEADER_BYTES || end > 4096 || (component.ecx & 1))
		return false;
	if (end > host.area_bytes)
		host.area_bytes = end;
	return true;
}

static uint64_t components(void)
{
	uint64_t told = cpuid(0xd, 0).eax;
	uint64_t found = XCR0_X87 | XCR0_SSE;

	if (!(told & XCR0_AVX) || !add_component(2, 256))
		return found;
	found |= XCR0_AVX;
	if ((told & XCR0_AVX512) == XCR0_AVX512 && add_component(5, 64) && add_component(6, 512) &&
	    add_component(7, 1024))
		found |= XCR0_AVX512;
	return found;
}

void xstate_boot_init(bool syscall_msrs_switched)
{
	host.area_bytes = LEGACY_BYTES + HEADER_BYTES;
	host.xcr0 = cpuid(1, 0).ecx & 1u << 26 ? components() : 0;
	host.first_msr = syscall_msrs_switched ? XSTATE_MSRS - 1 : 0;
	host.msrs = cpuid(0x80000001, 0).edx & 1u << 27 ? XSTATE_MSRS : XSTATE_MSRS - 1;
}

bool xstate_compacts(void)
{
	static uint8_t area[LEGACY_BYTES + HEADER_BYTES + 256] __attribute__((aligned(64)));

	if (!(host.xcr0 & XCR0_AVX) || !(cpuid(0xd, 1).eax & 2))
		return true;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	xsetbv(host.xcr0);
	__asm__ volatile("vzeroall; vpcmpeqd %%xmm0, %%xmm0, %%xmm0; vinsertf128 $1, %%xmm0, %%ymm0, %%ymm0;"
			 "xsavec64 (%0); vzeroall"
			 :
			 : "r"(area), "a"(XCR0_X87 | XCR0_SSE | XCR0_AVX), "d"(0)
			 : "memory");
	return area[LEGACY_BYTES + HEADER_BYTES];
}

uint64_t xstate_xcr0_supported(void) { return host.xcr0; }

size_t xstate_bytes(void) { return sizeof(struct xstate) + ((host.area_bytes + 63) & ~(size_t)63); }

void xstate_init(struct xstate *xstate)
{
	memset(xstate, 0, xstate_bytes());
	xstate->xcr0 = XCR0_X87;
	xstate->dr6 = DR6_RESET;
	/* A header without components means initial values; FXRSTOR, and XRSTOR for MXCSR, read
	 * these all the same. */
	memcpy(xstate->area, &(uint16_t){ FCW_INIT }, 2);
	memcpy(xstate->area + 24, &(uint32_t){ MXCSR_INIT }, 4);
}

/* ---- vector registers ---- */

#define SAVE(instruction, area)                                                                  \
	__asm__ volatile(instruction " (%0)"                                                     \
			 :                                                                       \
			 : "r"(area), "a"((uint32_t)host.xcr0), "d"((uint32_t)(host.xcr0 >> 32)) \
			 : "memory")

static void save_vectors(uint8_t *area)
{
	if (host.xcr0)
		SAVE("xsave64", area);
	else
		SAVE("fxsave64", area);
}

static void load_vectors(const uint8_t *area)
{
	if (host.xcr0)
		SAVE("xrstor64", area);
	else
		SAVE("fxrstor64", area);
}

/* ---- registers ---- */

#define READ_DR(n, value)  __asm__ volatile("mov %%dr" #n ", %0" : "=r"(value))
#define WRITE_DR(n, value) __asm__ volatile("mov %0, %%dr" #n : : "r"((uint64_t)(value)))

static void save_registers(struct xstate *xstate)
{
	for (unsigned i = host.first_msr; i < host.msrs; i++)
		xstate->msr[i] = rdmsr(msr_number[i]);
	READ_DR(0, xstate->dr[0]);
	READ_DR(1, xstate->dr[1]);
	READ_DR(2, xstate->dr[2]);
	READ_DR(3, xstate->dr[3]);
	READ_DR(6, xstate->dr6);
}

/* `old` is what the CPU holds: registers that need no change are not written. */
static void load_registers(const struct xstate *old, const struct xstate *new)
{
	for (unsigned i = host.first_msr; i < host.msrs; i++)
		if (old->msr[i] != new->msr[i])
			wrmsr(msr_number[i], new->msr[i]);
	WRITE_DR(0, new->dr[0]);
	WRITE_DR(1, new->dr[1]);
	WRITE_DR(2, new->dr[2]);
	WRITE_DR(3, new->dr[3]);
	WRITE_DR(6, new->dr6);
}

static void set_xcr0(uint64_t from, uint64_t to)
{
	if (host.xcr0 && from != to)
		xsetbv(to);
}

static void learn_xcr0(struct xstate *xstate) { xstate->xcr0 = xgetbv() & host.xcr0; }

uint64_t xstate_xcr0(struct vcpu *vcpu)
{
	learn_xcr0(vcpu->arch.xstate);
	return vcpu->arch.xstate->xcr0;
}

/*
 * XCR0 is the host's full set for saving and loading: what a guest's own XCR0 leaves out it may
 * still have put there before. It stays so while a service runs.
 */
void xstate_switch(struct xstate *from, struct xstate *to)
{
	if (from) {
		if (host.xcr0)
			learn_xcr0(from);
		set_xcr0(from->xcr0, host.xcr0);
		save_vectors(from->area);
		save_registers(from);
	}
	if (from || to)
		load_registers(from ? from : &clean, to ? to : &clean);
	if (to) {
		load_vectors(to->area);
		set_xcr0(host.xcr0, to->xcr0);
	}
}

void xstate_cpu_init(void)
{
	if (host.xcr0) {
		write_cr4(read_cr4() | CR4_OSXSAVE);
		xsetbv(host.xcr0);
		if (cpuid(0xd, 1).eax & 8)
			wrmsr(IA32_XSS, 0); /* guests may have XSAVES, but no state that only it saves */
	}
	for (unsigned i = host.first_msr; i < host.msrs; i++)
		wrmsr(msr_number[i], 0);
	load_registers(&clean, &clean);
}

/* ---- XSETBV ---- */

bool xstate_xsetbv(struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	uint64_t avx512 = value & XCR0_AVX512;

	if (index != 0 || !vcpu->arch.xstate || (value & ~guest_cpuid_policy(vcpu)->xcr0) || !(value & XCR0_X87))
		return false;
	if ((value & XCR0_AVX) && !(value & XCR0_SSE))
		return false;
	if (avx512 && (avx512 != XCR0_AVX512 || !(value & XCR0_AVX)))
		return false;

	vcpu->arch.xstate->xcr0 = value;
	xsetbv(value);
	return true;
}
