/*
 * pci.h: PCI functions and their configuration space (PCI 3.0, chapter 6; PCI Express 3.0, chapter 7).
 *
 * An address is segment << 16 | bus << 8 | device << 3 | function, as in abi.h.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_FUNCTIONS  64
#define PCI_BARS       6
#define PCI_NAME_BYTES 16

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

/* A function as it was found at boot. */
struct pci_function {
	uint32_t address;
	uint32_t id;	     /* device << 16 | vendor */
	uint32_t class_code; /* class << 16 | subclass << 8 | programming interface */
	bool machines;	     /* a bridge, an interrupt controller, an IOMMU: not looked into, and nobody's */
	uint8_t line;	     /* Interrupt Line; 0xff where there is no interrupt pin */
	uint32_t header[16]; /* what stands there: restored after a reset */
	struct pci_bar bar[PCI_BARS];
	/* Where its capabilities are; 0: it has none such. */
	uint8_t msi, msix, express, power, af;
	uint16_t express_control; /* Device Control */
	uint16_t vectors;	  /* of MSI-X */
	uint64_t vectors_at;	  /* physical, of the MSI-X table */
	volatile uint32_t *table; /* and where the kernel has mapped it */
	uint64_t kept;		  /* a bit for each dword of the first 256 bytes that its holder may not write */
};

extern struct pci_function pci_functions[PCI_FUNCTIONS];
extern unsigned pci_function_count;

/*
 * Finds the functions on all buses, sizes their BARs, and turns off the bus mastering and INTx of those that are
 * neither the machine's own nor displays: whatever the firmware used writes to memory no more. One line in the log.
 * Boot CPU, once, before anything of theirs is used.
 */
void pci_init(void);

/* Whether the holder of the function may write these bytes, which lie within an aligned dword. No effect. */
bool pci_may_write(const struct pci_function *function, unsigned offset, unsigned bytes);

/* "00:1f.2", or "0000:00:1f.2" where there are several segments. */
const char *pci_name(uint32_t address, char text[PCI_NAME_BYTES]);

/* ---- pci_config.c: access, by ECAM where ACPI names one, otherwise by ports ---------------------- */

/* Maps what ACPI's MCFG names. Boot CPU, once. */
void pci_config_init(void);

/* Bytes of configuration space that can be reached: 256 or 4096. */
unsigned pci_config_bytes(uint32_t address);

/* 1, 2 or 4 bytes at a multiple of that; all ones when nobody answers. Any CPU. */
uint32_t pci_read(uint32_t address, unsigned offset, unsigned bytes);
void pci_write(uint32_t address, unsigned offset, unsigned bytes, uint32_t value);
