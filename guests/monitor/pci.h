/*
 * pci.h: the PCI bus: configuration by ports (PCI Local Bus 3.0, 3.2.2.3.2) and by memory (PCI Firmware 3.0, 4.1.2),
 * ports and memory of its devices, and the reset register, which stands between the ports of the first.
 *
 * There is one bus. Slot 0 is the host bridge, slot n + 1 is device n. Each has one function.
 */
#pragma once
#include <stdint.h>
#include "pci_function.h"

#define PCI_PORT       0xcf8
#define PCI_RESET_PORT 0xcf9
#define PCI_LAST       0xcff

#define PCI_DEVICES 16

/* Configuration space as memory, of bus 0. acpi.c (MCFG) and dsdt.asl say the same. */
#define PCI_ECAM_ADDRESS 0xe0000000ull
#define PCI_ECAM_BYTES	 0x100000u

/* From here on, memory of devices. */
#define PCI_MEMORY_ADDRESS 0xc0000000u

struct pci_outside {
	void (*reset)(void *context); /* does not return */
	void *context;
};

struct pci {
	struct pci_outside outside;
	_Atomic uint32_t address; /* CONFIG_ADDRESS */
	struct pci_function bridge;
	struct pci_function *device[PCI_DEVICES];
};

void pci_init(struct pci *pci, const struct pci_outside *outside);

/* Puts a device at slot n + 1. Before the guest runs. */
void pci_add(struct pci *pci, unsigned n, struct pci_function *function);

/* Port handlers (port.h). Any vCPU: guests lock the pair of ports themselves, as on a PC. */
uint32_t pci_read(void *pci, uint16_t port, unsigned size);
void pci_write(void *pci, uint16_t port, unsigned size, uint32_t value);

/* Ports that no other device has: those that the guest gave to a device on the bus, and nobody's. Any vCPU. */
uint32_t pci_read_port(void *pci, uint16_t port, unsigned size);
void pci_write_port(void *pci, uint16_t port, unsigned size, uint32_t value);

/* Memory: ECAM, devices, and nobody's; size 1, 2, 4 or 8. Any vCPU. */
uint64_t pci_read_memory(struct pci *pci, uint64_t address, unsigned size);
void pci_write_memory(struct pci *pci, uint64_t address, unsigned size, uint64_t value);
