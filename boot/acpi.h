/* acpi.h: the few facts that the kernel wants of ACPI's tables (ACPI 6.5, 5.2). The loader reads them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define ACPI_CPUS    256
#define ACPI_IOAPICS 8
#define ACPI_ISA     16
#define ACPI_ECAMS   8

struct acpi_ioapic {
	uint32_t address;
	uint32_t gsi_base;
	uint8_t id;
};

/* How an ISA interrupt is wired: as on every PC, or as an interrupt source override says (5.2.12.5). */
struct acpi_isa {
	uint32_t gsi;
	bool overridden, active_low, level;
};

/* Configuration space of the buses of a PCI segment (PCI Firmware 3.0, 4.1.2): 1 MiB a bus, from bus 0 on. */
struct acpi_ecam {
	uint64_t address; /* physical, of bus 0 */
	uint16_t segment;
	uint8_t first_bus, last_bus;
};

#define ACPI_ECAM_BUS 0x100000ull

/* Where the part begins that belongs to the range, and its length. */
static inline uint64_t acpi_ecam_base(const struct acpi_ecam *range)
{
	return range->address + range->first_bus * ACPI_ECAM_BUS;
}

static inline uint64_t acpi_ecam_bytes(const struct acpi_ecam *range)
{
	return (range->last_bus - range->first_bus + 1u) * ACPI_ECAM_BUS;
}

struct acpi {
	bool found; /* there is a usable root table */
	bool madt;
	uint32_t cpus;		/* enabled; as many as fit */
	uint32_t cpus_left_out; /* enabled, but past ACPI_CPUS */
	uint32_t apic_id[ACPI_CPUS];
	uint32_t ioapics, ecams;
	struct acpi_ioapic ioapic[ACPI_IOAPICS]; /* without a MADT: the one that every PC has */
	struct acpi_isa isa[ACPI_ISA];
	struct acpi_ecam ecam[ACPI_ECAMS];
	uint16_t pm_timer_port; /* 0: none */
	bool pm_timer_32bit;
	uint8_t reset_space; /* generic address space: 0 memory, 1 I/O, 2 PCI; 0xff: no reset
				register */
	uint8_t reset_value;
	uint64_t reset_address;
	uint64_t hpet;	     /* physical address of its registers, 0: none */
	uint64_t dmar, ivrs; /* where the tables of IOMMUs stand, whose checksums are right; 0: none */
	uint32_t dmar_bytes, ivrs_bytes;
	uint32_t damaged; /* tables refused: wrong length or checksum, or out of the reader's reach */
};

/* Where tables are read: `bytes` at `physical`, valid until the next call; NULL: cannot. */
typedef const void *(*acpi_map)(uint64_t physical, uint64_t bytes);

/*
 * Parses from the RSDP at `rsdp` on; any content is survived. Without a usable root table
 * nothing but `damaged` and what holds for every PC is set.
 */
void acpi_parse(struct acpi *acpi, uint64_t rsdp, acpi_map map);
