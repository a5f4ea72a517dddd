/* ioapic.h: I/O APICs (82093AA data sheet) and the 8259s that they replace. */
#pragma once
#include <stdbool.h>

/* Finds the I/O APICs and masks everything in them and in the 8259s. Boot CPU. */
void ioapic_init(void);

/*
 * Routes ISA interrupt `irq` (0..15) to `vector` on CPU `cpu_index`, masked until ioapic_mask(irq,
 * false). Polarity and trigger as the MADT says. False when no I/O APIC has that pin, or the CPU's
 * APIC id is above 254. Any CPU.
 */
bool ioapic_route_isa(unsigned irq, unsigned vector, unsigned cpu_index);

/*
 * From now on ISA interrupt `irq` is what PCI devices are wired to: level-triggered, and active low if the MADT does
 * not say otherwise. False: no I/O APIC has that pin. At boot.
 */
bool ioapic_wire_pci(unsigned irq);

/* Whether it stays asserted until its device has been served. */
bool ioapic_is_level(unsigned irq);

/* Masks or unmasks a routed interrupt. Any CPU. */
void ioapic_mask(unsigned irq, bool mask);
