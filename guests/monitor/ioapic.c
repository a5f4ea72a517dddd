/* ioapic.c: registers and redirection of the I/O APIC. */
#include "ioapic.h"

#define IOREGSEL 0x00
#define IOWIN	 0x10
#define IOEOI	 0x40 /* from version 0x20 on */

#define REG_ID	    0x00
#define REG_VERSION 0x01
#define REG_ARB	    0x02
#define REG_TABLE   0x10

#define VERSION (0x20u | (IOAPIC_PINS - 1) << 16)

/* Redirection entry */
#define ENTRY_MODE_SHIFT 8
#define ENTRY_LOGICAL	 (1ull << 11)
#define ENTRY_PENDING	 (1ull << 12)
#define ENTRY_LOW_ACTIVE (1ull << 13)
#define ENTRY_REMOTE_IRR (1ull << 14)
#define ENTRY_LEVEL	 (1ull << 15)
#define ENTRY_MASKED	 (1ull << 16)
#define ENTRY_READ_ONLY	 (ENTRY_PENDING | ENTRY_REMOTE_IRR)
#define ENTRY_WRITABLE	 0xff0000000001afffull

#define MODE_LOWEST 1
#define MODE_SMI    2
#define MODE_EXTINT 7

#define MSI_ADDRESS  0xfee00000ull
#define MSI_REDIRECT (1u << 3)
#define MSI_LOGICAL  (1u << 2)
#define MSI_ASSERT   (1u << 14)

static void deliver(struct ioapic *ioapic, uint64_t entry)
{
	unsigned mode = entry >> ENTRY_MODE_SHIFT & 7;
	uint64_t address = MSI_ADDRESS | entry >> 56 << 12;
	uint32_t data = (uint32_t)(entry & 0x7ff) | MSI_ASSERT;

	/* A guest has no SMM, and its local APICs know no ExtINT. */
	if (mode == MODE_SMI || mode == MODE_EXTINT)
		return;
	if (mode == MODE_LOWEST)
		address |= MSI_REDIRECT;
	if (entry & ENTRY_LOGICAL)
		address |= MSI_LOGICAL;
	if (entry & ENTRY_LEVEL)
		data |= BH_MSI_LEVEL;
	ioapic->outside.msi(ioapic->outside.context, address, data);
}

/* A level-triggered pin that is high, open and not being served is delivered. */
static void service_level(struct ioapic *ioapic, unsigned pin)
{
	uint64_t entry = ioapic->entry[pin];

	if (!(entry & ENTRY_LEVEL) || entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR) || !(ioapic->lines >> pin & 1))
		return;
	ioapic->entry[pin] |= ENTRY_REMOTE_IRR;
	deliver(ioapic, entry);
}

void ioapic_set(struct ioapic *ioapic, unsigned pin, bool level)
{
	uint32_t bit = 1u << pin, before;

	bh_lock(&ioapic->lock);
	before = ioapic->lines;
	ioapic->lines = level ? before | bit : before & ~bit;
	if (level && !(before & bit) && !(ioapic->entry[pin] & (ENTRY_LEVEL | ENTRY_MASKED)))
		deliver(ioapic, ioapic->entry[pin]);
	service_level(ioapic, pin);
	bh_unlock(&ioapic->lock);
}

static void end_of_interrupt(struct ioapic *ioapic, uint8_t vector)
{
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t entry = ioapic->entry[pin];

		if (!(entry & ENTRY_REMOTE_IRR) || (uint8_t)entry != vector)
			continue;
		ioapic->entry[pin] &= ~ENTRY_REMOTE_IRR;
		service_level(ioapic, pin);
	}
}

void ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
	bh_lock(&ioapic->lock);
	end_of_interrupt(ioapic, vector);
	bh_unlock(&ioapic->lock);
}

static uint32_t read_register(const struct ioapic *ioapic)
{
	unsigned reg = ioapic->select, pin = (reg - REG_TABLE) / 2;

	switch (reg) {
	case REG_ID:
	case REG_ARB: return (uint32_t)ioapic->id << 24;
	case REG_VERSION: return VERSION;
	}
	if (reg < REG_TABLE || pin >= IOAPIC_PINS)
		return 0;
	return (uint32_t)(ioapic->entry[pin] >> (reg & 1 ? 32 : 0));
}

static void write_entry(struct ioapic *ioapic, unsigned pin, unsigned shift, uint32_t value)
{
	uint64_t old = ioapic->entry[pin];
	uint64_t new = (old & ~(0xffffffffull << shift)) | (uint64_t)value << shift;

	new = (new &ENTRY_WRITABLE & ~ENTRY_READ_ONLY) | (old & ENTRY_READ_ONLY);
	/* Guests without IOEOI clear the remote IRR by switching the pin to edge and back. */
	if (!(new &ENTRY_LEVEL))
		new &= ~ENTRY_REMOTE_IRR;
	ioapic->entry[pin] = new;
	service_level(ioapic, pin);
}

static void write_register(struct ioapic *ioapic, uint32_t value)
{
	unsigned reg = ioapic->select, pin = (reg - REG_TABLE) / 2;

	if (reg == REG_ID)
		ioapic->id = value >> 24 & 0x0f;
	else if (reg >= REG_TABLE && pin < IOAPIC_PINS)
		write_entry(ioapic, pin, reg & 1 ? 32 : 0, value);
}

uint64_t ioapic_read(struct ioapic *ioapic, unsigned offset, unsigned size)
{
	uint32_t value = 0;

	(void)size; /* what is wider than a register reads as zero above it */
	bh_lock(&ioapic->lock);
	switch (offset & ~3u) {
	case IOREGSEL: value = ioapic->select; break;
	case IOWIN: value = read_register(ioapic); break;
	}
	bh_unlock(&ioapic->lock);
	return value >> (offset & 3) * 8;
}

void ioapic_write(struct ioapic *ioapic, unsigned offset, unsigned size, uint64_t value)
{
	(void)size;
	bh_lock(&ioapic->lock);
	switch (offset) {
	case IOREGSEL: ioapic->select = (uint8_t)value; break;
	case IOWIN: write_register(ioapic, (uint32_t)value); break;
	case IOEOI: end_of_interrupt(ioapic, (uint8_t)value); break;
	}
	bh_unlock(&ioapic->lock);
}

void ioapic_init(struct ioapic *ioapic, const struct ioapic_outside *outside)
{
	*ioapic = (struct ioapic){ .outside = *outside };
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->entry[pin] = ENTRY_MASKED;
}
