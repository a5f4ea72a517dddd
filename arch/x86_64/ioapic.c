#include "ioapic.h"
#include <stddef.h>
#include "address_space.h"
#include "cpu.h"
#include "interrupt.h"
#include "iommu/iommu.h"
#include "io.h"
#include "log.h"
#include "machine.h"
#include "spinlock.h"

#define REGISTER_VERSION 1u
#define REGISTER_ENTRY	 0x10u /* two for each pin */

#define ENTRY_MASKED	 (1u << 16)
#define ENTRY_LEVEL	 (1u << 15)
#define ENTRY_ACTIVE_LOW (1u << 13)

struct ioapic {
	volatile uint32_t *registers; /* 0: index, 4: data */
	uint32_t gsi_base, pins;
	uint8_t id;
};

static struct spinlock lock = SPINLOCK_INIT; /* index and data are two accesses */
static struct ioapic ioapic[ACPI_IOAPICS];
static unsigned ioapics;

static uint32_t read(const struct ioapic *io, uint32_t index)
{
	io->registers[0] = index;
	return io->registers[4];
}

static void write(const struct ioapic *io, uint32_t index, uint32_t value)
{
	io->registers[0] = index;
	io->registers[4] = value;
}

static void mask_8259s(void)
{
	outb(0x20, 0x11); /* ICW1: edge triggered, cascaded, ICW4 follows */
	outb(0xa0, 0x11);
	outb(0x21, VECTOR_PIC_FIRST);
	outb(0xa1, VECTOR_PIC_FIRST + 8);
	outb(0x21, 4);
	outb(0xa1, 2);
	outb(0x21, 1);
	outb(0xa1, 1);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

static void add(uint32_t address, uint32_t gsi_base, uint8_t id)
{
	struct ioapic *io = &ioapic[ioapics];
	uint32_t version;

	io->registers = mmio_map(address, 0x20, PAGING_UC);
	if (!io->registers)
		return;
	version = read(io, REGISTER_VERSION);
	io->pins = (version >> 16 & 0xff) + 1;
	io->gsi_base = gsi_base;
	io->id = id;
	if (version == 0 || version == UINT32_MAX || io->pins > 240) {
		log_printf("ioapic: none answers at 0x%x", address);
		return;
	}
	for (uint32_t pin = 0; pin < io->pins; pin++)
		write(io, REGISTER_ENTRY + 2 * pin, ENTRY_MASKED);
	log_printf("ioapic: at 0x%x, %u pins from GSI %u", address, io->pins, gsi_base);
	ioapics++;
}

void ioapic_init(void)
{
	mask_8259s();
	for (uint32_t i = 0; i < machine_acpi.ioapics; i++)
		add(machine_acpi.ioapic[i].address, machine_acpi.ioapic[i].gsi_base, machine_acpi.ioapic[i].id);
}

static struct ioapic *find(uint32_t gsi)
{
	for (unsigned i = 0; i < ioapics; i++) {
		if (gsi >= ioapic[i].gsi_base && gsi - ioapic[i].gsi_base < ioapic[i].pins)
			return &ioapic[i];
	}
	return NULL;
}

bool ioapic_wire_pci(unsigned irq)
{
	struct acpi_isa *wire = &machine_acpi.isa[irq];

	wire->level = true;
	wire->active_low |= !wire->overridden;
	return find(wire->gsi);
}

bool ioapic_is_level(unsigned irq) { return machine_acpi.isa[irq].level; }

bool ioapic_route_isa(unsigned irq, unsigned vector, unsigned cpu_index)
{
	struct acpi_isa wire = machine_acpi.isa[irq % ACPI_ISA];
	struct ioapic *io = find(wire.gsi);
	uint32_t target, entry = vector | ENTRY_MASKED;

	if (!io || irq >= ACPI_ISA || cpu_index >= cpu_count)
		return false;
	if (!iommu_ioapic(io->id, vector, cpu_index, wire.level, &target)) {
		if (cpus[cpu_index]->apic_id > 254)
			return false;
		target = cpus[cpu_index]->apic_id << 24;
	}
	if (wire.level)
		entry |= ENTRY_LEVEL;
	if (wire.active_low)
		entry |= ENTRY_ACTIVE_LOW;
	spin_lock(&lock);
	write(io, REGISTER_ENTRY + 2 * (wire.gsi - io->gsi_base), ENTRY_MASKED);
	write(io, REGISTER_ENTRY + 2 * (wire.gsi - io->gsi_base) + 1, target);
	write(io, REGISTER_ENTRY + 2 * (wire.gsi - io->gsi_base), entry);
	spin_unlock(&lock);
	return true;
}

void ioapic_mask(unsigned irq, bool mask)
{
	uint32_t gsi = machine_acpi.isa[irq].gsi, index, entry;
	struct ioapic *io = find(gsi);

	if (!io)
		return;
	index = REGISTER_ENTRY + 2 * (gsi - io->gsi_base);
	spin_lock(&lock);
	entry = read(io, index);
	write(io, index, mask ? entry | ENTRY_MASKED : entry & ~ENTRY_MASKED);
	spin_unlock(&lock);
}
