/*
 * pci_scan.h: PCI functions as the loader finds them, when the firmware has let go (PCI 3.0, chapter 6).
 *
 * An address is segment << 16 | bus << 8 | device << 3 | function, as in abi.h.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "acpi.h"

#define PCI_FUNCTIONS 64
#define PCI_BARS      6

#define PCI_NAME_BYTES	16
#define PCI_UNFIT_BYTES 64
#define PCI_WORDS_BYTES 192 /* six BARs of 32 bits, or three of 64 */

#define PCI_ID		 0x00u
#define PCI_COMMAND	 0x04u
#define PCI_BAR		 0x10u
#define PCI_HEADER_BYTES 0x40u
#define PCI_SPACE_BYTES	 0x100u /* what comes behind is PCI Express' */

#define PCI_COMMAND_MEMORY  0x002u
#define PCI_COMMAND_DECODES 0x003u /* I/O, memory */
#define PCI_COMMAND_MASTER  0x004u
#define PCI_COMMAND_NO_INTX 0x400u

struct pci_bar {
	uint64_t physical; /* 0: the firmware gave it no address */
	uint64_t bytes;	   /* a power of two; 0: not there, or the upper half of the one before */
	bool io;
};

/* A function as it was found. */
struct pci_function {
	uint32_t address;
	char name[PCI_NAME_BYTES];   /* "00:1f.2", or "0000:00:1f.2" where there are several segments */
	char words[PCI_WORDS_BYTES]; /* its interrupts and registers, for BH_TEXT_PCI */
	uint32_t id;		     /* device << 16 | vendor */
	uint32_t class_code;	     /* class << 16 | subclass << 8 | programming interface */
	bool machines;		     /* a bridge, an interrupt controller, an IOMMU: not looked into, and nobody's */
	char unfit[PCI_UNFIT_BYTES]; /* why nobody can be given it; empty: nothing is wrong with it itself */
	uint8_t line;		     /* Interrupt Line; 0xff where there is no interrupt pin */
	uint32_t header[16];	     /* what stands there: restored after a reset */
	struct pci_bar bar[PCI_BARS];
	/* Where its capabilities are; 0: it has none such. */
	uint8_t msi, msix, express, power, af;
	uint16_t express_control; /* Device Control */
	uint16_t vectors;	  /* of MSI-X */
	uint64_t vectors_at;	  /* physical, of the MSI-X table */
	volatile uint32_t *table; /* and where the kernel has mapped it */
	uint64_t kept;		  /* a bit for each dword of the first 256 bytes that its holder may not write */
};

struct pci_found {
	uint32_t count, left_out;
	struct pci_function function[PCI_FUNCTIONS];
};

/* Whole pages. */
struct pci_range {
	uint64_t first, end;
};

static inline struct pci_range pci_pages(uint64_t physical, uint64_t bytes)
{
	return (struct pci_range){ physical & ~0xfffull, (physical + bytes + 0xfff) & ~0xfffull };
}

static inline bool pci_overlap(struct pci_range a, struct pci_range b) { return a.first < b.end && b.first < a.end; }

/*
 * Finds the functions on all buses that `acpi` names, in `found`, which is zeroed; sizes their BARs, and turns off the
 * bus mastering and INTx of those that are neither the machine's own nor displays: whatever the firmware used writes to
 * memory no more.
 */
void pci_scan(struct pci_found *found, const struct acpi *acpi);

/* pci_boot.c: the same, for the loader. After it has left boot services. */
struct boot_info;
void pci_boot(struct boot_info *info);
