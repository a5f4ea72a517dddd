/* pci.c: finds the function that an access is for. */
#include "pci.h"

#define PCI_DATA	 0xcfc
#define ADDRESS_ENABLE	 0x80000000u
#define ADDRESS_WRITABLE 0x80fffffcu
#define ADDRESS_BUS	 0x00ff0000u
#define RESET_CPU	 0x04u

/* ECAM: 32 KiB a slot, 4 KiB a function, of which conventional PCI has the first 256 bytes. */
#define ECAM_FUNCTION_BYTES 0x1000u

/* A generic host bridge, for which no driver has quirks. */
static const struct pci_ids host_bridge = { .vendor = 0x1b36, .device = 0x0008, .class_code = 0x060000 };

/* `number`: slot << 3 | function. NULL: nobody. */
static struct pci_function *find(struct pci *pci, unsigned number)
{
	if (number == 0)
		return &pci->bridge;
	if (number & 7 || number >> 3 > PCI_DEVICES)
		return NULL;
	return pci->device[(number >> 3) - 1];
}

/* ---- configuration --------------------------------------------------------------------------------- */

static struct pci_function *addressed(struct pci *pci, uint32_t address)
{
	if (!(address & ADDRESS_ENABLE) || address & ADDRESS_BUS)
		return NULL;
	return find(pci, address >> 8 & 0xff);
}

static uint32_t read_data(struct pci *pci, unsigned byte, unsigned size)
{
	uint32_t address = pci->address;
	struct pci_function *function = addressed(pci, address);

	return function ? pci_function_read(function, (address & 0xfc) + byte, size) : UINT32_MAX;
}

static void write_data(struct pci *pci, unsigned byte, unsigned size, uint32_t value)
{
	uint32_t address = pci->address;
	struct pci_function *function = addressed(pci, address);

	if (function)
		pci_function_write(function, (address & 0xfc) + byte, size, value);
}

uint32_t pci_read(void *device, uint16_t port, unsigned size)
{
	struct pci *pci = device;

	if (port >= PCI_DATA)
		return read_data(pci, port & 3, size);
	if (port == PCI_PORT && size == 4)
		return pci->address;
	if (port == PCI_RESET_PORT && size == 1)
		return 0;
	return UINT32_MAX;
}

void pci_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct pci *pci = device;

	if (port >= PCI_DATA)
		write_data(pci, port & 3, size, value);
	else if (port == PCI_PORT && size == 4)
		pci->address = value & ADDRESS_WRITABLE;
	else if (port == PCI_RESET_PORT && size == 1 && value & RESET_CPU)
		pci->outside.reset(pci->outside.context);
}

/* The same as memory; there are no extended capabilities (a first header of 0). */
static uint64_t read_ecam(struct pci *pci, uint32_t at, unsigned size)
{
	struct pci_function *function = find(pci, at / ECAM_FUNCTION_BYTES);
	unsigned offset = at % ECAM_FUNCTION_BYTES;

	if (!function)
		return UINT64_MAX;
	if (offset + size > PCI_CONFIG_BYTES)
		return 0;
	if (size == 8)
		return pci_function_read(function, offset, 4) | (uint64_t)pci_function_read(function, offset + 4, 4)
									<< 32;
	return pci_function_read(function, offset, size);
}

static void write_ecam(struct pci *pci, uint32_t at, unsigned size, uint64_t value)
{
	struct pci_function *function = find(pci, at / ECAM_FUNCTION_BYTES);
	unsigned offset = at % ECAM_FUNCTION_BYTES;

	if (!function || offset + size > PCI_CONFIG_BYTES)
		return;
	pci_function_write(function, offset, size > 4 ? 4 : size, (uint32_t)value);
	if (size > 4)
		pci_function_write(function, offset + 4, 4, (uint32_t)(value >> 32));
}

/* ---- ports and memory of devices --------------------------------------------------------------------- */

static uint64_t read_bar(struct pci *pci, bool io, uint64_t address, unsigned size)
{
	uint64_t value;

	for (unsigned n = 0; n < PCI_DEVICES; n++)
		if (pci->device[n] && pci_function_bar_read(pci->device[n], io, address, size, &value))
			return value;
	return UINT64_MAX;
}

static void write_bar(struct pci *pci, bool io, uint64_t address, unsigned size, uint64_t value)
{
	for (unsigned n = 0; n < PCI_DEVICES; n++)
		if (pci->device[n] && pci_function_bar_write(pci->device[n], io, address, size, value))
			return;
}

uint32_t pci_read_port(void *device, uint16_t port, unsigned size)
{
	return (uint32_t)read_bar(device, true, port, size);
}

void pci_write_port(void *device, uint16_t port, unsigned size, uint32_t value)
{
	write_bar(device, true, port, size, value);
}

uint64_t pci_read_memory(struct pci *pci, uint64_t address, unsigned size)
{
	if (address - PCI_ECAM_ADDRESS < PCI_ECAM_BYTES)
		return read_ecam(pci, (uint32_t)(address - PCI_ECAM_ADDRESS), size);
	return read_bar(pci, false, address, size);
}

void pci_write_memory(struct pci *pci, uint64_t address, unsigned size, uint64_t value)
{
	if (address - PCI_ECAM_ADDRESS < PCI_ECAM_BYTES)
		write_ecam(pci, (uint32_t)(address - PCI_ECAM_ADDRESS), size, value);
	else
		write_bar(pci, false, address, size, value);
}

void pci_add(struct pci *pci, unsigned n, struct pci_function *function) { pci->device[n] = function; }

void pci_init(struct pci *pci, const struct pci_outside *outside)
{
	*pci = (struct pci){ .outside = *outside };
	pci_function_init(&pci->bridge, &host_bridge, NULL, NULL);
}
