/* Interrupts between vCPUs, and from the monitor: ICR (11.6) and MSI (11.11). */
#include "guest_apic_internal.h"
#include "partition.h"

#define ICR_LOGICAL 0x800u
#define ICR_LEVEL   0x4000u
#define ICR_TRIGGER 0x8000u

#define MSI_ADDRESS	0xfee00000ull
#define MSI_REDIRECTION 0x8u
#define MSI_LOGICAL	0x4u

enum shorthand { SHORT_NONE, SHORT_SELF, SHORT_ALL, SHORT_OTHERS };

struct apic_message {
	const struct vcpu *sender; /* for the shorthands */
	enum shorthand shorthand;
	uint32_t destination;
	uint32_t broadcast; /* the destination that means all: FFh, or in ICR of an x2APIC FFFFFFFFh */
	enum apic_delivery delivery;
	uint8_t vector;
	bool logical;
	bool level;
	bool one; /* the first who takes it */
};

/* Registers of another CPU's APIC: each is one aligned word, and as old as the wire would make it.
 */
static uint32_t peek(struct vcpu *vcpu, uint32_t offset)
{
	return __atomic_load_n(guest_apic_register(&vcpu->arch.apic, offset), __ATOMIC_RELAXED);
}

/* 11.6.2.2, 11.12.10.1 */
static bool matches_logical(struct vcpu *target, uint32_t destination)
{
	uint32_t ldr = peek(target, APIC_LDR);

	if (guest_apic_is_x2apic(&target->arch.apic))
		return ldr >> 16 == destination >> 16 && (ldr & destination & 0xffff);
	if (destination > 0xff)
		return false;
	ldr >>= 24;
	if (peek(target, APIC_DFR) >> 28 == 0xf)
		return ldr & destination;
	return ldr >> 4 == destination >> 4 && (ldr & destination & 0xf);
}

static bool matches(struct vcpu *target, const struct apic_message *message)
{
	if (message->shorthand != SHORT_NONE)
		return message->shorthand == SHORT_ALL ||
		       (target == message->sender) == (message->shorthand == SHORT_SELF);
	if (message->destination == message->broadcast)
		return true;
	return message->logical ? matches_logical(target, message->destination) : target->index == message->destination;
}

static bool is_enabled(struct vcpu *target) { return atomic_load(&target->arch.apic.base) & APIC_BASE_EN; }

/* Disabled by hardware or software, an APIC takes none. */
static bool deliver_vector(struct vcpu *target, uint8_t vector, bool level)
{
	if (!is_enabled(target) || !(peek(target, APIC_SVR) & SVR_ENABLE))
		return false;
	guest_apic_post(target, vector, level);
	return true;
}

/* True if the target takes it: one disabled by software takes INIT and SIPI. */
static bool deliver(struct vcpu *target, const struct apic_message *message)
{
	if (!is_enabled(target))
		return false;
	switch (message->delivery) {
	case APIC_FIXED:
	case APIC_LOWEST: return deliver_vector(target, message->vector, message->level);
	case APIC_INIT: vcpu_request(target, VCPU_REQUEST_INIT); return true;
	case APIC_SIPI:
		atomic_store(&target->sipi_vector, message->vector);
		vcpu_request(target, VCPU_REQUEST_SIPI);
		return true;
	default: return false; /* see guest_apic.h */
	}
}

static void route(struct partition *partition, const struct apic_message *message)
{
	for (uint32_t i = 0; i < partition->vcpus; i++) {
		struct vcpu *target = partition->vcpu[i];

		if (matches(target, message) && deliver(target, message) && message->one)
			return;
	}
}

static bool is_vectored(enum apic_delivery delivery) { return delivery == APIC_FIXED || delivery == APIC_LOWEST; }

void guest_apic_send(struct vcpu *vcpu, uint32_t low, uint32_t high)
{
	bool x2apic = guest_apic_is_x2apic(&vcpu->arch.apic);
	struct apic_message message = {
		.sender = vcpu,
		.shorthand = low >> 18 & 3,
		.destination = x2apic ? high : high >> 24,
		.broadcast = x2apic ? UINT32_MAX : 0xff,
		.delivery = low >> 8 & 7,
		.vector = (uint8_t)low,
		.logical = low & ICR_LOGICAL,
		.one = (low >> 8 & 7) == APIC_LOWEST,
	};

	if (is_vectored(message.delivery) && message.vector < 16) {
		guest_apic_error(&vcpu->arch.apic, ESR_SEND_VECTOR);
		return;
	}
	/* INIT level de-assert, which nothing needs to hear today (11.6.1). */
	if (message.delivery == APIC_INIT && (low & (ICR_TRIGGER | ICR_LEVEL)) == ICR_TRIGGER)
		return;

	/* To itself a CPU sends fixed ones only (table 11-3). */
	if (message.shorthand != SHORT_SELF || message.delivery == APIC_FIXED)
		route(vcpu->partition, &message);
}

static int msi(struct partition *partition, uint64_t address, uint32_t data)
{
	struct apic_message message = {
		.destination = address >> 12 & 0xff,
		.broadcast = 0xff,
		.delivery = data >> 8 & 7,
		.vector = (uint8_t)data,
		.level = data & BH_MSI_LEVEL,
		.one = (data >> 8 & 7) == APIC_LOWEST || (address & MSI_REDIRECTION),
		/* The destination mode counts with the hint only (11.11.1); but who sets it means
		   it. */
		.logical = address & MSI_LOGICAL,
	};

	if ((address & ~0xfffffull) != MSI_ADDRESS || message.delivery == APIC_SMI || message.delivery == APIC_EXTINT ||
	    message.delivery == 3 || message.delivery == APIC_SIPI ||
	    (is_vectored(message.delivery) && message.vector < 16))
		return -BH_EINVAL;
	route(partition, &message);
	return 0;
}

/* Most go to one CPU by its number (fixed, physical, edge), and need not be taken apart. */
int guest_apic_msi(struct partition *partition, uint64_t address, uint32_t data)
{
	uint64_t index = (address - MSI_ADDRESS) >> 12;

	if (index >= partition->vcpus || address & 0xfff || data < 16 || data > 0xff)
		return msi(partition, address, data);
	deliver_vector(partition->vcpu[index], (uint8_t)data, false);
	return 0;
}
