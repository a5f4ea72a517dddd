#include "address_space.h"
#include "io.h"
#include "log.h"
#include "machine.h"
#include "pci.h"
#include "spinlock.h"

#define ADDRESS_PORT 0xcf8u /* PCI 3.0, 3.2.2.3.2 */
#define DATA_PORT    0xcfcu

static volatile uint8_t *ecam[ACPI_ECAMS]; /* of the first bus; NULL: not mapped */
static struct spinlock lock;		   /* the ports are two accesses */

void pci_config_init(void)
{
	for (unsigned i = 0; i < machine_acpi.ecams; i++) {
		const struct acpi_ecam *range = &machine_acpi.ecam[i];

		ecam[i] = mmio_map(acpi_ecam_base(range), acpi_ecam_bytes(range), PAGING_UC);
		if (!ecam[i])
			log_printf("pci: no room to map the configuration space of segment %u", range->segment);
	}
}

/* PCI Express 3.0, 7.2.2. NULL: only the ports can reach it. */
static volatile uint8_t *find(uint32_t address)
{
	uint32_t bus = address >> 8 & 0xff;

	for (unsigned i = 0; i < machine_acpi.ecams; i++) {
		const struct acpi_ecam *range = &machine_acpi.ecam[i];

		if (ecam[i] && range->segment == address >> 16 && bus >= range->first_bus && bus <= range->last_bus)
			return ecam[i] + (bus - range->first_bus) * ACPI_ECAM_BUS + (address & 0xff) * 0x1000;
	}
	return NULL;
}

unsigned pci_config_bytes(uint32_t address) { return find(address) ? 0x1000 : PCI_SPACE_BYTES; }

/* Takes the lock, and chooses a dword; false: the ports do not reach it. */
static bool choose(uint32_t address, unsigned offset)
{
	if (address >> 16 || offset >= PCI_SPACE_BYTES)
		return false;
	spin_lock(&lock);
	outl(ADDRESS_PORT, 0x80000000u | address << 8 | (offset & ~3u));
	return true;
}

static uint32_t read_ports(uint32_t address, unsigned offset)
{
	uint32_t value;

	if (!choose(address, offset))
		return UINT32_MAX;
	value = inl(DATA_PORT);
	spin_unlock(&lock);
	return value;
}

uint32_t pci_read(uint32_t address, unsigned offset, unsigned bytes)
{
	volatile uint8_t *at = find(address);
	uint32_t value = at ? *(volatile uint32_t *)(at + (offset & ~3u)) : read_ports(address, offset);

	return value >> 8 * (offset & 3) & UINT32_MAX >> (32 - 8 * bytes);
}

static void write_ports(uint32_t address, unsigned offset, unsigned bytes, uint32_t value)
{
	uint16_t port = (uint16_t)(DATA_PORT + (offset & 3));

	if (!choose(address, offset))
		return;
	switch (bytes) {
	case 1: outb(port, (uint8_t)value); break;
	case 2: outw(port, (uint16_t)value); break;
	default: outl(port, value);
	}
	spin_unlock(&lock);
}

void pci_write(uint32_t address, unsigned offset, unsigned bytes, uint32_t value)
{
	volatile uint8_t *at = find(address);

	if (!at)
		write_ports(address, offset, bytes, value);
	else if (bytes == 1)
		at[offset] = (uint8_t)value;
	else if (bytes == 2)
		*(volatile uint16_t *)(at + offset) = (uint16_t)value;
	else
		*(volatile uint32_t *)(at + offset) = value;
}
