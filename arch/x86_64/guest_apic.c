/* State, priorities and modes. Registers, messages and the timer have files of their own. */
#include <guests/lib/bh_string.h>
#include "guest_apic_internal.h"
#include "pool.h"
#include "virt.h"

#define VERSION 0x00050014u /* integrated APIC, 6 LVT entries (11.4.8) */

/* ---- vectors ---- */

static uint32_t *word_of(struct guest_apic *apic, uint32_t offset, unsigned vector)
{
	return guest_apic_register(apic, offset + (vector >> 5) * 16);
}

static uint32_t bit_of(unsigned vector) { return 1u << (vector & 31); }

/* The highest vector of IRR or ISR; 0: none, for the first 16 are illegal. */
static unsigned highest(struct guest_apic *apic, uint32_t offset)
{
#pragma GCC unroll 8
	for (int word = 7; word >= 0; word--) {
		uint32_t bits = *guest_apic_register(apic, offset + (unsigned)word * 16);

		if (bits)
			return (unsigned)(word * 32 + 31 - __builtin_clz(bits));
	}
	return 0;
}

/* ---- posting ---- */

void guest_apic_post(struct vcpu *vcpu, unsigned vector, bool level)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	_Atomic uint32_t *levels = &apic->posted_level[vector / 32];
	uint32_t bit = bit_of(vector);

	/* The trigger mode goes first: whoever takes the vector must find it. */
	if (level)
		atomic_fetch_or(levels, bit);
	else if (atomic_load(levels) & bit)
		atomic_fetch_and(levels, ~bit);
	atomic_fetch_or(&apic->posted[vector / 32], bit);
	atomic_fetch_or(&apic->posted_words, 1u << vector / 32);
	guest_apic_attend(apic);
	vcpu_wake(vcpu);
}

/* Posted vectors go into the IRR, their trigger modes into the TMR (11.8.4). */
bool guest_apic_take(struct guest_apic *apic)
{
	uint32_t words = 0;

	if (atomic_load_explicit(&apic->posted_words, memory_order_relaxed))
		words = atomic_exchange(&apic->posted_words, 0);
	for (; words; words &= words - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(words);
		uint32_t *tmr = guest_apic_register(apic, APIC_TMR + i * 16);
		uint32_t bits = atomic_exchange(&apic->posted[i], 0);

		*tmr = (*tmr & ~bits) | (atomic_load(&apic->posted_level[i]) & bits);
		*guest_apic_register(apic, APIC_IRR + i * 16) |= bits;
	}
	return true;
}

void guest_apic_raise(struct guest_apic *apic, unsigned vector)
{
	if (vector < 16) {
		guest_apic_error(apic, ESR_RECEIVE_VECTOR);
		return;
	}
	*word_of(apic, APIC_IRR, vector) |= bit_of(vector);
	*word_of(apic, APIC_TMR, vector) &= ~bit_of(vector);
	guest_apic_attend(apic);
}

void guest_apic_local(struct guest_apic *apic, uint32_t lvt)
{
	uint32_t value = *guest_apic_register(apic, lvt);

	if (!(value & LVT_MASKED))
		guest_apic_raise(apic, value & 0xff);
}

void guest_apic_error(struct guest_apic *apic, uint32_t bit)
{
	bool known = apic->errors & bit;

	/* Noted first: an illegal vector in the error LVT itself must not come here for ever. */
	apic->errors |= bit;
	if (!known)
		guest_apic_local(apic, APIC_LVT_ERROR);
}

/* ---- priorities ---- */

uint32_t guest_apic_ppr(struct guest_apic *apic)
{
	uint32_t tpr = *guest_apic_register(apic, APIC_TPR);
	uint32_t service = highest(apic, APIC_ISR) & 0xf0;
	uint32_t ppr = (tpr & 0xf0) >= service ? tpr : service;

	*guest_apic_register(apic, APIC_PPR) = ppr;
	return ppr;
}

int guest_apic_scan(struct guest_apic *apic)
{
	unsigned vector;

	/* Cleared before looking: what is posted from here on sets it again. */
	atomic_fetch_and(&apic->attention, ~APIC_ATTENTION_SCAN);
	guest_apic_take(apic);
	vector = highest(apic, APIC_IRR);
	if ((vector & 0xf0) <= (guest_apic_ppr(apic) & 0xf0) || !(atomic_load(&apic->base) & APIC_BASE_EN))
		return -1;

	/* Who asked may have to wait for an interrupt window, and will ask again. */
	atomic_fetch_or(&apic->attention, APIC_ATTENTION_SCAN);
	return (int)vector;
}

void guest_apic_accept(struct vcpu *vcpu, unsigned vector)
{
	struct guest_apic *apic = &vcpu->arch.apic;

	*word_of(apic, APIC_IRR, vector) &= ~bit_of(vector);
	*word_of(apic, APIC_ISR, vector) |= bit_of(vector);
	guest_apic_attend(apic);
}

int guest_apic_hardware_eoi(struct vcpu *vcpu, unsigned vector)
{
	return *word_of(&vcpu->arch.apic, APIC_TMR, vector) & bit_of(vector) ? (int)vector : -1;
}

int guest_apic_eoi(struct vcpu *vcpu)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	unsigned vector = highest(apic, APIC_ISR);

	if (!vector)
		return -1;
	*word_of(apic, APIC_ISR, vector) &= ~bit_of(vector);
	guest_apic_attend(apic);
	return guest_apic_hardware_eoi(vcpu, vector);
}

unsigned guest_apic_highest_irr(struct vcpu *vcpu)
{
	struct guest_apic *apic = &vcpu->arch.apic;

	atomic_fetch_and(&apic->attention, ~APIC_ATTENTION_SYNC);
	guest_apic_take(apic);
	return highest(apic, APIC_IRR);
}

unsigned guest_apic_highest_isr(struct vcpu *vcpu) { return highest(&vcpu->arch.apic, APIC_ISR); }

bool guest_apic_several(struct vcpu *vcpu)
{
	bool found = false;

	for (uint32_t i = 0; i < 8; i++) {
		uint32_t bits = *guest_apic_register(&vcpu->arch.apic, APIC_IRR + i * 16);

		if (bits && (found || (bits & (bits - 1))))
			return true;
		found |= bits != 0;
	}
	return false;
}

uint64_t guest_apic_tmr(struct vcpu *vcpu, unsigned word)
{
	struct guest_apic *apic = &vcpu->arch.apic;

	return *guest_apic_register(apic, APIC_TMR + word * 32) |
	       (uint64_t)*guest_apic_register(apic, APIC_TMR + word * 32 + 16) << 32;
}

uint32_t guest_apic_tpr(struct vcpu *vcpu) { return *guest_apic_register(&vcpu->arch.apic, APIC_TPR); }

void guest_apic_set_tpr(struct vcpu *vcpu, uint32_t tpr)
{
	*guest_apic_register(&vcpu->arch.apic, APIC_TPR) = tpr;
	guest_apic_attend(&vcpu->arch.apic);
}

/* ---- life and modes ---- */

bool guest_apic_create(struct vcpu *vcpu)
{
	vcpu->arch.apic.page = pool_alloc(1);
	return vcpu->arch.apic.page != NULL;
}

bool guest_apic_is_x2apic(const struct guest_apic *apic)
{
	return atomic_load_explicit(&apic->base, memory_order_relaxed) & APIC_BASE_EXTD;
}

/* ID and LDR look different in the two modes (11.12.5.1, 11.12.10.2). */
static void set_identity(struct vcpu *vcpu)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	bool x2apic = guest_apic_is_x2apic(apic);
	uint32_t id = vcpu->index;

	*guest_apic_register(apic, APIC_ID) = x2apic ? id : id << 24;
	*guest_apic_register(apic, APIC_LDR) = x2apic ? (id >> 4) << 16 | 1u << (id & 15) : 0;
	*guest_apic_register(apic, APIC_DFR) = x2apic ? 0 : UINT32_MAX;
	*guest_apic_register(apic, APIC_ICR_HIGH) = 0;
}

void guest_apic_init(struct vcpu *vcpu)
{
	struct guest_apic *apic = &vcpu->arch.apic;

	for (unsigned i = 0; i < 8; i++)
		atomic_store(&apic->posted[i], 0);
	memset(apic->page, 0, PAGE_BYTES);
	set_identity(vcpu);
	*guest_apic_register(apic, APIC_VERSION) = VERSION;
	*guest_apic_register(apic, APIC_SVR) = 0xff;
	for (uint32_t lvt = APIC_LVT_TIMER; lvt <= APIC_LVT_ERROR; lvt += 16)
		*guest_apic_register(apic, lvt) = LVT_MASKED;
	apic->errors = 0;
	apic->eoi = -1;
	guest_apic_timer_stop(vcpu);
	guest_apic_attend(apic);
}

void guest_apic_power(struct vcpu *vcpu)
{
	atomic_store(&vcpu->arch.apic.base, APIC_BASE_ADDRESS | APIC_BASE_EN | (vcpu->index ? 0 : APIC_BASE_BSP));
}

void guest_apic_reset(struct vcpu *vcpu)
{
	guest_apic_power(vcpu);
	guest_apic_init(vcpu);
	virt->apic_mode_changed(vcpu);
}

uint64_t guest_apic_base(struct vcpu *vcpu) { return atomic_load(&vcpu->arch.apic.base); }

/* Figure 11-26: x2APIC is entered from xAPIC only, and left by disabling only. */
static bool transition_allowed(uint32_t from, uint32_t to)
{
	if (to == APIC_BASE_EXTD)
		return false;
	if (from == (APIC_BASE_EN | APIC_BASE_EXTD))
		return to != APIC_BASE_EN;
	return from || to != (APIC_BASE_EN | APIC_BASE_EXTD);
}

bool guest_apic_set_base(struct vcpu *vcpu, uint64_t value)
{
	struct guest_apic *apic = &vcpu->arch.apic;
	uint32_t mode_bits = APIC_BASE_EN | APIC_BASE_EXTD, old = atomic_load(&apic->base);
	uint32_t from = old & mode_bits, to = (uint32_t)value & mode_bits;

	if ((value & ~(uint64_t)(mode_bits | APIC_BASE_BSP)) != APIC_BASE_ADDRESS || !transition_allowed(from, to))
		return false;
	if (from == to)
		return true;

	atomic_store(&apic->base, (old & ~mode_bits) | to);
	if (to & APIC_BASE_EXTD)
		set_identity(vcpu);
	else if (to == 0)
		guest_apic_init(vcpu);
	virt->apic_mode_changed(vcpu);
	return true;
}
