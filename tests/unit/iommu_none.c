/* A machine without IOMMU; tests may define some of these themselves. */
#include <stddef.h>
#include <bulkhead/abi.h>
#include "iommu/iommu.h"

#define WEAK __attribute__((weak))

WEAK bool iommu_present(void) { return false; }

WEAK const char *iommu_attach(uint32_t bdf, struct partition *holder)
{
	(void)bdf;
	(void)holder;
	return NULL;
}

WEAK void iommu_open(uint32_t bdf) { (void)bdf; }

WEAK void iommu_close(uint32_t bdf) { (void)bdf; }

WEAK bool iommu_msi(uint32_t bdf, unsigned vector, unsigned cpu, uint64_t *address, uint32_t *data)
{
	(void)bdf;
	(void)vector;
	(void)cpu;
	(void)address;
	(void)data;
	return false;
}

WEAK int64_t iommu_text(uint64_t offset)
{
	(void)offset;
	return -BH_ENOENT;
}

WEAK const struct paging *iommu_reserved(void) { return NULL; }
