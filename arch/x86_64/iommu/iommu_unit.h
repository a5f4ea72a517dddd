/* iommu_unit.h: what both vendors' units share; for this folder alone. All of it under iommu.c's lock. */
#pragma once
#include <stddef.h>
#include "iommu_tables.h"
#include "paging.h"
#include "spinlock.h"

struct iommu_unit {
	const struct iommu_place *place;
	volatile uint8_t *registers;
	uint64_t features, more; /* VT-d: capabilities, extended capabilities; AMD-Vi: extended features */
	uint64_t *queue;	 /* a page of commands of 16 bytes; NULL: the unit has none */
	uint64_t *log;		 /* AMD-Vi: a page of events of 16 bytes */
	uint64_t *answer;	 /* the unit writes here that it has done all commands */
	uint32_t tail, head;	 /* of the queue, the log, in words of 8 bytes */
	bool on;
};

struct iommu_fault {
	uint16_t device;
	bool write, interrupt;
	uint64_t address;
	const char *reason;
};

struct iommu_vendor {
	const char *name;
	struct paging_format format;
	uint64_t open;		/* set in a device's entry that lets it through */
	bool handle_in_address; /* of an MSI; otherwise in its data */
	uint32_t domains;	/* numbers of domains go up to this, exclusive */
	uint64_t reach;		/* device addresses go up to this, exclusive */
	bool remaps;		/* interrupts */
	/* Reads what the unit can; NULL, or why it is of no use. */
	const char *(*look)(struct iommu_unit *unit);
	/* Makes the tables that all units share. `remap`: interrupts are to be remapped, if they can be. False: no
	 * memory. */
	bool (*prepare)(const struct iommu_tables *tables, bool remap, bool x2apic);
	/* Switches it on. */
	void (*start)(struct iommu_unit *unit);
	/* Makes it forget all that it has read of the tables, and waits until it has. */
	void (*flush)(struct iommu_unit *unit);
	/* The first word of a device's entry, NULL: it has none; and makes one, closed. False: out of memory. */
	uint64_t *(*entry)(uint16_t device);
	bool (*assign)(uint16_t device, const struct paging *paging, uint16_t domain);
	/* The handle by which interrupt `index` of the device comes as `vector`; -1: none left. Flushes nothing. */
	int (*remap)(uint16_t device, unsigned index, unsigned vector, uint32_t apic_id, bool level);
	/* The next fault; false: there is none. */
	bool (*fault)(struct iommu_unit *unit, struct iommu_fault *fault);
	/* What it can, in words. */
	void (*describe)(const struct iommu_unit *unit, char *text, size_t bytes);
};

#define IOMMU_DEVICES 64u

/* One that was attached, or that has been at fault. */
struct iommu_device {
	uint32_t bdf;
	uint16_t requester; /* as its unit knows it */
	bool open, told;    /* told: its holder's report has a line on its faults since it was opened */
	struct partition *holder;
	uint64_t faults;
};

/* The lock guards devices, and what is done with units when the machine runs. */
extern struct iommu {
	struct spinlock lock;
	struct iommu_vendor *vendor; /* NULL: no units */
	struct iommu_tables tables;
	struct iommu_unit unit[IOMMU_UNITS];
	struct paging reserved; /* regions of the firmware; root 0: none */
	uint32_t devices;
	struct iommu_device device[IOMMU_DEVICES];
} iommu;

extern struct iommu_vendor iommu_vtd, iommu_amd_vi;
extern bool iommu_coherent; /* units see what is in the CPUs' caches */

/* Zeroed pages in one piece, up to a frame, mapped for good; NULL: no memory. They are never given back. At boot. */
void *iommu_pages(unsigned pages);
uint64_t iommu_physical(const void *address);
void *iommu_virtual(uint64_t physical);
extern const struct paging_memory iommu_memory;

/* Makes what was written there visible to units; bytes 0: all pages. */
void iommu_write_back(const void *address, uint64_t bytes);

static inline uint32_t iommu_read32(const struct iommu_unit *unit, unsigned offset)
{
	return *(volatile uint32_t *)(unit->registers + offset);
}

static inline uint64_t iommu_read64(const struct iommu_unit *unit, unsigned offset)
{
	return *(volatile uint64_t *)(unit->registers + offset);
}

static inline void iommu_write32(const struct iommu_unit *unit, unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(unit->registers + offset) = value;
}

static inline void iommu_write64(const struct iommu_unit *unit, unsigned offset, uint64_t value)
{
	*(volatile uint64_t *)(unit->registers + offset) = value;
}

/* Waits until the bits of `mask` in a 32-bit register are `value`; panics after a second. */
void iommu_await(const struct iommu_unit *unit, unsigned offset, uint32_t mask, uint32_t value);

/* Appends a command to the queue, or, with the register where its tail stands, tells the unit of it. */
void iommu_command(struct iommu_unit *unit, uint64_t low, uint64_t high);
void iommu_await_answer(struct iommu_unit *unit, unsigned tail_register);

/* Makes every unit forget what it has read. */
void iommu_flush(void);

/* The device, NULL: neither attached nor ever at fault. */
struct iommu_device *iommu_find(uint32_t bdf);
struct iommu_device *iommu_add(uint32_t bdf, uint16_t requester, struct partition *holder);

/* What the firmware says of an I/O APIC; NULL: nothing. */
const struct iommu_ioapic *iommu_find_ioapic(unsigned id);

/* Makes queue, log and answer of a unit. At boot. */
void iommu_create_queue(struct iommu_unit *unit);
