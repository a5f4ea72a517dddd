#include "guest_msr.h"
#include "clock.h"
#include "guest_cpuid.h"
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
#define MTRR_ENABLED_WB	   0x806u
#define MISC_ENABLE	   0x1801u /* fast strings; BTS and PEBS unavailable */
#define DEBUGCTL_BTF	   0x2u

const uint32_t guest_msr_direct[GUEST_MSR_DIRECT] = {
	IA32_SYSENTER_CS, IA32_SYSENTER_ESP, IA32_SYSENTER_EIP, IA32_STAR,	     IA32_LSTAR,   IA32_CSTAR,
	IA32_FMASK,	  IA32_FS_BASE,	     IA32_GS_BASE,	IA32_KERNEL_GS_BASE, IA32_TSC_AUX,
};

/* Registers that tell what this machine is; they have no state. */
static const struct {
	uint32_t msr;
	uint64_t value;
} constants[] = {
	{ IA32_PLATFORM_ID, 0 },
	{ IA32_FEATURE_CONTROL, 1 },	   /* locked */
	{ IA32_BIOS_SIGN_ID, 1ull << 32 }, /* revision of the microcode */
	{ IA32_MTRRCAP, 0x400 },	   /* WC; no variable and no fixed ranges: the default type is all there is */
	{ IA32_MCG_CAP, 0 },		   /* no banks, so no errors */
	{ IA32_MCG_STATUS, 0 },
	{ IA32_MISC_ENABLE, MISC_ENABLE },
};

void guest_msr_reset(struct vcpu *vcpu) { vcpu->arch.msr = (struct guest_msr){ .mtrr_default = MTRR_ENABLED_WB }; }

bool guest_msr_is_monitor(uint32_t msr) { return msr >= BH_MSR_KVM_FIRST && msr <= BH_MSR_KVM_LAST; }

/* UC, WC, WT, WP, WB (SDM vol. 3, table 12-2) and, in the PAT only, UC- (table 12-10). */
static bool is_memory_type(unsigned type, bool pat) { return type <= 6 ? (0x73 >> type & 1) : pat && type == 7; }

static bool is_pat(uint64_t value)
{
	for (unsigned shift = 0; shift < 64; shift += 8)
		if (!is_memory_type(value >> shift & 0xff, true))
			return false;
	return true;
}

static uint64_t guest_tsc(const struct vcpu *vcpu) { return clock_now() + vcpu->arch.tsc_offset; }

/* The TSC jumps by `ticks`, and IA32_TSC_ADJUST with it (SDM vol. 3, 18.17.3). */
static bool move_tsc(struct vcpu *vcpu, uint64_t ticks)
{
	vcpu->arch.tsc_offset += ticks;
	vcpu->arch.msr.tsc_adjust += ticks;
	virt->tsc_offset_changed(vcpu);
	guest_apic_tsc_changed(vcpu);
	return true;
}

/* LMA follows LME and CR0.PG; writing it does nothing. LME stands while paging is on (4.1.2). */
static bool write_efer(struct vcpu *vcpu, uint64_t value)
{
	uint64_t old = virt->read_special(vcpu, VIRT_EFER);
	bool paging = virt->read_special(vcpu, VIRT_CR0) & CR0_PG;

	if ((value & ~guest_cpuid_policy(vcpu)->efer) || (paging && ((value ^ old) & EFER_LME)))
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

static bool write_if(bool valid, struct vcpu *vcpu, enum virt_register reg, uint64_t value)
{
	if (valid)
		virt->write_special(vcpu, reg, value);
	return valid;
}

static bool guest_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	switch (msr) {
	case IA32_APIC_BASE: *value = guest_apic_base(vcpu); return true;
	case IA32_TSC_ADJUST: *value = vcpu->arch.msr.tsc_adjust; return true;
	case MSR_PLATFORM_INFO: /* the TSC's ratio to 100 MHz, as leaf 16h says */
		*value = (clock_hz / 100000000 & 0xff) << 8;
		return true;
	case IA32_PAT: *value = virt->read_special(vcpu, VIRT_PAT); return true;
	case IA32_DEBUGCTL: *value = virt->read_special(vcpu, VIRT_DEBUGCTL); return true;
	case IA32_MTRR_DEF_TYPE: *value = vcpu->arch.msr.mtrr_default; return true;
	case IA32_TSC_DEADLINE: *value = guest_apic_deadline(vcpu); return true;
	case IA32_XSS: *value = 0; return guest_cpuid_policy(vcpu)->xsaves;
	case IA32_X2APIC_FIRST ... IA32_X2APIC_LAST: return guest_apic_msr_read(vcpu, msr, value);
	}
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (constants[i].msr == msr) {
			*value = constants[i].value;
			return true;
		}
	return false;
}

static bool guest_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case IA32_TSC_DEADLINE: guest_apic_set_deadline(vcpu, value); return true;
	case IA32_X2APIC_FIRST ... IA32_X2APIC_LAST: return guest_apic_msr_write(vcpu, msr, value);
	case IA32_TSC: return move_tsc(vcpu, value - guest_tsc(vcpu));
	case IA32_APIC_BASE: return guest_apic_set_base(vcpu, value);
	case IA32_TSC_ADJUST: return move_tsc(vcpu, value - vcpu->arch.msr.tsc_adjust);
	case IA32_BIOS_SIGN_ID: /* Linux writes 0 before it asks for the revision */ return true;
	case IA32_MCG_STATUS: return value == 0;
	case IA32_MISC_ENABLE: return value == MISC_ENABLE;
	case IA32_MTRR_DEF_TYPE: return write_mtrr_default(vcpu, value);
	case IA32_PAT: return write_if(is_pat(value), vcpu, VIRT_PAT, value);
	case IA32_DEBUGCTL: return write_if(!(value & ~(uint64_t)DEBUGCTL_BTF), vcpu, VIRT_DEBUGCTL, value);
	case IA32_XSS: return value == 0 && guest_cpuid_policy(vcpu)->xsaves;
	case IA32_EFER: return write_efer(vcpu, value);
	default: return false;
	}
}

static bool native_base(uint32_t msr, enum virt_register *reg)
{
	*reg = msr == IA32_FS_BASE ? VIRT_FS_BASE : VIRT_GS_BASE;
	return msr == IA32_FS_BASE || msr == IA32_GS_BASE;
}

static bool is_canonical(uint64_t address) { return (uint64_t)((int64_t)(address << 16) >> 16) == address; }

bool guest_msr_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	enum virt_register reg = VIRT_EFER;

	if (msr == IA32_TSC) {
		*value = guest_tsc(vcpu);
		return true;
	}
	if (msr != IA32_EFER && vcpu->is_guest)
		return guest_read(vcpu, msr, value);
	if (msr != IA32_EFER && !native_base(msr, &reg))
		return false;
	*value = virt->read_special(vcpu, reg);
	return true;
}

bool guest_msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	enum virt_register reg;

	if (vcpu->is_guest)
		return guest_write(vcpu, msr, value);
	return native_base(msr, &reg) && write_if(is_canonical(value), vcpu, reg, value);
}
