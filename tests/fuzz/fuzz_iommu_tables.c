/* DMAR and IVRS of any content; the first byte says which. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "boot/iommu_tables.h"

static uint32_t buses(uint16_t bridge) { return bridge * 0x9e3779b1u; }

static void check(const struct iommu_tables *t)
{
	for (uint32_t i = 0; i < t->ranges; i++) {
		if (t->range[i].first > t->range[i].last || t->range[i].unit >= t->units)
			abort();
	}
	for (uint32_t i = 0; i < t->regions; i++) {
		if (t->region[i].first_device > t->region[i].last_device)
			abort();
	}
	for (uint32_t i = 0; i < t->ioapics; i++) {
		if (t->ioapic[i].unit >= t->units)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct iommu_tables t;
	if (!bytes)
		return 0;
	if (data[0] & 1)
		dmar_parse(&t, data + 1, (uint32_t)bytes - 1, buses);
	else
		ivrs_parse(&t, data + 1, (uint32_t)bytes - 1);
	if (t.units > IOMMU_UNITS || t.ranges > IOMMU_RANGES || t.ioapics > IOMMU_IOAPICS ||
	    t.regions > IOMMU_RESERVED || (t.kind != IOMMU_DAMAGED && !t.units))
		abort();
	if (t.kind != IOMMU_DAMAGED)
		check(&t);
	return 0;
}
