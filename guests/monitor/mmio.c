/* mmio.c: local APIC, I/O APIC, and the PCI bus for all the rest. */
#include "mmio.h"

/* Registers of the local APIC are 32 bits wide, 16 bytes apart (SDM vol. 3, 11.4.1); the kernel has
 * them. */
static uint64_t apic_read(struct machine *machine, unsigned vcpu, unsigned offset)
{
	int64_t value = bh_call5(BH_GUEST_APIC, machine->guest, vcpu, offset & ~15u, 0, 0);

	if (value < 0 || (offset & 15) > 3)
		return 0;
	return (uint64_t)value >> (offset & 3) * 8;
}

static void apic_write(struct machine *machine, unsigned vcpu, unsigned offset, unsigned size, uint64_t value)
{
	int64_t vector;

	/* Others than aligned 32 bits are undefined; here they do nothing. */
	if (size != 4 || offset & 15)
		return;
	vector = bh_call5(BH_GUEST_APIC, machine->guest, vcpu, offset, (uint32_t)value, 1);
	if (vector > 0) /* it was the EOI of a level-triggered interrupt */
		ioapic_eoi(&machine->ioapic, (uint8_t)vector);
}

static uint64_t read_any(struct machine *machine, unsigned vcpu, uint64_t address, unsigned size)
{
	if (address - MMIO_APIC_ADDRESS < MMIO_APIC_BYTES)
		return apic_read(machine, vcpu, (unsigned)(address - MMIO_APIC_ADDRESS));
	if (address - IOAPIC_ADDRESS < IOAPIC_BYTES)
		return ioapic_read(&machine->ioapic, (unsigned)(address - IOAPIC_ADDRESS), size);
	return pci_read_memory(&machine->pci, address, size);
}

uint64_t mmio_read(struct machine *machine, unsigned vcpu, uint64_t address, unsigned size)
{
	return read_any(machine, vcpu, address, size) & UINT64_MAX >> (64 - 8 * size);
}

void mmio_write(struct machine *machine, unsigned vcpu, uint64_t address, unsigned size, uint64_t value)
{
	value &= UINT64_MAX >> (64 - 8 * size);
	if (address - MMIO_APIC_ADDRESS < MMIO_APIC_BYTES)
		apic_write(machine, vcpu, (unsigned)(address - MMIO_APIC_ADDRESS), size, value);
	else if (address - IOAPIC_ADDRESS < IOAPIC_BYTES)
		ioapic_write(&machine->ioapic, (unsigned)(address - IOAPIC_ADDRESS), size, value);
	else
		pci_write_memory(&machine->pci, address, size, value);
}
