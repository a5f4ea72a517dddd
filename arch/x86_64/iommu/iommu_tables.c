#include "iommu_tables.h"

int iommu_unit_of(const struct iommu_tables *t, uint16_t segment, uint16_t *device)
{
	for (uint32_t i = 0; i < t->ranges; i++) {
		const struct iommu_range *range = &t->range[i];

		if (*device < range->first || *device > range->last || t->unit[range->unit].segment != segment)
			continue;
		if (range->aliased)
			*device = range->alias;
		return range->unit;
	}
	for (uint32_t i = 0; i < t->units; i++) {
		if (t->unit[i].all && t->unit[i].segment == segment)
			return (int)i;
	}
	return -1;
}
