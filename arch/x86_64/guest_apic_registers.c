/* Access to the registers, by MMIO offset and by MSR. */
#include "guest_apic_internal.h"

/* ICR is the x2APIC's one register of 64 bits: in the page at 300h, as the hardware has it (29.5). */
#define APIC_ICR_X2APIC_HIGH (APIC_ICR + 4)

#define BIT(offset) (1ull << ((offset) / 16))
/* The registers from the first to the last one. */
#define BITS(first, last) ((BIT(last) << 1) - BIT(first))

#define READ_COMMON                                                                                         \
	(BIT(APIC_ID) | BIT(APIC_VERSION) | BIT(APIC_TPR) | BIT(APIC_PPR) | BIT(APIC_LDR) | BIT(APIC_SVR) | \
	 BITS(APIC_ISR, APIC_ESR) | BIT(APIC_ICR) | BITS(APIC_LVT_TIMER, APIC_CURRENT) | BIT(APIC_DIVIDE))
#define READ_XAPIC (READ_COMMON | BIT(APIC_DFR) | BIT(APIC_ICR_HIGH))

#define WRITE_COMMON                                                                     \
	(BIT(APIC_TPR) | BIT(APIC_EOI) | BIT(APIC_SVR) | BIT(APIC_ESR) | BIT(APIC_ICR) | \
	 BITS(APIC_LVT_TIMER, APIC_INITIAL) | BIT(APIC_DIVIDE))
#define WRITE_X2APIC (WRITE_COMMON | BIT(APIC_SELF_IPI))
/* Those that are read-only here are there, so writing them is no error. */
#define WRITE_XAPIC (WRITE_COMMON | READ_XAPIC)

/* Bits that are not reserved. EOI and ESR take a 0 only (11.12.1.2). */
static const uint32_t writable[64] = {
	[APIC_TPR / 16] = 0xff,		  [APIC_LDR / 16] = 0xff000000,	     [APIC_DFR / 16] = 0xf0000000,
	[APIC_SVR / 16] = 0x3ff,	  [APIC_ICR / 16] = 0x000ccfff,	     [APIC_ICR_HIGH / 16] = 0xff000000,
	[APIC_LVT_TIMER / 16] = 0x710ff,  [APIC_LVT_THERMAL / 16] = 0x117ff, [APIC_LVT_PERF / 16] = 0x117ff,
	[APIC_LVT_LINT0 / 16] = 0x1f7ff,  [APIC_LVT_LINT1 / 16] = 0x1f7ff,   [APIC_LVT_ERROR / 16] = 0x110ff,
	[APIC_INITIAL / 16] = UINT32_MAX, [APIC_DIVIDE / 16] = 0xb,	     [APIC_SELF_IPI / 16] = 0xff,
};

static uint32_t load(struct vcpu *vcpu, uint32_t offset)
{
	struct guest_apic *apic = &vcpu->arch.apic;

	switch (offset) {
	case APIC_PPR: return guest_apic_ppr(apic);
	case APIC_CURRENT: return guest_apic_timer_current(vcpu);
	default:
		if (offset >= APIC_TMR && offset < APIC_ESR)
			guest_apic_take(apic);
		return *guest_apic_register(apic, offset);
	}
}

static void store_lvt(struct vcpu *vcpu, uint32_t offset, uint32_t value)
{
	struct guest_apic *apic = &vcpu->arch.apic;

	/* 11.4.7.2: an APIC that is disabled by software keeps all of them masked. */
	if (!(*guest_apic_register(apic, APIC_SVR) & SVR_ENABLE))
		value |= LVT_MASKED;
	if (offset == APIC_LVT_TIMER)
		guest_apic_timer_set_mode(vcpu, value);
	*guest_apic_register(apic, offset) = value & ~LVT_READONLY;
}

static void store_svr(struct guest_apic *apic, uint32_t value)
{
	*guest_apic_register(apic, APIC_SVR) = value;
	if (!(value & SVR_ENABLE))
		for (uint32_t lvt = APIC_LVT_TIMER; lvt <= APIC_LVT_ERROR; lvt += 16)
			*guest_apic_register(apic, lvt) |= LVT_MASKED;
	guest_apic_attend(apic);
}

/* Reserved bits of `value` are clear; what is read-only stays. */
static void store(struct vcpu *vcpu, uint32_t offset, uint32_t value)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	uint32_t high;

	switch (offset) {
	case APIC_LVT_TIMER ... APIC_LVT_ERROR: store_lvt(vcpu, offset, value); break;
	case APIC_TPR:
	case APIC_LDR:
	case APIC_ICR_HIGH:
		*guest_apic_register(apic, offset) = value;
		guest_apic_attend(apic); /* to TPR */
		break;
	case APIC_EOI: apic->eoi = guest_apic_eoi(vcpu); break;
	case APIC_DFR: *guest_apic_register(apic, APIC_DFR) = value | 0x0fffffff; break;
	case APIC_SVR: store_svr(apic, value); break;
	case APIC_ESR:
		*guest_apic_register(apic, APIC_ESR) = apic->errors;
		apic->errors = 0;
		break;
	case APIC_ICR:
		high = guest_apic_is_x2apic(apic) ? APIC_ICR_X2APIC_HIGH : APIC_ICR_HIGH;
		*guest_apic_register(apic, APIC_ICR) = value;
		guest_apic_send(vcpu, value, *guest_apic_register(apic, high));
		break;
	case APIC_INITIAL: guest_apic_timer_set_initial(vcpu, value); break;
	case APIC_DIVIDE: guest_apic_timer_set_divide(vcpu, value); break;
	case APIC_SELF_IPI: guest_apic_raise(apic, value); break;
	}
}

static bool is_xapic(const struct guest_apic *apic)
{
	return (atomic_load(&apic->base) & (APIC_BASE_EN | APIC_BASE_EXTD)) == APIC_BASE_EN;
}

uint32_t guest_apic_read(struct vcpu *vcpu, uint32_t offset)
{
	if (!is_xapic(&vcpu->arch.apic))
		return UINT32_MAX;
	if (offset < 0x400 && !(offset & 15) && (READ_XAPIC & BIT(offset)))
		return load(vcpu, offset);
	if (offset != APIC_EOI)
		guest_apic_error(&vcpu->arch.apic, ESR_ILLEGAL_REGISTER);
	return 0;
}

int guest_apic_write(struct vcpu *vcpu, uint32_t offset, uint32_t value)
{
	if (!is_xapic(&vcpu->arch.apic))
		return -1;
	if (offset < 0x400 && !(offset & 15) && (WRITE_XAPIC & BIT(offset)))
		store(vcpu, offset, value & writable[offset / 16]);
	else
		guest_apic_error(&vcpu->arch.apic, ESR_ILLEGAL_REGISTER);
	return guest_apic_take_eoi(vcpu);
}

int guest_apic_take_eoi(struct vcpu *vcpu)
{
	int vector = vcpu->arch.apic.eoi;

	vcpu->arch.apic.eoi = -1;
	return vector;
}

bool guest_apic_msr_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	uint32_t number = msr - 0x800;

	if (!guest_apic_is_x2apic(apic) || number >= 64 || !(READ_COMMON >> number & 1))
		return false;
	*value = load(vcpu, number * 16);
	if (number * 16 == APIC_ICR)
		*value |= (uint64_t)*guest_apic_register(apic, APIC_ICR_X2APIC_HIGH) << 32;
	return true;
}

bool guest_apic_msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	uint32_t number = msr - 0x800;
	bool is_icr = number * 16 == APIC_ICR;

	if (!guest_apic_is_x2apic(&vcpu->arch.apic) || number >= 64 || !(WRITE_X2APIC >> number & 1) ||
	    (is_icr ? (uint32_t)value : value) & ~(uint64_t)writable[number])
		return false;
	if (is_icr)
		*guest_apic_register(&vcpu->arch.apic, APIC_ICR_X2APIC_HIGH) = (uint32_t)(value >> 32);
	store(vcpu, number * 16, (uint32_t)value);
	return true;
}
