/* iommu_unit.h: what both vendors' units share; for this folder alone. */
#pragma once
#include <stddef.h>
#include <boot/iommu_tables.h>
#include "paging.h"
#include "spinlock.h"

#define IOMMU_DEVICES 64u

struct iommu_unit {
	const struct iommu_place *place;
	volatile uint8_t *registers;
	uint64_t features, more; /* VT-d: capabilities, extended capabilities; AMD-Vi: extended features */
	/* A page each: commands of 16 bytes; AMD-Vi's events of 16 bytes; where it writes that all commands are done.
	 */
	uint64_t *queue, *log, *answer;
	uint32_t tail, head; /* of the queue, the log, in words of 8 bytes */
	bool on;
	char words[160]; /* what it can */
};

struct iommu_fault {
	uint16_t device;
	uint8_t number;
	bool write, interrupt;
	uint64_t address;
	const char *reason; /* NULL: one that the kernel knows nothing of */
};

/* One that was attached, or that has been at fault. */
struct iommu_device {
	uint32_t bdf;
	uint16_t requester; /* as its unit knows it */
	bool open, told;    /* told: its holder's report has a line on its faults since it was opened */
	struct partition *holder;
	uint64_t faults;
};

/* Tables are shared by all units; what one of them can is what all can. */
struct iommu_vendor {
	const char *name;
	struct paging_format format;
	uint64_t open;		/* set in a device's entry that lets it through */
	bool handle_in_address; /* of an MSI; otherwise in its data */
	bool remaps;		/* interrupts */
	uint32_t domains;	/* numbers of domains go up to this, exclusive */
	uint64_t reach;		/* device addresses go up to this, exclusive */
	/* Reads what the unit can; NULL, or why it is of no use. */
	const char *(*look)(struct iommu_unit *unit);
	/* Makes the tables. `remap`: interrupts are to be remapped, if they can be. False: no memory. */
	bool (*prepare)(const struct iommu_tables *tables, bool remap);
	/* Switches it on. */
	void (*start)(struct iommu_unit *unit);
	/* Makes it forget all that it has read of the tables, and waits until it has. */
	void (*flush)(struct iommu_unit *unit);
	/* The first word of a device's entry; assign makes one, closed. False: out of memory. */
	uint64_t *(*entry)(uint16_t device);
	bool (*assign)(uint16_t device, const struct paging *paging, uint16_t domain);
	/* Lets an interrupt of the device come as `vector`, which is its handle, too. False: not to this CPU. Flushes
	 * nothing. */
	bool (*remap)(uint16_t device, unsigned vector, uint32_t apic_id, bool level);
	/* The next fault; false: there is none. */
	bool (*fault)(struct iommu_unit *unit, struct iommu_fault *fault);
	/* What it can, in words. */
	void (*describe)(const struct iommu_unit *unit, char *text, size_t bytes);
};

/* The lock guards devices, and what is done with units when the machine runs. */
extern struct iommu {
	struct spinlock lock;
	const struct iommu_tables *tables;
	struct iommu_vendor *vendor; /* NULL: no units */
	struct iommu_unit unit[IOMMU_UNITS];
	unsigned units;
	struct paging reserved; /* regions of the firmware; root 0: none */
	bool coherent;		/* units see what is in the CPUs' caches */
	unsigned devices;
	struct iommu_device device[IOMMU_DEVICES];
} iommu;

extern struct iommu_vendor iommu_vtd, iommu_amd_vi;

/* Zeroed pages in one piece, mapped for good; NULL: no more. They are never given back. At boot. */
void *iommu_pages(unsigned pages);
uint64_t iommu_physical(const void *address);
void *iommu_virtual(uint64_t physical);
extern const struct paging_memory iommu_memory;

/* Makes what was written there, or everywhere, visible to units. */
void iommu_write_back(const void *address, uint64_t bytes);
void iommu_write_back_all(void);

#define IOMMU_REGISTER(unit, bits, offset) (*(volatile uint##bits##_t *)((unit)->registers + (offset)))

/* Waits until the bits of `mask` in a 32-bit register are `value`; panics after a second. */
void iommu_await(const struct iommu_unit *unit, unsigned offset, uint32_t mask, uint32_t value);

/* Makes queue, log and answer. At boot. */
void iommu_create_queue(struct iommu_unit *unit);

/* Appends a command to the queue; with the register of its tail, tells the unit and waits for its answer. */
void iommu_command(struct iommu_unit *unit, uint64_t low, uint64_t high);
void iommu_await_answer(struct iommu_unit *unit, unsigned tail_register);

/* Makes every unit forget what it has read. */
void iommu_flush(void);

/* The unit that has the device, and the device as the unit knows it (`*device` is replaced by its alias); -1: none. */
int iommu_unit_of(uint16_t segment, uint16_t *device);

/* A device that was attached or at fault, NULL: neither; and one more such, NULL: no room. */
struct iommu_device *iommu_find(uint32_t bdf);
struct iommu_device *iommu_add(uint32_t bdf, uint16_t requester, struct partition *holder);

/* What the firmware says of an I/O APIC; NULL: nothing. */
const struct iommu_ioapic *iommu_find_ioapic(unsigned id);
