/*
 * pci_function.h: one function on the PCI bus: configuration space, base address registers, capabilities (PCI Local
 * Bus 3.0, clause 6).
 *
 * The configuration space is bytes and, beside each, the bits that the guest may change; sizing a base address register
 * needs nothing more. The lock is the device's as well: all its operations are called with it held, and what the device
 * does by itself takes it, too.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/lib/bh.h"

#define PCI_CONFIG_BYTES 256
#define PCI_BARS	 6

/* Offsets in configuration space (figure 6-1). */
#define PCI_ID		  0x00
#define PCI_COMMAND	  0x04
#define PCI_STATUS	  0x06
#define PCI_REVISION	  0x08
#define PCI_BAR(bar)	  (0x10 + 4 * (bar))
#define PCI_SUBSYSTEM	  0x2c
#define PCI_CAPABILITIES  0x34
#define PCI_DEVICE_HEADER 0x40 /* what is behind is the device's own */

#define PCI_COMMAND_IO	   0x0001u
#define PCI_COMMAND_MEMORY 0x0002u
#define PCI_COMMAND_MASTER 0x0004u
#define PCI_COMMAND_INTX   0x0400u /* INTx is off */

struct pci_operations {
	/* An access within a base address register's range; size 1, 2, 4, or with memory 8. */
	uint64_t (*read)(void *device, unsigned bar, uint32_t offset, unsigned size);
	void (*write)(void *device, unsigned bar, uint32_t offset, unsigned size, uint64_t value);
	/* The guest is about to read configuration bytes; it has written some. */
	void (*config_reading)(void *device, unsigned offset, unsigned size);
	void (*config_written)(void *device, unsigned offset, unsigned size);
};

struct pci_ids {
	uint16_t vendor, device;
	uint32_t class_code; /* class << 16 | subclass << 8 | programming interface */
	uint8_t revision;
	uint16_t subsystem_vendor, subsystem;
};

struct pci_function {
	struct bh_lock lock;
	const struct pci_operations *operations; /* NULL: configuration space is all it has */
	void *device;
	uint8_t config[PCI_CONFIG_BYTES];
	uint8_t writable[PCI_CONFIG_BYTES];
	uint32_t bar_bytes[PCI_BARS]; /* 0: not there */
	bool bar_io[PCI_BARS];
	_Atomic uint32_t bar_base[PCI_BARS]; /* where it answers now; 0: nowhere */
	uint8_t last_capability, capabilities_end;
};

/* ---- building, before the guest runs --------------------------------------------------------------- */

void pci_function_init(struct pci_function *function, const struct pci_ids *ids,
		       const struct pci_operations *operations, void *device);

/*
 * A base address register of `bytes` (a power of two; I/O: 4 to 256, memory: 4096 and up, 32 bits), set to `address`
 * and enabled, as firmware would leave it.
 */
void pci_function_add_bar(struct pci_function *function, unsigned bar, bool io, uint32_t bytes, uint32_t address);

/* Room for a capability of `bytes`, at a multiple of four, linked into the list. Returns its offset. */
unsigned pci_function_add_capability(struct pci_function *function, uint8_t id, unsigned bytes);

/* Bytes of the configuration space as the device sees them, little-endian; size 1, 2 or 4. */
static inline uint32_t pci_function_get(const struct pci_function *function, unsigned offset, unsigned size)
{
	uint32_t value = 0;

	__builtin_memcpy(&value, function->config + offset, size);
	return value;
}

void pci_function_set(struct pci_function *function, unsigned offset, unsigned size, uint32_t value);
void pci_function_set_writable(struct pci_function *function, unsigned offset, unsigned size, uint32_t bits);

/* ---- running, any vCPU, the lock not held ------------------------------------------------------------ */

/* The guest's accesses to configuration space; the bytes do not reach past PCI_CONFIG_BYTES. */
uint32_t pci_function_read(struct pci_function *function, unsigned offset, unsigned size);
void pci_function_write(struct pci_function *function, unsigned offset, unsigned size, uint32_t value);

/* The guest's accesses to I/O ports or memory: false if they are not the function's. */
bool pci_function_bar_read(struct pci_function *function, bool io, uint64_t address, unsigned size, uint64_t *value);
bool pci_function_bar_write(struct pci_function *function, bool io, uint64_t address, unsigned size, uint64_t value);

/* May it reach memory, which includes MSIs? The lock is held. */
static inline bool pci_function_is_master(const struct pci_function *function)
{
	return function->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}
