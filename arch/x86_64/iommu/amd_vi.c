/* AMD-Vi. Section numbers are of AMD I/O Virtualization Technology (IOMMU) Specification, 48882 revision 3.05. */
#include <guests/lib/bh_format.h>
#include "iommu_unit.h"

/* Registers, 3.4: device table, commands, events. */
enum { TABLE = 0x00, QUEUE = 0x08, EVENTS = 0x10, CONTROL = 0x18, FEATURES = 0x30, STATUS = 0x2020 };
enum { QUEUE_HEAD = 0x2000, QUEUE_TAIL = 0x2008, EVENTS_HEAD = 0x2010, EVENTS_TAIL = 0x2018 };

#define CONTROL_ON	 (1ull << 0)
#define CONTROL_EVENTS	 (1ull << 2)
#define CONTROL_COHERENT (1ull << 10)
#define CONTROL_QUEUE	 (1ull << 12)

#define STATUS_OVERFLOW	  (1u << 0)
#define STATUS_EVENTS_RUN (1u << 3)
#define STATUS_QUEUE_RUN  (1u << 4)

#define FEATURE_INVALIDATE_ALL (1ull << 6)

#define ENTRIES_256 (8ull << 56) /* of queue and log */

/* Device table entries, 2.2.2.1: four words. */
#define DEVICES		 0x10000u
#define ENTRY_WORDS	 4u
#define TABLE_PAGES	 (DEVICES * ENTRY_WORDS * 8 / PAGING_4K)
#define ENTRY_VALID	 (3ull | 4ull << 9) /* V, TV, page tables of four levels */
#define ENTRY_READ_WRITE (3ull << 61)
#define ENTRY_SILENT	 1ull				 /* IV, IntCtl: no interrupt gets through */
#define ENTRY_REMAP	 (1ull | 8ull << 1 | 2ull << 60) /* IV, 256 entries, IntCtl: remapped */
#define ENTRY_INTERRUPTS 0x000fffffffffffc0ull

static uint64_t *table, *nothing; /* of DEVICES entries; for units of other segments than 0: one page, all closed */

static const char *look(struct iommu_unit *u)
{
	u->features = IOMMU_REGISTER(u, 64, FEATURES);
	if (u->features == UINT64_MAX)
		return "does not answer";
	/* As all but the first of 2009 can. */
	if (!(u->features & FEATURE_INVALIDATE_ALL))
		return "cannot invalidate all at once: it is too old";
	iommu_amd_vi.format = paging_amd_vi;
	return NULL;
}

/* ---- tables ----------------------------------------------------------------------------------- */

static uint64_t *entry(uint16_t device) { return table + device * ENTRY_WORDS; }

static bool give_interrupts(uint16_t device)
{
	void *interrupts = iommu_pages(1);

	if (interrupts)
		entry(device)[2] = ENTRY_REMAP | iommu_physical(interrupts);
	return interrupts;
}

/* A closed device has page tables, too, here empty ones: its entry differs from an open one's in two bits. */
static bool prepare(const struct iommu_tables *tables, bool remap)
{
	uint64_t *empty;
	bool good = true;

	iommu.coherent = true; /* by CONTROL_COHERENT */
	iommu_amd_vi.remaps = remap;
	table = iommu_pages(TABLE_PAGES);
	nothing = iommu_pages(1);
	empty = iommu_pages(1);
	if (!table || !nothing || !empty)
		return false;
	for (unsigned i = 0; i < DEVICES * ENTRY_WORDS; i += ENTRY_WORDS) {
		table[i] = ENTRY_VALID | iommu_physical(empty);
		table[i + 2] = remap ? ENTRY_SILENT : 0;
	}
	for (unsigned i = 0; i < PAGING_4K / 8; i++)
		nothing[i] = table[i % ENTRY_WORDS];
	for (unsigned i = 0; i < tables->ioapics && remap; i++)
		good = good && give_interrupts(tables->ioapic[i].device);
	return good;
}

static bool assign(uint16_t device, const struct paging *paging, uint16_t domain)
{
	entry(device)[0] = ENTRY_VALID | paging->root;
	entry(device)[1] = domain;
	return !iommu_amd_vi.remaps || give_interrupts(device);
}

/* 2.2.5.1: entries of 32 bits, in the device's own table. */
static bool remap(uint16_t device, unsigned vector, uint32_t apic_id, bool level)
{
	uint64_t e = entry(device)[2];

	(void)level;
	if ((e & ENTRY_REMAP) != ENTRY_REMAP || apic_id > 254)
		return false;
	((volatile uint32_t *)iommu_virtual(e & ENTRY_INTERRUPTS))[vector] = vector << 16 | apic_id << 8 | 1;
	return true;
}

/* ---- the unit --------------------------------------------------------------------------------- */

/* 2.4: everything that it keeps. */
static void flush(struct iommu_unit *u)
{
	iommu_command(u, 8ull << 60, 0);
	*u->answer = 0;
	iommu_command(u, 1ull << 60 | iommu_physical(u->answer) | 1, 1);
	iommu_await_answer(u, QUEUE_TAIL);
}

/* 2.5: also after an overflow, when it has stopped. */
static void start_log(struct iommu_unit *u)
{
	uint64_t control = IOMMU_REGISTER(u, 64, CONTROL) & ~CONTROL_EVENTS;

	IOMMU_REGISTER(u, 64, CONTROL) = control;
	iommu_await(u, STATUS, STATUS_EVENTS_RUN, 0);
	IOMMU_REGISTER(u, 64, EVENTS) = iommu_physical(u->log) | ENTRIES_256;
	IOMMU_REGISTER(u, 64, EVENTS_HEAD) = 0;
	IOMMU_REGISTER(u, 64, EVENTS_TAIL) = 0;
	u->head = 0;
	IOMMU_REGISTER(u, 64, STATUS) = STATUS_OVERFLOW;
	IOMMU_REGISTER(u, 64, CONTROL) = control | CONTROL_EVENTS;
}

static void start(struct iommu_unit *u)
{
	uint8_t flags = u->place->flags; /* 5.2.2.1: what the firmware wants of the bus */
	uint64_t control = CONTROL_COHERENT | (flags & 1) << 1 | (flags & 6) << 7 | (flags & 8) << 8;

	iommu_create_queue(u);
	IOMMU_REGISTER(u, 64, CONTROL) = 0;
	iommu_await(u, STATUS, STATUS_EVENTS_RUN | STATUS_QUEUE_RUN, 0);
	IOMMU_REGISTER(u, 64, TABLE) =
		u->place->segment ? iommu_physical(nothing) : iommu_physical(table) | (TABLE_PAGES - 1);
	IOMMU_REGISTER(u, 64, QUEUE) = iommu_physical(u->queue) | ENTRIES_256;
	IOMMU_REGISTER(u, 64, QUEUE_HEAD) = 0;
	IOMMU_REGISTER(u, 64, QUEUE_TAIL) = 0;
	IOMMU_REGISTER(u, 64, CONTROL) = control | CONTROL_ON | CONTROL_QUEUE;
	flush(u);
	start_log(u);
}

/* ---- faults ----------------------------------------------------------------------------------- */

/* 2.5: event codes. */
static const char *const reasons[16] = {
	[1] = "its entry in the device table is wrong",
	[2] = "its holder has nothing there, or the device is closed",
	[3 ... 4] = "a table cannot be read",
	[5 ... 6] = "the unit does not understand a command",
	[7] = "the device does not forget what it has cached",
	[8] = "no device may ask for that",
};

#define EVENT_INTERRUPT (1ull << 51)
#define EVENT_WRITE	(1ull << 53)

/* An entry that was read is cleared: the next one is there when it is not 0, whatever the tail says by then. */
static bool fault(struct iommu_unit *u, struct iommu_fault *f)
{
	volatile uint64_t *e = u->log + u->head;

	if (!e[0]) {
		if (IOMMU_REGISTER(u, 32, STATUS) & STATUS_OVERFLOW)
			start_log(u);
		return false;
	}
	*f = (struct iommu_fault){
		.device = (uint16_t)e[0],
		.number = e[0] >> 60,
		.write = e[0] & EVENT_WRITE,
		.interrupt = e[0] & EVENT_INTERRUPT,
		.address = e[1],
		.reason = reasons[e[0] >> 60],
	};
	e[0] = 0;
	u->head = (u->head + 2) % (PAGING_4K / 8);
	IOMMU_REGISTER(u, 64, EVENTS_HEAD) = u->head * 8;
	return true;
}

static void describe(const struct iommu_unit *u, char *text, size_t bytes)
{
	bh_snprintf(text, bytes, "features %lx, tables of 4 levels, pages up to 1 GiB%s", u->features,
		    iommu_amd_vi.remaps ? ", interrupts remapped" : "");
}

struct iommu_vendor iommu_amd_vi = {
	.name = "AMD-Vi",
	.open = ENTRY_READ_WRITE,
	.domains = 1u << 16,
	.reach = 1ull << 48,
	.look = look,
	.prepare = prepare,
	.start = start,
	.flush = flush,
	.entry = entry,
	.assign = assign,
	.remap = remap,
	.fault = fault,
	.describe = describe,
};
