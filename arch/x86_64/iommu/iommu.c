#include "iommu.h"
#include <guests/lib/bh_format.h>
#include "address_space.h"
#include "clock.h"
#include "frame.h"
#include "iommu_unit.h"
#include "log.h"
#include "machine.h"
#include "panic.h"

#define REGISTER_BYTES	0x5000u /* as far as offsets in VT-d's capabilities reach; AMD-Vi's end at 0x4000 */
#define PATIENCE	1000000 /* microseconds in which a unit must have answered */
#define DOMAIN_RESERVED 1u

struct iommu iommu;

bool iommu_present(void)
{
	for (unsigned i = 0; i < iommu.units; i++) {
		if (iommu.unit[i].on)
			return true;
	}
	return false;
}

const struct paging *iommu_reserved(void) { return iommu.reserved.root ? &iommu.reserved : NULL; }

/* ---- for the vendors' files -------------------------------------------------------------------- */

static void await(const struct iommu_unit *u, const volatile uint32_t *word, uint32_t mask, uint32_t value)
{
	uint64_t end = clock_now() + clock_ticks(PATIENCE);

	while ((*word & mask) != value) {
		if (clock_now() > end)
			panic("the IOMMU at 0x%lx does not answer: nobody can say what its devices still do",
			      u->place->base);
		spin_pause();
	}
}

void iommu_await(const struct iommu_unit *u, unsigned offset, uint32_t mask, uint32_t value)
{
	await(u, &IOMMU_REGISTER(u, 32, offset), mask, value);
}

void iommu_command(struct iommu_unit *u, uint64_t low, uint64_t high)
{
	u->queue[u->tail] = low;
	u->queue[u->tail + 1] = high;
	iommu_write_back(u->queue + u->tail, 16);
	u->tail = (u->tail + 2) % (PAGE_BYTES / 8);
}

void iommu_await_answer(struct iommu_unit *u, unsigned tail_register)
{
	IOMMU_REGISTER(u, 64, tail_register) = u->tail * 8;
	await(u, (uint32_t *)u->answer, 1, 1);
}

void iommu_create_queue(struct iommu_unit *u)
{
	u->queue = iommu_pages(1);
	u->log = iommu_pages(1);
	u->answer = iommu_pages(1);
	panic_unless(u->queue && u->log && u->answer);
}

void iommu_flush(void)
{
	for (unsigned i = 0; i < iommu.units; i++) {
		if (iommu.unit[i].on)
			iommu.vendor->flush(&iommu.unit[i]);
	}
}

/* ---- beginning --------------------------------------------------------------------------------- */

static bool look(struct iommu_unit *u)
{
	const char *problem;

	u->registers = mmio_map(u->place->base, REGISTER_BYTES, PAGING_UC);
	problem = u->registers ? iommu.vendor->look(u) : "cannot be mapped";
	if (problem)
		log_printf("iommu: the %s unit at 0x%lx %s: its devices can be given to nobody", iommu.vendor->name,
			   u->place->base, problem);
	return !problem;
}

/* All or nothing: an I/O APIC that no unit has could not be heard any more. */
static bool can_remap(void)
{
	bool can = iommu.tables->remap;

	for (unsigned i = 0; i < machine_acpi.ioapics; i++)
		can = can && iommu_find_ioapic(machine_acpi.ioapic[i].id);
	return can;
}

/* Page by page, as regions may overlap. */
static bool map_region(uint64_t first, uint64_t end)
{
	int error = iommu.reserved.root ? 0 : paging_create(&iommu.reserved, &iommu.vendor->format, &iommu_memory);

	for (; first < end && !error; first += PAGE_BYTES) {
		uint16_t owner = frame_owner(first);

		if (owner != FRAME_NONE && owner != FRAME_FIRMWARE)
			return false;
		error = paging_map(&iommu.reserved, first, first, PAGE_BYTES, PAGING_READ | PAGING_WRITE);
		error = error == PAGING_BUSY ? 0 : error;
	}
	return !error;
}

/* Devices that firmware goes on using (an emulated keyboard, a screen) find their memory one to one. */
static void reserve(const struct iommu_region *region)
{
	uint64_t first = region->base & ~(PAGE_BYTES - 1), end = (region->last | (PAGE_BYTES - 1)) + 1;
	bool good = !region->segment && first < end && end <= iommu.vendor->reach && map_region(first, end);

	log_printf("iommu: devices %04x to %04x: the firmware wants 0x%lx to 0x%lx for them: %s", region->first_device,
		   region->last_device, region->base, region->last,
		   good ? "they can be given to nobody" : "that is not its own, it does not get it");
	for (uint32_t i = region->first_device; good && i <= region->last_device; i++) {
		uint16_t device = (uint16_t)i;

		if (iommu_unit_of(0, &device) >= 0 && iommu.vendor->assign(device, &iommu.reserved, DOMAIN_RESERVED))
			*iommu.vendor->entry(device) |= iommu.vendor->open;
	}
}

static void start(struct iommu_unit *u, void (*line)(const char *text))
{
	char text[256];

	iommu.vendor->start(u);
	u->on = true;
	iommu.vendor->describe(u, u->words, sizeof(u->words));
	bh_snprintf(text, sizeof(text), "iommu: %s unit at 0x%lx: %s", iommu.vendor->name, u->place->base, u->words);
	line(text);
}

void iommu_init(const struct iommu_tables *tables, void (*line)(const char *text))
{
	bool good[IOMMU_UNITS], remap;

	iommu.tables = tables;
	if (tables->kind < IOMMU_VTD) {
		line(tables->kind == IOMMU_NONE
			     ? "iommu: none: whoever is given a device is trusted with all memory"
			     : "iommu: the firmware's DMAR or IVRS table makes no sense, no unit is used");
		return;
	}
	iommu.vendor = tables->kind == IOMMU_VTD ? &iommu_vtd : &iommu_amd_vi;
	iommu.units = tables->units;
	remap = can_remap();
	for (unsigned i = 0; i < iommu.units; i++) {
		iommu.unit[i].place = &tables->unit[i];
		good[i] = look(&iommu.unit[i]);
		remap = remap && good[i];
	}
	if (!iommu.vendor->prepare(tables, remap))
		panic("iommu: no memory for its tables");
	for (unsigned i = 0; i < tables->regions; i++)
		reserve(&tables->region[i]);
	iommu_write_back_all();
	for (unsigned i = 0; i < iommu.units; i++) {
		if (good[i])
			start(&iommu.unit[i], line);
	}
	if (!iommu.vendor->remaps)
		line("iommu: interrupts are not remapped: a device can send any that it likes");
}
