/*
 * acpi.h: the guest's ACPI tables (ACPI 6.4): RSDP, XSDT, FADT, FACS, MADT, MCFG, DSDT (from dsdt.asl).
 */
#pragma once
#include <stdint.h>

/*
 * Writes the tables for `vcpus` CPUs (1 to 254, APIC ID = index) into `area`, which stands at
 * guest-physical `address` (a multiple of 64, in memory that the guest's map calls reserved).
 * Returns the RSDP's guest-physical address, or 0 if `bytes` are too few.
 */
uint64_t acpi_build(uint8_t *area, uint64_t bytes, uint64_t address, unsigned vcpus);

/* What iasl made of dsdt.asl. */
extern const unsigned char acpi_dsdt[];
extern const unsigned acpi_dsdt_bytes;
