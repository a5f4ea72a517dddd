/*
 * iommu_tables.h: what the firmware's tables say of IOMMUs, for both vendors: DMAR (VT-d 8) and IVRS (AMD-Vi 48882,
 * 5.2). The loader reads them, so that the kernel need not. The parsers are pure functions over bytes, which may hold
 * anything.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define IOMMU_UNITS    32
#define IOMMU_RANGES   512
#define IOMMU_IOAPICS  16
#define IOMMU_RESERVED 32

struct iommu_place {
	uint64_t base; /* physical address of its registers */
	uint16_t segment;
	uint8_t flags; /* AMD: IVHD's */
	bool all;      /* Intel: it has whatever no other unit of its segment has */
};

/* Devices first..last are behind a unit, which knows them as `alias` if they have one. */
struct iommu_range {
	uint16_t first, last;
	uint16_t alias;
	bool aliased;
	uint8_t unit;
};

/* An I/O APIC, and the device that its interrupts come from. */
struct iommu_ioapic {
	uint8_t id, unit;
	uint16_t device;
};

/* Memory base..last that the firmware wants devices first..last to reach. */
struct iommu_region {
	uint64_t base, last;
	uint16_t segment, first_device, last_device;
};

enum iommu_kind {
	IOMMU_NONE,    /* no such table */
	IOMMU_DAMAGED, /* something that matters makes no sense in it, or does not fit below */
	IOMMU_VTD,
	IOMMU_AMD_VI,
};

struct iommu_tables {
	uint32_t kind;
	bool remap; /* the firmware allows interrupt remapping */
	bool x2apic;
	uint32_t units, ranges, ioapics, regions;
	struct iommu_place unit[IOMMU_UNITS];
	struct iommu_range range[IOMMU_RANGES];
	struct iommu_ioapic ioapic[IOMMU_IOAPICS];
	struct iommu_region region[IOMMU_RESERVED];
};

/* The dword at 0x18 of the configuration space of a bridge: primary, secondary, subordinate bus. */
typedef uint32_t (*iommu_buses)(uint16_t bridge);

/* Fill `tables`, `kind` too, from a table of `bytes`, whose checksum is right. */
void dmar_parse(struct iommu_tables *tables, const uint8_t *table, uint32_t bytes, iommu_buses buses);
void ivrs_parse(struct iommu_tables *tables, const uint8_t *table, uint32_t bytes);

/* Little-endian, not aligned. */
static inline uint64_t iommu_field(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}
