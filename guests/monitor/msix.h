/*
 * msix.h: the MSI-X capability of a PCI function, its table and its pending bits (PCI Local Bus 3.0, 6.8.2).
 *
 * The function's lock is held in all calls.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "pci_function.h"

#define MSIX_VECTORS 16

struct msix_outside {
	void (*msi)(void *context, uint64_t address, uint32_t data);
	void *context;
};

struct msix_entry {
	uint32_t address, address_high, data, control;
};

struct msix {
	struct msix_outside outside;
	struct pci_function *function;
	unsigned capability; /* its offset */
	unsigned vectors;
	uint32_t pending;
	struct msix_entry entry[MSIX_VECTORS];
};

/* Adds the capability: `vectors` (1 to MSIX_VECTORS), table and pending bits at these offsets of `bar`. */
void msix_init(struct msix *msix, struct pci_function *function, unsigned vectors, unsigned bar, uint32_t table,
	       uint32_t pending, const struct msix_outside *outside);

static inline bool msix_is_enabled(const struct msix *msix)
{
	return msix->function->config[msix->capability + 3] & 0x80; /* message control, bit 15 */
}

/* An interrupt of `vector`: at once, or when it is unmasked. None if there is no such vector or MSI-X is off. */
void msix_raise(struct msix *msix, unsigned vector);

/* The command register or the capability was written: what waited may go out. */
void msix_changed(struct msix *msix);

/* Accesses to the table and the pending bits; aligned 4 or 8 bytes, as 6.8.2 asks for. Others have no effect. */
uint64_t msix_read_table(const struct msix *msix, uint32_t offset, unsigned size);
void msix_write_table(struct msix *msix, uint32_t offset, unsigned size, uint64_t value);
uint64_t msix_read_pending(const struct msix *msix, uint32_t offset);
