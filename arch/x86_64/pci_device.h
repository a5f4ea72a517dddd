/*
 * pci_device.h: the registers of a function that a partition holds. What may fail was found out at boot.
 *
 * One CPU at a time for each function: the caller sees to that.
 */
#pragma once
#include "pci.h"

#define PCI_RESET_STEPS 4u

/* Maps its MSI-X table for the kernel; false: no room. At boot. */
bool pci_device_prepare(struct pci_function *function);

/*
 * Step 0 to PCI_RESET_STEPS - 1 of taking it from its holder: no bus mastering, no interrupts, no decoding; then a
 * reset, if it has one (FLR, PCI Express 3.0, 6.6.2; of Advanced Features; by D3hot, PCI Power Management 1.2, 5.4),
 * and the header as it was. Returns how many milliseconds must pass before the next step; nothing waits here.
 */
unsigned pci_device_reset(const struct pci_function *function, unsigned step);

/* After a reset: decoding on, bus mastering off, all interrupts masked. */
void pci_device_start(const struct pci_function *function);

void pci_device_master(const struct pci_function *function, bool on);
bool pci_device_masters(const struct pci_function *function);

/* Lets INTx through, for a function that has nothing else. */
void pci_device_intx(const struct pci_function *function);

/*
 * Sends interrupt `index` (below `vectors`; 0 for MSI) as `vector` to CPU `cpu`, and unmasks it. False: the CPU's APIC
 * id is above 254, and no IOMMU remaps.
 */
bool pci_device_message(const struct pci_function *function, unsigned index, unsigned vector, unsigned cpu);
