#include "guest_msr.h"
#include "instructions.h"
#include "guest_cpuid.h"
#include "clock.h"
#include "msr.h"
#include "vcpu.h"
#include "virt.h"

/* Those that msr.h has no use for (SDM vol. 4, table 2-2). */
#define IA32_PLATFORM_ID   0x17u
#define IA32_BIOS_SIGN_ID  0x8bu
#define MSR_PLATFORM_INFO  0xceu
#define IA32_MCG_CAP	   0x179u
#define IA32_MCG_STATUS	   0x17au
#define IA32_MTRR_DEF_TYPE 0x2ffu
#define IA32_X2APIC_LAST   0x8ffu
#define FEATURE_LOCKED	   1u
#define MTRRCAP_WC	   0x400u /* no variable and no fixed ranges: the default type is all there is */
#define MTRR_ENABLED_WB	   0x806u
#define MISC_ENABLE	   0x1801u /* fast strings; BTS and PEBS unavailable */
#define MICROCODE_REVISION (1ull << 32)
#define DEBUGCTL_BTF	   2u

const struct guest_msr_pass guest_msr_passthrough[] = {
	{ IA32_TSC, true, false }, /* the offset applies */
	{ IA32_SYSENTER_CS, true, true },    { IA32_SYSENTER_ESP, true, true }, { IA32_SYSENTER_EIP, true, true },
	{ IA32_STAR, true, true },	     { IA32_LSTAR, true, true },	{ IA32_CSTAR, true, true },
	{ IA32_FMASK, true, true },	     { IA32_FS_BASE, true, true },	{ IA32_GS_BASE, true, true },
	{ IA32_KERNEL_GS_BASE, true, true }, { IA32_TSC_AUX, true, true },
};
const size_t guest_msr_passthrough_count = sizeof(guest_msr_passthrough) / sizeof(guest_msr_passthrough[0]);

void guest_msr_reset(struct vcpu *vcpu)
{
	vcpu->arch.msr = (struct guest_msr){ .mtrr_default = MTRR_ENABLED_WB };
}

bool guest_msr_is_monitor(uint32_t msr)
{
	return msr >= BH_MSR_KVM_FIRST && msr <= BH_MSR_KVM_LAST;
}

/* ---- checks ---- */

static bool is_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* UC, WC, WT, WP, WB (SDM vol. 3, table 12-2) and, in the PAT only, UC- (table 12-10). */
static bool is_memory_type(unsigned type, bool pat)
{
	return type <= 6 ? (0x73 >> type & 1) : pat && type == 7;
}

static bool is_pat(uint64_t value)
{
	for (unsigned shift = 0; shift < 64; shift += 8)
		if (!is_memory_type(value >> shift & 0xff, true))
			return false;
	return true;
}

/* ---- time ---- */

/* The TSC jumps by `ticks`, and IA32_TSC_ADJUST with it (SDM vol. 3, 18.17.3). */
static bool move_tsc(struct vcpu *vcpu, uint64_t ticks)
{
	vcpu->arch.tsc_offset += ticks;
	vcpu->arch.msr.tsc_adjust += ticks;
	virt->tsc_offset_changed(vcpu);
	guest_apic_tsc_changed(vcpu);
	return true;
}

static uint64_t guest_tsc(const struct vcpu *vcpu)
{
	return clock_now() + vcpu->arch.tsc_offset;
}

/* ---- registers with a place of their own ---- */

enum check { ANY, CANONICAL, LOW32, MEMORY_TYPES, BTF };

struct plain {
	uint32_t msr;
	bool in_cpu; /* index is enum xstate_msr; else enum virt_register */
	bool native; /* natives have it too */
	uint8_t index;
	uint8_t check; /* of a value that is written */
};

/* Most of them are passed through; a search is fast enough for the rest. */
static const struct plain plain[] = {
	{ IA32_PAT, false, false, VIRT_PAT, MEMORY_TYPES },
	{ IA32_DEBUGCTL, false, false, VIRT_DEBUGCTL, BTF },
	{ IA32_FS_BASE, false, true, VIRT_FS_BASE, CANONICAL },
	{ IA32_GS_BASE, false, true, VIRT_GS_BASE, CANONICAL },
	{ IA32_SYSENTER_CS, false, false, VIRT_SYSENTER_CS, LOW32 },
	{ IA32_SYSENTER_ESP, false, false, VIRT_SYSENTER_ESP, CANONICAL },
	{ IA32_SYSENTER_EIP, false, false, VIRT_SYSENTER_EIP, CANONICAL },
	{ IA32_STAR, true, false, XSTATE_STAR, ANY },
	{ IA32_LSTAR, true, false, XSTATE_LSTAR, CANONICAL },
	{ IA32_CSTAR, true, false, XSTATE_CSTAR, CANONICAL },
	{ IA32_FMASK, true, false, XSTATE_FMASK, LOW32 },
	{ IA32_KERNEL_GS_BASE, true, false, XSTATE_KERNEL_GS_BASE, CANONICAL },
	{ IA32_TSC_AUX, true, false, XSTATE_TSC_AUX, LOW32 },
};

static const struct plain *plain_find(const struct vcpu *vcpu, uint32_t msr)
{
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (plain[i].msr != msr || !(vcpu->is_guest || plain[i].native))
			continue;
		return plain[i].in_cpu && !xstate_has_msr(plain[i].index) ? NULL : &plain[i];
	}
	return NULL;
}

static bool plain_valid(enum check check, uint64_t value)
{
	switch (check) {
	case CANONICAL:
		return is_canonical(value);
	case LOW32:
		return value <= UINT32_MAX;
	case MEMORY_TYPES:
		return is_pat(value);
	case BTF:
		return !(value & ~(uint64_t)DEBUGCTL_BTF);
	default:
		return true;
	}
}

static bool plain_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	const struct plain *found = plain_find(vcpu, msr);

	if (!found)
		return false;
	*value = found->in_cpu ? xstate_read_msr(found->index) : virt->read_special(vcpu, found->index);
	return true;
}

static bool plain_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	const struct plain *found = plain_find(vcpu, msr);

	if (!found || !plain_valid(found->check, value))
		return false;
	if (found->in_cpu)
		xstate_write_msr(found->index, value);
	else
		virt->write_special(vcpu, found->index, value);
	return true;
}

/* ---- guests ---- */

/* Registers that tell what this machine is; they have no state. */
static bool read_constant(uint32_t msr, uint64_t *value)
{
	switch (msr) {
	case IA32_PLATFORM_ID:
	case IA32_MCG_CAP: /* no banks, so no errors */
	case IA32_MCG_STATUS:
		*value = 0;
		return true;
	case IA32_FEATURE_CONTROL:
		*value = FEATURE_LOCKED;
		return true;
	case IA32_BIOS_SIGN_ID:
		*value = MICROCODE_REVISION;
		return true;
	case MSR_PLATFORM_INFO: /* the TSC's ratio to 100 MHz, as leaf 16h says */
		*value = (clock_hz / 100000000 & 0xff) << 8;
		return true;
	case IA32_MTRRCAP:
		*value = MTRRCAP_WC;
		return true;
	case IA32_MISC_ENABLE:
		*value = MISC_ENABLE;
		return true;
	default:
		return false;
	}
}

static bool guest_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	switch (msr) {
	case IA32_APIC_BASE:
		*value = guest_apic_base(vcpu);
		return true;
	case IA32_TSC_ADJUST:
		*value = vcpu->arch.msr.tsc_adjust;
		return true;
	case IA32_MTRR_DEF_TYPE:
		*value = vcpu->arch.msr.mtrr_default;
		return true;
	case IA32_TSC_DEADLINE:
		*value = guest_apic_deadline(vcpu);
		return true;
	case IA32_XSS:
		*value = 0;
		return guest_cpuid_has_xsaves(vcpu);
	case IA32_X2APIC_FIRST ... IA32_X2APIC_LAST:
		return guest_apic_msr_read(vcpu, msr, value);
	default:
		return read_constant(msr, value) || plain_read(vcpu, msr, value);
	}
}

/* LMA follows LME and CR0.PG; writing it does nothing. LME stands while paging is on (4.1.2). */
static bool write_efer(struct vcpu *vcpu, uint64_t value)
{
	uint64_t old = virt->read_special(vcpu, VIRT_EFER);
	bool paging = virt->read_special(vcpu, VIRT_CR0) & CR0_PG;

	if ((value & ~guest_cpuid_efer_allowed(vcpu)) || (paging && ((value ^ old) & EFER_LME)))
		return false;
	virt->write_special(vcpu, VIRT_EFER, (value & ~(uint64_t)EFER_LMA) | (old & EFER_LMA));
	return true;
}

static bool write_mtrr_default(struct vcpu *vcpu, uint64_t value)
{
	if ((value & ~0xcffull) || !is_memory_type(value & 0xff, false))
		return false;
	vcpu->arch.msr.mtrr_default = value;
	return true;
}

static bool guest_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case IA32_TSC_DEADLINE:
		guest_apic_set_deadline(vcpu, value);
		return true;
	case IA32_X2APIC_FIRST ... IA32_X2APIC_LAST:
		return guest_apic_msr_write(vcpu, msr, value);
	case IA32_TSC:
		return move_tsc(vcpu, value - guest_tsc(vcpu));
	case IA32_APIC_BASE:
		return guest_apic_set_base(vcpu, value);
	case IA32_TSC_ADJUST:
		return move_tsc(vcpu, value - vcpu->arch.msr.tsc_adjust);
	case IA32_BIOS_SIGN_ID: /* Linux writes 0 before it asks for the revision */
		return true;
	case IA32_MCG_STATUS:
		return value == 0;
	case IA32_MISC_ENABLE:
		return value == MISC_ENABLE;
	case IA32_MTRR_DEF_TYPE:
		return write_mtrr_default(vcpu, value);
	case IA32_XSS:
		return value == 0 && guest_cpuid_has_xsaves(vcpu);
	case IA32_EFER:
		return write_efer(vcpu, value);
	default:
		return plain_write(vcpu, msr, value);
	}
}

/* ---- both ---- */

bool guest_msr_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	if (msr == IA32_TSC)
		*value = guest_tsc(vcpu);
	else if (msr == IA32_EFER)
		*value = virt->read_special(vcpu, VIRT_EFER);
	else
		return vcpu->is_guest ? guest_read(vcpu, msr, value) : plain_read(vcpu, msr, value);
	return true;
}

bool guest_msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	return vcpu->is_guest ? guest_write(vcpu, msr, value) : plain_write(vcpu, msr, value);
}
