/*
 * pci.h: PCI configuration by ports (PCI Local Bus 3.0, 3.2.2.3.2), and the reset register, which
 * stands between the same ports. On the bus is a host bridge, 00:00.0, and nothing else.
 */
#pragma once
#include <stdint.h>
#include "guests/lib/bh.h"

#define PCI_PORT       0xcf8
#define PCI_RESET_PORT 0xcf9
#define PCI_LAST       0xcff

struct pci_outside {
	void (*reset)(void *context); /* does not return */
	void *context;
};

struct pci {
	struct pci_outside outside;
	_Atomic uint32_t address; /* CONFIG_ADDRESS */
};

void pci_init(struct pci *pci, const struct pci_outside *outside);

/* Port handlers (port.h). Any vCPU: guests lock the pair of ports themselves, as on a PC. */
uint32_t pci_read(void *pci, uint16_t port, unsigned size);
void pci_write(void *pci, uint16_t port, unsigned size, uint32_t value);
