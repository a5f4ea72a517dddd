/* IVRS: where AMD-Vi units stand, and which devices are behind them (48882, 5.2). */
#include <stddef.h>
#include <guests/lib/bh_string.h>
#include "iommu_tables.h"

#define FIRST_BLOCK 48u
#define IVMD_BYTES  32u

/* Entries of an IVHD block, 5.2.2.1. */
enum entry {
	ENTRY_ALL = 1,
	ENTRY_SELECT = 2,
	ENTRY_RANGE = 3,
	ENTRY_RANGE_END = 4,
	ENTRY_ALIAS = 66,
	ENTRY_ALIAS_RANGE = 67,
	ENTRY_EXTENDED = 70,
	ENTRY_EXTENDED_RANGE = 71,
	ENTRY_SPECIAL = 72,
	ENTRY_ACPI = 240,
};

#define SPECIAL_IOAPIC 1

/* Where the range that has been begun, if any, goes on. */
struct reader {
	struct iommu_tables *tables;
	struct iommu_range open;
	bool is_open;
};

static bool add(struct iommu_tables *t, struct iommu_range range)
{
	if (t->ranges == IOMMU_RANGES || range.first > range.last)
		return false;
	t->range[t->ranges++] = range;
	return true;
}

static bool add_special(struct iommu_tables *t, const uint8_t *e)
{
	if (e[7] != SPECIAL_IOAPIC)
		return true;
	if (t->ioapics == IOMMU_IOAPICS)
		return false;
	t->ioapic[t->ioapics++] =
		(struct iommu_ioapic){ e[4], (uint8_t)(t->units - 1), (uint16_t)iommu_field(e + 5, 2) };
	return true;
}

static bool add_entry(struct reader *r, const uint8_t *e, uint32_t length)
{
	uint16_t device = (uint16_t)iommu_field(e + 1, 2);
	struct iommu_range range = { .first = device, .last = device, .unit = (uint8_t)(r->tables->units - 1) };

	if (length >= 8 && (e[0] == ENTRY_ALIAS || e[0] == ENTRY_ALIAS_RANGE)) {
		range.aliased = true;
		range.alias = (uint16_t)iommu_field(e + 5, 2);
	}
	switch (e[0]) {
	case ENTRY_ALL:
		range.first = 0;
		range.last = 0xffff;
		return add(r->tables, range);
	case ENTRY_SELECT:
	case ENTRY_ALIAS:
	case ENTRY_EXTENDED:
	case ENTRY_ACPI: return add(r->tables, range);
	case ENTRY_RANGE:
	case ENTRY_ALIAS_RANGE:
	case ENTRY_EXTENDED_RANGE:
		r->open = range;
		r->is_open = true;
		return true;
	case ENTRY_RANGE_END:
		r->open.last = device;
		length = r->is_open;
		r->is_open = false;
		return length && add(r->tables, r->open);
	case ENTRY_SPECIAL: return add_special(r->tables, e);
	default: return true;
	}
}

/* 4, 8, 16 or 32 bytes by the upper two bits; an ACPI device's ends with a name. 0: no entry. */
static uint32_t entry_bytes(const uint8_t *e, uint32_t left)
{
	uint32_t length = e[0] < ENTRY_ACPI ? 4u << (e[0] >> 6) : left >= 22 ? 22u + e[21] : 0;

	return length <= left ? length : 0;
}

static bool known(const struct iommu_tables *t, uint64_t base)
{
	for (uint32_t i = 0; i < t->units; i++) {
		if (t->unit[i].base == base)
			return true;
	}
	return false;
}

/* A unit; those that a block of a newer type has named are known already. */
static bool parse_ivhd(struct iommu_tables *t, const uint8_t *block, uint32_t bytes)
{
	struct reader r = { .tables = t };
	uint32_t at = block[0] == 0x10 ? 24 : 40, length;
	uint64_t base;

	if (bytes < at)
		return false;
	base = iommu_field(block + 8, 8);
	if (known(t, base))
		return true;
	if (t->units == IOMMU_UNITS)
		return false;
	t->unit[t->units++] = (struct iommu_place){ .base = base,
						    .segment = (uint16_t)iommu_field(block + 16, 2),
						    .flags = block[1] };
	for (; at < bytes; at += length) {
		length = entry_bytes(block + at, bytes - at);
		if (!length || !add_entry(&r, block + at, length))
			return false;
	}
	return !r.is_open;
}

/* Memory that devices are to reach, 5.2.2.2: of all devices (20h), one (21h), a range of them (22h). */
static bool parse_ivmd(struct iommu_tables *t, const uint8_t *block, uint32_t bytes)
{
	uint16_t first, last;
	uint64_t base, length;

	if (bytes < IVMD_BYTES || t->regions == IOMMU_RESERVED)
		return false;
	first = block[0] == 0x20 ? 0 : (uint16_t)iommu_field(block + 4, 2);
	last = block[0] == 0x20 ? 0xffff : block[0] == 0x21 ? first : (uint16_t)iommu_field(block + 6, 2);
	base = iommu_field(block + 16, 8);
	length = iommu_field(block + 24, 8);
	if (!length || first > last || length - 1 > UINT64_MAX - base)
		return false;
	t->region[t->regions++] = (struct iommu_region){
		.base = base,
		.last = base + length - 1,
		.segment = (uint16_t)iommu_field(block + 8, 2),
		.first_device = first,
		.last_device = last,
	};
	return true;
}

/* All blocks of one type. */
static bool parse_type(struct iommu_tables *t, const uint8_t *table, uint32_t bytes, uint8_t type)
{
	uint32_t length;

	for (uint32_t at = FIRST_BLOCK; at < bytes; at += length) {
		const uint8_t *block = table + at;

		length = at + 4 <= bytes ? (uint32_t)iommu_field(block + 2, 2) : 0;
		if (length < 4 || length > bytes - at)
			return false;
		if (block[0] != type)
			continue;
		if (type < 0x20 || type >= 0x40 ? !parse_ivhd(t, block, length) : !parse_ivmd(t, block, length))
			return false;
	}
	return true;
}

void ivrs_parse(struct iommu_tables *t, const uint8_t *table, uint32_t bytes)
{
	static const uint8_t types[] = { 0x40, 0x11, 0x10, 0x20, 0x21, 0x22 };

	memset(t, 0, sizeof(*t));
	t->kind = IOMMU_DAMAGED;
	t->remap = true;
	for (unsigned i = 0; i < sizeof(types); i++) {
		if (!parse_type(t, table, bytes, types[i]))
			return;
	}
	if (t->units)
		t->kind = IOMMU_AMD_VI;
}
