/* DMAR: where VT-d units stand, and which devices are behind them (VT-d 8). */
#include <stddef.h>
#include <guests/lib/bh_string.h>
#include "iommu_tables.h"

#define FIRST_STRUCTURE 48u
#define DRHD_SCOPES	16u
#define RMRR_SCOPES	24u

enum scope { SCOPE_ENDPOINT = 1, SCOPE_BRIDGE, SCOPE_IOAPIC, SCOPE_HPET, SCOPE_NAMESPACE };

/* A structure that is being read. */
struct reader {
	struct iommu_tables *tables;
	iommu_buses buses;
	const uint8_t *at;
	uint32_t bytes;
};

/* 8.3.1: a path from bus to bus, through bridges. */
static uint16_t scope_device(const struct reader *r, const uint8_t *scope, uint32_t length)
{
	uint16_t device = (uint16_t)(scope[5] << 8 | scope[6] << 3 | (scope[7] & 7));

	for (uint32_t at = 8; at + 2 <= length; at += 2) {
		uint16_t bus = r->buses(device) >> 8 & 0xff;

		device = (uint16_t)(bus << 8 | scope[at] << 3 | (scope[at + 1] & 7));
	}
	return device;
}

static bool add_range(struct iommu_tables *t, uint16_t first, uint16_t last)
{
	if (t->ranges == IOMMU_RANGES)
		return false;
	t->range[t->ranges++] = (struct iommu_range){ .first = first, .last = last, .unit = (uint8_t)(t->units - 1) };
	return true;
}

static bool add_unit_scope(const struct reader *r, const uint8_t *scope, uint16_t device)
{
	struct iommu_tables *t = r->tables;
	uint32_t buses;

	switch (scope[0]) {
	case SCOPE_BRIDGE:
		buses = r->buses(device);
		if (!(buses >> 8 & 0xff) || (buses >> 16 & 0xff) < (buses >> 8 & 0xff)) /* nothing is below it */
			return add_range(t, device, device);
		return add_range(t, device, device) &&
		       add_range(t, (uint16_t)(buses & 0xff00), (uint16_t)((buses >> 8 & 0xff00) | 0xff));
	case SCOPE_IOAPIC:
		if (t->ioapics == IOMMU_IOAPICS)
			return false;
		t->ioapic[t->ioapics++] = (struct iommu_ioapic){ scope[4], (uint8_t)(t->units - 1), device };
		return true;
	case SCOPE_ENDPOINT:
	case SCOPE_HPET:
	case SCOPE_NAMESPACE: return add_range(t, device, device);
	default: return true;
	}
}

static bool add_region(const struct reader *r, const uint8_t *scope, uint16_t device)
{
	struct iommu_tables *t = r->tables;

	(void)scope;
	if (t->regions == IOMMU_RESERVED)
		return false;
	t->region[t->regions++] = (struct iommu_region){
		.base = iommu_field(r->at + 8, 8),
		.last = iommu_field(r->at + 16, 8),
		.segment = (uint16_t)iommu_field(r->at + 6, 2),
		.first_device = device,
		.last_device = device,
	};
	return true;
}

static bool each_scope(const struct reader *r, uint32_t at,
		       bool (*add)(const struct reader *, const uint8_t *, uint16_t device))
{
	uint32_t length;

	for (; at < r->bytes; at += length) {
		const uint8_t *scope = r->at + at;

		length = at + 2 <= r->bytes ? scope[1] : 0;
		if (length < 8 || length > r->bytes - at || !add(r, scope, scope_device(r, scope, length)))
			return false;
	}
	return true;
}

/* A DMA remapping hardware unit, 8.3. */
static bool parse_drhd(const struct reader *r)
{
	struct iommu_tables *t = r->tables;

	if (r->bytes < DRHD_SCOPES || t->units == IOMMU_UNITS)
		return false;
	t->unit[t->units++] = (struct iommu_place){
		.base = iommu_field(r->at + 8, 8),
		.segment = (uint16_t)iommu_field(r->at + 6, 2),
		.all = r->at[4] & 1,
	};
	return each_scope(r, DRHD_SCOPES, add_unit_scope);
}

/* A reserved memory region, 8.4. */
static bool parse_rmrr(const struct reader *r)
{
	return r->bytes >= RMRR_SCOPES && each_scope(r, RMRR_SCOPES, add_region);
}

static bool parse(struct reader r, const uint8_t *table, uint32_t bytes)
{
	for (uint32_t at = FIRST_STRUCTURE; at < bytes; at += r.bytes) {
		uint32_t type;

		r.at = table + at;
		r.bytes = at + 4 <= bytes ? (uint32_t)iommu_field(r.at + 2, 2) : 0;
		if (r.bytes < 4 || r.bytes > bytes - at)
			return false;
		type = (uint32_t)iommu_field(r.at, 2);
		if ((type == 0 && !parse_drhd(&r)) || (type == 1 && !parse_rmrr(&r)))
			return false;
	}
	return r.tables->units > 0;
}

void dmar_parse(struct iommu_tables *t, const uint8_t *table, uint32_t bytes, iommu_buses buses)
{
	memset(t, 0, sizeof(*t));
	t->kind = IOMMU_DAMAGED;
	if (bytes < FIRST_STRUCTURE)
		return;
	t->remap = table[37] & 1;
	t->x2apic = !(table[37] & 2);
	if (parse((struct reader){ .tables = t, .buses = buses }, table, bytes))
		t->kind = IOMMU_VTD;
}
