/* pci_function.c: configuration space, and which access belongs to which base address register. */
#include "pci_function.h"

#define BAR_IO		 0x1u
#define STATUS_LIST	 0x0010u /* there are capabilities */
#define COMMAND_WRITABLE (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX)
#define PORT_BITS	 0xffffu /* there are no more ports on a PC (6.2.5.1) */
#define INTERRUPT_LINE	 0x3c
#define HEADER_END	 0x40
#define CACHE_LINE	 0x0c

void pci_function_set(struct pci_function *function, unsigned offset, unsigned size, uint32_t value)
{
	memcpy(function->config + offset, &value, size);
}

void pci_function_set_writable(struct pci_function *function, unsigned offset, unsigned size, uint32_t bits)
{
	memcpy(function->writable + offset, &bits, size);
}

/* Where each base address register answers, after a change of it or of the command register. */
static void update_bars(struct pci_function *function)
{
	uint32_t command = pci_function_get(function, PCI_COMMAND, 2);

	for (unsigned bar = 0; bar < PCI_BARS; bar++) {
		bool on = command & (function->bar_io[bar] ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
		uint32_t address = pci_function_get(function, PCI_BAR(bar), 4);

		if (function->bar_bytes[bar])
			function->bar_base[bar] = on ? address & ~(function->bar_bytes[bar] - 1) : 0;
	}
}

void pci_function_init(struct pci_function *function, const struct pci_ids *ids,
		       const struct pci_operations *operations, void *device)
{
	memset(function, 0, sizeof(*function));
	function->operations = operations;
	function->device = device;
	function->capabilities_end = HEADER_END;
	pci_function_set(function, PCI_ID, 4, (uint32_t)ids->device << 16 | ids->vendor);
	pci_function_set(function, PCI_REVISION, 4, ids->class_code << 8 | ids->revision);
	pci_function_set(function, PCI_SUBSYSTEM, 4, (uint32_t)ids->subsystem << 16 | ids->subsystem_vendor);
	if (!operations)
		return;
	pci_function_set_writable(function, PCI_COMMAND, 2, COMMAND_WRITABLE);
	pci_function_set_writable(function, CACHE_LINE, 1, 0xff);
	pci_function_set_writable(function, INTERRUPT_LINE, 1, 0xff);
}

void pci_function_add_bar(struct pci_function *function, unsigned bar, bool io, uint32_t bytes, uint32_t address)
{
	uint32_t command = pci_function_get(function, PCI_COMMAND, 2);

	function->bar_bytes[bar] = bytes;
	function->bar_io[bar] = io;
	pci_function_set(function, PCI_BAR(bar), 4, address | (io ? BAR_IO : 0));
	pci_function_set_writable(function, PCI_BAR(bar), 4, ~(bytes - 1) & (io ? PORT_BITS : UINT32_MAX));
	pci_function_set(function, PCI_COMMAND, 2, command | (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY));
	update_bars(function);
}

unsigned pci_function_add_capability(struct pci_function *function, uint8_t id, unsigned bytes)
{
	unsigned at = function->capabilities_end;

	/* The list's head, or the `next` of the one before (6.7). */
	function->config[function->last_capability ? function->last_capability + 1u : PCI_CAPABILITIES] = (uint8_t)at;
	function->config[PCI_STATUS] |= STATUS_LIST;
	function->config[at] = id;
	function->last_capability = (uint8_t)at;
	function->capabilities_end = (uint8_t)(at + ((bytes + 3) & ~3u));
	return at;
}

uint32_t pci_function_read(struct pci_function *function, unsigned offset, unsigned size)
{
	uint32_t value;

	bh_lock(&function->lock);
	if (function->operations)
		function->operations->config_reading(function->device, offset, size);
	value = pci_function_get(function, offset, size);
	bh_unlock(&function->lock);
	return value;
}

void pci_function_write(struct pci_function *function, unsigned offset, unsigned size, uint32_t value)
{
	bh_lock(&function->lock);
	for (unsigned i = 0; i < size; i++, value >>= 8) {
		uint8_t *byte = &function->config[offset + i], bits = function->writable[offset + i];

		*byte = (uint8_t)((*byte & ~bits) | (value & bits));
	}
	update_bars(function);
	if (function->operations)
		function->operations->config_written(function->device, offset, size);
	bh_unlock(&function->lock);
}

/* The base address register that the whole access lies in, or PCI_BARS. */
static unsigned find_bar(const struct pci_function *function, bool io, uint64_t address, unsigned size,
			 uint32_t *offset)
{
	for (unsigned bar = 0; bar < PCI_BARS; bar++) {
		uint32_t base = function->bar_base[bar], bytes = function->bar_bytes[bar];

		if (!base || function->bar_io[bar] != io || address < base || address - base > bytes - size)
			continue;
		*offset = (uint32_t)(address - base);
		return bar;
	}
	return PCI_BARS;
}

bool pci_function_bar_read(struct pci_function *function, bool io, uint64_t address, unsigned size, uint64_t *value)
{
	uint32_t offset;
	unsigned bar = find_bar(function, io, address, size, &offset);

	if (bar == PCI_BARS)
		return false;
	bh_lock(&function->lock);
	*value = function->operations->read(function->device, bar, offset, size);
	bh_unlock(&function->lock);
	return true;
}

bool pci_function_bar_write(struct pci_function *function, bool io, uint64_t address, unsigned size, uint64_t value)
{
	uint32_t offset;
	unsigned bar = find_bar(function, io, address, size, &offset);

	if (bar == PCI_BARS)
		return false;
	bh_lock(&function->lock);
	function->operations->write(function->device, bar, offset, size, value);
	bh_unlock(&function->lock);
	return true;
}
