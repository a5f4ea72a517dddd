#include "device.h"
#include "frame.h"
#include "ioapic.h"
#include "iommu/iommu.h"
#include "irq.h"
#include "log.h"
#include "partition.h"
#include "pci_device.h"

struct device devices[PCI_FUNCTIONS];

void device_init(struct pci_found *found)
{
	pci_init(found);
	for (unsigned i = 0; i < pci_function_count; i++)
		devices[i].pci = &pci_functions[i];
}

struct device *device_next(const struct partition *holder, const struct device *device)
{
	for (unsigned i = device ? (unsigned)(device - devices) + 1 : 0; i < pci_function_count; i++) {
		if (devices[i].holder == holder)
			return &devices[i];
	}
	return NULL;
}

/* ---- registers ----------------------------------------------------------------------------------- */

static struct pci_range msix_pages(const struct pci_function *f)
{
	return f->msix ? pci_pages(f->vectors_at, f->vectors * 16u) : (struct pci_range){ 0, 0 };
}

bool device_may_map(const struct partition *holder, uint64_t physical, uint64_t bytes)
{
	struct pci_range wanted = { physical, physical + bytes };
	bool inside = false;

	for (struct device *d = device_next(holder, NULL); d; d = device_next(holder, d)) {
		if (pci_overlap(wanted, msix_pages(d->pci)))
			return false;
		for (unsigned i = 0; i < PCI_BARS; i++) {
			const struct pci_bar *bar = &d->pci->bar[i];
			struct pci_range all = pci_pages(bar->physical, bar->bytes);

			inside |= bar->bytes && !bar->io && wanted.first >= all.first && wanted.end <= all.end;
		}
	}
	return inside;
}

/* What lies between two pages; `offset` leads from there to the holder's address. */
static bool map_part(struct device *d, uint64_t offset, uint64_t first, uint64_t end)
{
	if (first >= end)
		return true;
	if (!frame_map(d->holder, first + offset, first, end - first, MAP_READ | MAP_WRITE | MAP_DEVICE))
		return false;
	d->mapped += end - first;
	return true;
}

/* From a multiple of 2 MiB on, at the same offset into it, so that large pages fit. Without the MSI-X table's pages. */
static bool map_bar(struct device *d, unsigned i)
{
	static uint64_t next = BH_GPA_DEVICES;
	const struct pci_bar *bar = &d->pci->bar[i];
	struct pci_range all = pci_pages(bar->physical, bar->bytes), hole = msix_pages(d->pci);
	uint64_t offset = next + all.first % FRAME_BYTES - all.first, before = d->mapped;

	if (!pci_overlap(all, hole))
		hole = (struct pci_range){ all.end, all.end };
	if (all.end + offset > BH_GPA_IMAGES || !map_part(d, offset, all.first, hole.first) ||
	    !map_part(d, offset, hole.end, all.end))
		return false;
	next = (all.end + offset + FRAME_BYTES - 1) / FRAME_BYTES * FRAME_BYTES;
	if (d->mapped != before)
		d->address[i] = bar->physical + offset;
	return true;
}

bool device_map_bars(struct device *device)
{
	for (unsigned i = 0; i < PCI_BARS; i++) {
		if (device->pci->bar[i].bytes && !device->pci->bar[i].io && !map_bar(device, i))
			return false;
	}
	return true;
}

/* ---- life ---------------------------------------------------------------------------------------- */

static void forget_interrupts(const struct device *d)
{
	if (d->irq_kind == BH_DEVICE_IRQ_INTX)
		ioapic_mask(d->irq, true);
	for (unsigned i = 0; i < d->irqs; i++)
		irq_set(d->irq + i, NULL, 0);
}

static unsigned stop_step(struct device *d, unsigned step)
{
	if (step == PCI_RESET_STEPS) {
		iommu_close(d->pci->address);
		return 0;
	}
	if (step == 0)
		forget_interrupts(d);
	return pci_device_reset(d->pci, step);
}

unsigned device_stop(struct partition *holder)
{
	unsigned wait = 0;

	while (!wait && holder->device_step <= PCI_RESET_STEPS) {
		for (struct device *d = device_next(holder, NULL); d; d = device_next(holder, d)) {
			unsigned own = stop_step(d, holder->device_step);

			wait = own > wait ? own : wait;
		}
		holder->device_step++;
	}
	return wait;
}

void device_start(struct partition *holder)
{
	holder->device_step = 0;
	for (struct device *d = device_next(holder, NULL); d; d = device_next(holder, d)) {
		if (pci_read(d->pci->address, PCI_ID, 4) != d->pci->id)
			log_printf("%s: a device of its does not answer: %04x:%04x", holder->name, d->pci->id & 0xffff,
				   d->pci->id >> 16);
		pci_device_start(d->pci);
		iommu_open(d->pci->address);
	}
}
