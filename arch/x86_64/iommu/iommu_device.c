/* Who has which device, whether it is let through, and where its interrupts go. */
#include "cpu.h"
#include "frame.h"
#include "iommu.h"
#include "iommu_unit.h"
#include "partition.h"

#define DOMAIN_PARTITION 2u /* + id; 1: devices of the firmware */
#define MSI_ADDRESS	 0xfee00000u

int iommu_unit_of(uint16_t segment, uint16_t *device)
{
	const struct iommu_tables *t = iommu.tables;

	for (uint32_t i = 0; i < t->ranges; i++) {
		const struct iommu_range *range = &t->range[i];

		if (*device < range->first || *device > range->last || t->unit[range->unit].segment != segment)
			continue;
		*device = range->aliased ? range->alias : *device;
		return range->unit;
	}
	for (uint32_t i = 0; i < t->units; i++) {
		if (t->unit[i].all && t->unit[i].segment == segment)
			return (int)i;
	}
	return -1;
}

const struct iommu_ioapic *iommu_find_ioapic(unsigned id)
{
	for (unsigned i = 0; i < iommu.tables->ioapics; i++) {
		if (iommu.tables->ioapic[i].id == id)
			return &iommu.tables->ioapic[i];
	}
	return NULL;
}

struct iommu_device *iommu_find(uint32_t bdf)
{
	for (unsigned i = 0; i < iommu.devices; i++) {
		if (iommu.device[i].bdf == bdf)
			return &iommu.device[i];
	}
	return NULL;
}

struct iommu_device *iommu_add(uint32_t bdf, uint16_t requester, struct partition *holder)
{
	struct iommu_device *d = iommu_find(bdf);

	if (!d && iommu.devices == IOMMU_DEVICES)
		return NULL;
	if (!d)
		d = &iommu.device[iommu.devices];
	*d = (struct iommu_device){ .bdf = bdf, .requester = requester, .holder = holder, .faults = d->faults };
	if (d == &iommu.device[iommu.devices])
		iommu.devices++;
	return d;
}

/* Whole, or not at all. */
static bool build_tables(struct partition *holder)
{
	struct paging paging;

	if (holder->dma.root)
		return true;
	if (paging_create(&paging, &iommu.vendor->format, &iommu_memory))
		return false;
	for (unsigned i = 0; i < holder->extents; i++) {
		const struct extent *extent = &holder->extent[i];

		if (!frame_may_map(holder, extent->physical, extent->bytes, MAP_READ | MAP_WRITE) ||
		    paging_map(&paging, extent->address, extent->physical, extent->bytes, PAGING_READ | PAGING_WRITE))
			return false;
	}
	holder->dma = paging;
	return true;
}

static bool in_reach(const struct partition *holder)
{
	for (unsigned i = 0; i < holder->extents; i++) {
		if (holder->extent[i].address + holder->extent[i].bytes > iommu.vendor->reach)
			return false;
	}
	return holder->extents && DOMAIN_PARTITION + holder->id < iommu.vendor->domains;
}

static const char *why_not(uint32_t bdf, uint16_t requester, int unit, const struct partition *holder)
{
	if (unit < 0 || !iommu.unit[unit].on)
		return "no IOMMU that works stands between it and memory";
	for (unsigned i = 0; i < iommu.tables->regions; i++) {
		const struct iommu_region *region = &iommu.tables->region[i];

		if (region->segment == 0 && bdf >= region->first_device && bdf <= region->last_device)
			return "the firmware keeps memory for it (RMRR or IVMD)";
	}
	for (unsigned i = 0; i < iommu.devices; i++) {
		const struct iommu_device *d = &iommu.device[i];

		if (d->holder && d->holder != holder && d->requester == requester)
			return "another partition has it, or one that the IOMMU cannot tell from it";
	}
	return in_reach(holder) ? NULL : "its holder's memory is beyond what the IOMMU can translate";
}

const char *iommu_attach(uint32_t bdf, struct partition *holder)
{
	uint16_t requester = (uint16_t)bdf;
	int unit = bdf < 0x10000 ? iommu_unit_of(0, &requester) : -1;
	const char *problem = why_not(bdf, requester, unit, holder);

	if (problem)
		return problem;
	if (!build_tables(holder) ||
	    !iommu.vendor->assign(requester, &holder->dma, (uint16_t)(DOMAIN_PARTITION + holder->id)) ||
	    !iommu_add(bdf, requester, holder))
		return "no memory for the IOMMU's tables";
	iommu_write_back_all();
	iommu_flush();
	return NULL;
}

/* One word says whether a device is let through. */
static void let(uint32_t bdf, bool open)
{
	struct iommu_device *d;
	uint64_t *entry;

	spin_lock(&iommu.lock);
	d = iommu_find(bdf);
	if (d && d->holder) {
		entry = iommu.vendor->entry(d->requester);
		d->open = open;
		d->told = false;
		__atomic_store_n(entry, open ? *entry | iommu.vendor->open : *entry & ~iommu.vendor->open,
				 __ATOMIC_SEQ_CST);
		iommu_write_back(entry, sizeof(*entry));
		iommu_flush();
	}
	spin_unlock(&iommu.lock);
}

void iommu_open(uint32_t bdf) { let(bdf, true); }

void iommu_close(uint32_t bdf) { let(bdf, false); }

/* ---- interrupts -------------------------------------------------------------------------------- */

/* Each interrupt of the machine has a vector of its own: that is its handle as well. */
static bool remap(uint16_t requester, unsigned vector, unsigned cpu, bool level)
{
	bool done;

	spin_lock(&iommu.lock);
	done = iommu.vendor->remap(requester, vector, cpus[cpu]->apic_id, level);
	iommu_flush();
	spin_unlock(&iommu.lock);
	return done;
}

bool iommu_msi(uint32_t bdf, unsigned vector, unsigned cpu, uint64_t *address, uint32_t *data)
{
	struct iommu_device *d = iommu_find(bdf);

	if (!d || !d->holder || !iommu.vendor->remaps || !remap(d->requester, vector, cpu, false))
		return false;
	*address = MSI_ADDRESS | (iommu.vendor->handle_in_address ? vector << 5 | 1u << 4 : 0);
	*data = iommu.vendor->handle_in_address ? 0 : vector;
	return true;
}

/* I/O APIC and local APIC speak of the same vector when the interrupt ends. */
bool iommu_ioapic(unsigned id, unsigned vector, unsigned cpu, bool level, uint32_t *high)
{
	const struct iommu_ioapic *io = iommu.vendor && iommu.vendor->remaps ? iommu_find_ioapic(id) : NULL;

	if (!io || !remap(io->device, vector, cpu, level))
		return false;
	*high = iommu.vendor->handle_in_address ? vector << 17 | 1u << 16 : 0;
	return true;
}
