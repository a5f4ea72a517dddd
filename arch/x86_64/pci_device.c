#include "pci_device.h"
#include "address_space.h"
#include "cpu.h"
#include "iommu/iommu.h"

#define MESSAGE_ADDRESS 0xfee00000u /* SDM vol. 3, 11.11.1 */

#define MSI_ENABLE    0x0001u /* message control, PCI 3.0, 6.8.1.3 */
#define MSI_64	      0x0080u
#define MSI_MASKS     0x0100u
#define MSIX_ENABLE   0x8000u /* 6.8.2.3 */
#define MSIX_MASK_ALL 0x4000u
#define ENTRY_WORDS   4u /* of an MSI-X table: address, data, control */
#define ENTRY_CONTROL 3u
#define ENTRY_MASKED  1u

#define EXPRESS_HAS_FLR (1u << 28) /* Device Capabilities, PCI Express 3.0, 7.8.3 */
#define EXPRESS_FLR	0x8000u	   /* Device Control, 7.8.4 */
#define EXPRESS_PENDING 0x20u	   /* Device Status, 7.8.5 */
#define AF_HAS_FLR	0x2u	   /* Advanced Capabilities for Conventional PCI ECN */

#define POWER_NO_SOFT_RESET 0x8u    /* PMCSR, PCI Power Management 1.2, 3.2.4 */
#define POWER_PME_STATUS    0x8000u /* goes off when written with 1 */
#define POWER_D3HOT	    3u

#define FLR_MS	   100u
#define PENDING_MS 100u
#define POWER_MS   10u

static uint32_t read(const struct pci_function *f, unsigned offset, unsigned bytes)
{
	return pci_read(f->address, offset, bytes);
}

static void write(const struct pci_function *f, unsigned offset, unsigned bytes, uint32_t value)
{
	pci_write(f->address, offset, bytes, value);
}

/* ---- command register and interrupts ------------------------------------------------------------- */

/* Reads it back: by then all that it had under way to memory has arrived (PCI Express 3.0, 2.4.1). */
static void command(const struct pci_function *f, uint32_t clear, uint32_t set)
{
	write(f, PCI_COMMAND, 2, (read(f, PCI_COMMAND, 2) & ~clear) | set);
	read(f, PCI_COMMAND, 2);
}

void pci_device_master(const struct pci_function *f, bool on)
{
	command(f, PCI_COMMAND_MASTER, on ? PCI_COMMAND_MASTER : 0);
}

bool pci_device_masters(const struct pci_function *f) { return read(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER; }

void pci_device_intx(const struct pci_function *f) { command(f, PCI_COMMAND_NO_INTX, 0); }

bool pci_device_prepare(struct pci_function *f)
{
	if (f->msix)
		f->table = mmio_map(f->vectors_at, f->vectors * ENTRY_WORDS * 4, PAGING_UC);
	return !f->msix || f->table;
}

static void set_msix(const struct pci_function *f, unsigned index, uint64_t address, uint32_t data)
{
	volatile uint32_t *entry = f->table + index * ENTRY_WORDS;

	entry[ENTRY_CONTROL] = ENTRY_MASKED;
	entry[0] = (uint32_t)address;
	entry[1] = (uint32_t)(address >> 32);
	entry[2] = data;
	entry[ENTRY_CONTROL] = 0;
	(void)entry[ENTRY_CONTROL]; /* it has arrived */
}

static void set_msi(const struct pci_function *f, uint64_t address, uint32_t data)
{
	uint32_t control = read(f, f->msi + 2u, 2) & (MSI_64 | MSI_MASKS);
	unsigned at = f->msi + (control & MSI_64 ? 12u : 8u);

	write(f, f->msi + 2u, 2, 0);
	write(f, f->msi + 4u, 4, (uint32_t)address);
	if (control & MSI_64)
		write(f, f->msi + 8u, 4, (uint32_t)(address >> 32));
	write(f, at, 2, data);
	if (control & MSI_MASKS)
		write(f, at + 4, 4, 0);
	write(f, f->msi + 2u, 2, MSI_ENABLE);
}

bool pci_device_message(const struct pci_function *f, unsigned index, unsigned vector, unsigned cpu)
{
	uint64_t address = MESSAGE_ADDRESS | (cpus[cpu]->apic_id & 0xff) << 12;
	uint32_t data = vector;

	if (!iommu_msi(f->address, vector, cpu, &address, &data) && cpus[cpu]->apic_id > 254)
		return false;
	if (f->msix)
		set_msix(f, index, address, data);
	else
		set_msi(f, address, data);
	return true;
}

/* ---- from holder to holder ----------------------------------------------------------------------- */

static unsigned silence(const struct pci_function *f)
{
	command(f, PCI_COMMAND_MASTER | PCI_COMMAND_DECODES, PCI_COMMAND_NO_INTX);
	if (f->msix)
		write(f, f->msix + 2u, 2, MSIX_MASK_ALL);
	if (f->msi)
		write(f, f->msi + 2u, 2, 0);
	return f->express && read(f, f->express + 10u, 2) & EXPRESS_PENDING ? PENDING_MS : 0;
}

/* Of one that has no power management: as if it were on for ever. */
static uint32_t power(const struct pci_function *f)
{
	return f->power ? read(f, f->power + 4u, 2) : POWER_NO_SOFT_RESET;
}

static unsigned set_power(const struct pci_function *f, uint32_t state)
{
	write(f, f->power + 4u, 2, (power(f) & ~(POWER_PME_STATUS | POWER_D3HOT)) | state);
	return POWER_MS;
}

static unsigned begin_reset(const struct pci_function *f)
{
	if (f->express && read(f, f->express + 4u, 4) & EXPRESS_HAS_FLR)
		write(f, f->express + 8u, 2, f->express_control | EXPRESS_FLR);
	else if (f->af && read(f, f->af + 3u, 1) & AF_HAS_FLR)
		write(f, f->af + 4u, 1, 1);
	else
		return power(f) & POWER_NO_SOFT_RESET ? 0 : set_power(f, POWER_D3HOT);
	return FLR_MS;
}

/* Its header as at boot, with decoding off: BARs, cache line and latency (but not BIST beside it), interrupt line. */
static unsigned restore(const struct pci_function *f)
{
	command(f, PCI_COMMAND_MASTER | PCI_COMMAND_DECODES, PCI_COMMAND_NO_INTX);
	for (unsigned i = 0; i < PCI_BARS; i++)
		write(f, PCI_BAR + 4 * i, 4, f->header[PCI_BAR / 4 + i]);
	write(f, 0xc, 2, f->header[3]);
	write(f, 0x3c, 1, f->header[15]);
	if (f->express)
		write(f, f->express + 8u, 2, f->express_control);
	return 0;
}

unsigned pci_device_reset(const struct pci_function *f, unsigned step)
{
	switch (step) {
	case 0: return silence(f);
	case 1: return begin_reset(f);
	case 2: return power(f) & POWER_D3HOT ? set_power(f, 0) : 0;
	default: return restore(f);
	}
}

void pci_device_start(const struct pci_function *f)
{
	command(f, 0, PCI_COMMAND_MEMORY | (f->header[1] & PCI_COMMAND_DECODES));
	for (unsigned i = 0; f->msix && i < f->vectors; i++)
		f->table[i * ENTRY_WORDS + ENTRY_CONTROL] = ENTRY_MASKED;
	if (f->msix)
		write(f, f->msix + 2u, 2, MSIX_ENABLE);
}
