/* pci.c: an almost empty PCI bus. */
#include "pci.h"

#define PCI_DATA	 0xcfc
#define ADDRESS_ENABLE	 0x80000000u
#define ADDRESS_WRITABLE 0x80fffffcu
#define RESET_CPU	 0x04u

/* The host bridge's header, as far as it is not zero (PCI 3.0, 6.1): IDs, class 060000h. */
static uint32_t host_bridge(unsigned offset)
{
	switch (offset) {
	case 0x00: return 0x00081b36; /* a generic host bridge, for which no driver has quirks */
	case 0x08: return 0x06000000;
	}
	return 0;
}

static uint32_t config_read(uint32_t address)
{
	if (!(address & ADDRESS_ENABLE) || address & 0x00ffff00u)
		return UINT32_MAX;
	return host_bridge(address & 0xfc);
}

uint32_t pci_read(void *device, uint16_t port, unsigned size)
{
	struct pci *pci = device;

	if (port >= PCI_DATA)
		return config_read(pci->address) >> (port & 3) * 8;
	if (port == PCI_PORT && size == 4)
		return pci->address;
	if (port == PCI_RESET_PORT && size == 1)
		return 0;
	return UINT32_MAX;
}

void pci_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct pci *pci = device;

	/* Nothing on the bus can be written: the bridge has no BARs and ignores its command
	 * register. */
	if (port == PCI_PORT && size == 4)
		pci->address = value & ADDRESS_WRITABLE;
	else if (port == PCI_RESET_PORT && size == 1 && value & RESET_CPU)
		pci->outside.reset(pci->outside.context);
}

void pci_init(struct pci *pci, const struct pci_outside *outside) { *pci = (struct pci){ .outside = *outside }; }
