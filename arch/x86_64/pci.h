/*
 * pci.h: PCI functions and their configuration space (PCI 3.0, chapter 6; PCI Express 3.0, chapter 7).
 *
 * An address is segment << 16 | bus << 8 | device << 3 | function, as in abi.h.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "boot/pci_scan.h"

extern struct pci_function *pci_functions;
extern unsigned pci_function_count;

/* Takes what the loader has found, with a line in the log. Boot CPU, once, before anything of theirs is used. */
void pci_init(struct pci_found *found);

/* Whether the holder of the function may write these bytes, which lie within an aligned dword. No effect. */
bool pci_may_write(const struct pci_function *function, unsigned offset, unsigned bytes);

/* ---- pci_config.c: access, by ECAM where ACPI names one, otherwise by ports ---------------------- */

/* Maps what ACPI's MCFG names. Boot CPU, once. */
void pci_config_init(void);

/* Bytes of configuration space that can be reached: 256 or 4096. */
unsigned pci_config_bytes(uint32_t address);

/* 1, 2 or 4 bytes at a multiple of that; all ones when nobody answers. Any CPU. */
uint32_t pci_read(uint32_t address, unsigned offset, unsigned bytes);
void pci_write(uint32_t address, unsigned offset, unsigned bytes, uint32_t value);
