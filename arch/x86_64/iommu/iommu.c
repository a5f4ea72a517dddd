#include "iommu.h"
#include <stdarg.h>
#include <guests/lib/bh_format.h>
#include "address_space.h"
#include "apic.h"
#include "clock.h"
#include "frame.h"
#include "iommu_unit.h"
#include "log.h"
#include "machine.h"
#include "machine_control.h"
#include "panic.h"
#include "pci.h"

#define REGISTER_BYTES	0x5000u /* as far as offsets in VT-d's capabilities reach; AMD-Vi's end at 0x4000 */
#define PATIENCE	1000000 /* microseconds in which a unit must have answered */
#define DOMAIN_RESERVED 1u

struct iommu iommu;

bool iommu_present(void)
{
	for (unsigned i = 0; i < iommu.tables.units; i++) {
		if (iommu.unit[i].on)
			return true;
	}
	return false;
}

const struct paging *iommu_reserved(void) { return iommu.reserved.root ? &iommu.reserved : NULL; }

/* ---- for the vendors' files -------------------------------------------------------------------- */

static _Noreturn void no_answer(const struct iommu_unit *u)
{
	panic("the IOMMU at 0x%lx does not answer: nobody can say what its devices still do", u->place->base);
}

void iommu_await(const struct iommu_unit *u, unsigned offset, uint32_t mask, uint32_t value)
{
	uint64_t end = clock_now() + clock_ticks(PATIENCE);

	while ((iommu_read32(u, offset) & mask) != value) {
		if (clock_now() > end)
			no_answer(u);
		spin_pause();
	}
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
	uint64_t end = clock_now() + clock_ticks(PATIENCE);

	iommu_write64(u, tail_register, u->tail * 8);
	while (!*(volatile uint64_t *)u->answer) {
		if (clock_now() > end)
			no_answer(u);
		spin_pause();
	}
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
	for (unsigned i = 0; i < iommu.tables.units; i++) {
		if (iommu.unit[i].on)
			iommu.vendor->flush(&iommu.unit[i]);
	}
}

/* ---- beginning --------------------------------------------------------------------------------- */

static uint32_t read_buses(uint16_t bridge) { return pci_read(bridge, 0x18, 4); }

static bool parse(void)
{
	const uint8_t *table;
	bool good;

	if (machine_acpi.dmar) {
		iommu.vendor = &iommu_vtd;
		table = address_space_peek(machine_acpi.dmar, machine_acpi.dmar_bytes);
		good = table && dmar_parse(&iommu.tables, table, machine_acpi.dmar_bytes, read_buses);
	} else {
		iommu.vendor = &iommu_amd_vi;
		table = address_space_peek(machine_acpi.ivrs, machine_acpi.ivrs_bytes);
		good = table && ivrs_parse(&iommu.tables, table, machine_acpi.ivrs_bytes);
	}
	address_space_peek(0, 0);
	return good;
}

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

const struct iommu_ioapic *iommu_find_ioapic(unsigned id)
{
	for (unsigned i = 0; i < iommu.tables.ioapics; i++) {
		if (iommu.tables.ioapic[i].id == id)
			return &iommu.tables.ioapic[i];
	}
	return NULL;
}

/* All or nothing: an I/O APIC that no unit has could not be heard any more. */
static bool can_remap(bool all_good)
{
	bool can = all_good && iommu.tables.remap;

	for (unsigned i = 0; i < machine_acpi.ioapics; i++)
		can = can && iommu_find_ioapic(machine_acpi.ioapic[i].id);
	return can;
}

static bool is_firmwares(const struct iommu_region *region)
{
	for (uint64_t at = region->base; at <= region->last; at += PAGE_BYTES) {
		uint16_t owner = frame_owner(at);

		if (owner != FRAME_NONE && owner != FRAME_FIRMWARE)
			return false;
	}
	return true;
}

/* Regions may overlap. */
static bool map_region(uint64_t first, uint64_t end)
{
	int error = paging_map(&iommu.reserved, first, first, end - first, PAGING_READ | PAGING_WRITE);

	for (; error == PAGING_BUSY && first < end; first += PAGE_BYTES) {
		if (paging_map(&iommu.reserved, first, first, PAGE_BYTES, PAGING_READ | PAGING_WRITE) ==
		    PAGING_NO_TABLE)
			return false;
	}
	return error == PAGING_OK || error == PAGING_BUSY;
}

/* Devices that firmware goes on using (an emulated keyboard, a screen) find their memory one to one. */
static void reserve(const struct iommu_region *region)
{
	uint64_t first = region->base & ~(PAGE_BYTES - 1), end = (region->last | (PAGE_BYTES - 1)) + 1;
	bool good = region->segment == 0 && first < end && end <= iommu.vendor->reach && is_firmwares(region) &&
		    (iommu.reserved.root || !paging_create(&iommu.reserved, &iommu.vendor->format, &iommu_memory)) &&
		    map_region(first, end);

	log_printf("iommu: devices %04x to %04x: the firmware wants 0x%lx to 0x%lx for them: %s", region->first_device,
		   region->last_device, region->base, region->last,
		   good ? "they can be given to nobody" : "that is not its own, it does not get it");
	for (uint32_t i = region->first_device; good && i <= region->last_device; i++) {
		uint16_t requester = (uint16_t)i;

		if (iommu_unit_of(&iommu.tables, 0, &requester) >= 0 &&
		    iommu.vendor->assign(requester, &iommu.reserved, DOMAIN_RESERVED))
			*iommu.vendor->entry(requester) |= iommu.vendor->open;
	}
}

/* What the machine can is in the log, and in what the console's `caps` shows. */
__attribute__((format(printf, 1, 2))) static void caps(const char *words, ...)
{
	char text[192];
	va_list arguments;

	va_start(arguments, words);
	bh_vsnprintf(text, sizeof(text), words, arguments);
	va_end(arguments);
	log_printf("%s", text);
	machine_control_caps_line(text);
}

void iommu_init(void)
{
	bool good[IOMMU_UNITS], all_good = true;
	char text[128];

	if (!machine_acpi.dmar && !machine_acpi.ivrs) {
		caps("iommu: none: whoever is given a device is trusted with all memory");
		return;
	}
	if (!parse()) {
		caps("iommu: the firmware's %s table makes no sense, no unit is used",
		     machine_acpi.dmar ? "DMAR" : "IVRS");
		iommu.tables.units = 0;
		return;
	}
	for (unsigned i = 0; i < iommu.tables.units; i++) {
		iommu.unit[i].place = &iommu.tables.unit[i];
		good[i] = look(&iommu.unit[i]);
		all_good = all_good && good[i];
	}
	if (!iommu.vendor->prepare(&iommu.tables, can_remap(all_good), iommu.tables.x2apic && apic_is_x2apic()))
		panic("iommu: no memory for its tables");
	for (unsigned i = 0; i < iommu.tables.regions; i++)
		reserve(&iommu.tables.region[i]);
	iommu_write_back(NULL, 0);
	for (unsigned i = 0; i < iommu.tables.units; i++) {
		if (!good[i])
			continue;
		iommu.vendor->start(&iommu.unit[i]);
		iommu.unit[i].on = true;
		iommu.vendor->describe(&iommu.unit[i], text, sizeof(text));
		caps("iommu: %s unit at 0x%lx: %s", iommu.vendor->name, iommu.unit[i].place->base, text);
	}
	if (!iommu.vendor->remaps)
		caps("iommu: interrupts are not remapped: a device can send any that it likes");
}
