/*
 * ioapic.h: an I/O APIC (82093AA data sheet) with 16 pins, at BH_IOAPIC_ADDRESS.
 *
 * As many as there are ISA interrupts, since each costs: Linux reads or writes every entry a dozen times when it boots,
 * and half an entry takes two accesses to device memory. PCI devices interrupt by MSI.
 *
 * It delivers by MSI. A level-triggered pin waits, after a delivery, for the EOI of its vector
 * (remote IRR).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/lib/bh.h"

#define IOAPIC_ADDRESS 0xfec00000ull
#define IOAPIC_BYTES   0x1000u
#define IOAPIC_PINS    16

struct ioapic_outside {
	/* An MSI: address and data as in SDM vol. 3, 11.11, data with BH_MSI_LEVEL for
	 * level-triggered pins. */
	void (*msi)(void *context, uint64_t address, uint32_t data);
	void *context;
};

struct ioapic {
	struct bh_lock lock;
	struct ioapic_outside outside;
	uint32_t lines; /* level of each pin */
	uint8_t select, id;
	uint64_t entry[IOAPIC_PINS]; /* redirection table */
};

void ioapic_init(struct ioapic *ioapic, const struct ioapic_outside *outside);

/* The level of a pin, 0 to 23. An edge on a masked edge-triggered pin is lost, as the data sheet
 * has it. Any vCPU. */
void ioapic_set(struct ioapic *ioapic, unsigned pin, bool level);

/* EOI of a level-triggered vector. Any vCPU. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

/* Accesses at `offset` from IOAPIC_ADDRESS, size 1, 2, 4 or 8. Any vCPU. */
uint64_t ioapic_read(struct ioapic *ioapic, unsigned offset, unsigned size);
void ioapic_write(struct ioapic *ioapic, unsigned offset, unsigned size, uint64_t value);
