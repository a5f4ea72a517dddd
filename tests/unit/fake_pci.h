/*
 * fake_pci.h: PCI functions in memory, behind pci_read and pci_write: registers with bits that can be written, BARs,
 * lists of capabilities, and resets.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define FAKE_PCI 80

struct fake_pci {
	uint32_t address;
	uint8_t space[256], mask[256]; /* what stands there, and what can be written */
	uint8_t last;		       /* capability */
	uint8_t express, power, af;
	unsigned resets;
	unsigned decoded_while_sized; /* BARs written while decoding is on */
};

/* None, 256 bytes each. */
void fake_pci_none(void);

/* As the loader and then the kernel find them. */
void fake_pci_scan(void);

/* A function with a header of type 0; the class with subclass and interface. */
struct fake_pci *fake_pci_add(uint32_t address, uint32_t id, uint32_t class_code);

/* BAR i: `low` are the type bits (1: ports; 4: 64 bits). */
void fake_pci_bar(struct fake_pci *f, unsigned i, uint64_t physical, uint64_t bytes, uint32_t low);

/* A capability of `bytes` (all of which can be written, behind the header) at `at`. */
void fake_pci_capability(struct fake_pci *f, uint8_t at, uint8_t id, unsigned bytes);

/* The usual ones. */
void fake_pci_msix(struct fake_pci *f, uint8_t at, unsigned vectors, unsigned bar, uint32_t offset);
void fake_pci_msi(struct fake_pci *f, uint8_t at, uint16_t control);
void fake_pci_express(struct fake_pci *f, uint8_t at, bool flr);
void fake_pci_af(struct fake_pci *f, uint8_t at);
void fake_pci_power(struct fake_pci *f, uint8_t at, bool no_soft_reset);

uint32_t fake_pci_get(const struct fake_pci *f, unsigned offset, unsigned bytes);
void fake_pci_put(struct fake_pci *f, unsigned offset, unsigned bytes, uint32_t value);
