/*
 * device.h: PCI functions and the partitions that hold them (device_grant.c, at boot; device_call.c, for the holder).
 *
 * A device is at rest (no bus mastering, no decoding, no interrupts, no way through the IOMMU) except while its holder
 * runs.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/abi.h>
#include "pci.h"
#include "spinlock.h"

#define DEVICE_IRQS 16u /* of one device, at most */

struct partition;
struct vcpu;

struct device {
	struct pci_function *pci;
	struct partition *holder;   /* NULL: nobody. Settled at boot, as all else */
	struct spinlock lock;	    /* its registers, between the holder's vCPUs */
	uint32_t irq_kind;	    /* enum bh_device_irq */
	unsigned irqs, irq;	    /* how many it has; irq.h's number of the first */
	uint64_t address[PCI_BARS]; /* where its registers are mapped; 0: they are not */
	uint64_t mapped;	    /* bytes of them */
};

extern struct device devices[PCI_FUNCTIONS]; /* of each of pci_functions */

/* Boot CPU, once, after frame_init. */
void device_init(struct pci_found *found);

/* The next device of `holder` after `device` (NULL: the first), or NULL. */
struct device *device_next(const struct partition *holder, const struct device *device);

/* May `holder` see these pages as a device's registers? BARs of its own devices, without MSI-X tables. */
bool device_may_map(const struct partition *holder, uint64_t physical, uint64_t bytes);

/* Maps the registers of a device for its holder; false: no room, or there is memory. At boot. */
bool device_map_bars(struct device *device);

/*
 * Gives `holder` the device that `number` names (enum config_device_by), as the handle `name`; NULL: its address is its
 * name. NULL, or what is wrong and what would be right, until the next call. At boot.
 */
const char *device_grant(struct partition *holder, uint32_t by, uint32_t number, const char *name);

/*
 * A step of taking the devices from `holder`, whose vCPUs stand still: 0 when all are at rest, otherwise how many
 * milliseconds later to call again. The holder's work CPU.
 */
unsigned device_stop(struct partition *holder);

/* Makes the devices ready for `holder`, which is about to run: reset, masked. Its work CPU, after device_stop. */
void device_start(struct partition *holder);

/* BH_DEVICE_*, as abi.h says: `number` with the holder's device and what comes behind the handle. */
int64_t device_call(uint64_t number, struct device *device, uint64_t b, uint64_t c, uint64_t d);

/* Writes the text of BH_TEXT_PCI, a line for each function. At boot, after the grants. */
void device_list(void);

/* 8 bytes of it, or -BH_ENOENT. Any CPU. */
int64_t device_text(uint64_t offset);
