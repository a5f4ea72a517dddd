/*
 * iommu.h: what devices reach: VT-d (Intel VT for Directed I/O 3.x) and AMD-Vi (AMD I/O Virtualization 48882).
 *
 * From iommu_init on a device reaches nothing, and its interrupts go nowhere, until it was attached to a partition and
 * opened; then it reaches that partition's own memory, by the partition's own addresses, and no other. README.md says
 * what is left to be trusted.
 *
 * A device is named by its address: segment << 16 | bus << 8 | device << 3 | function.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct iommu_tables;
struct partition;
struct paging;

/*
 * Switches the units on that `tables` name, all devices closed; `line` is called with a line on each. Where there are
 * none it says so. Boot CPU, after frame_init and pci_init, before partitions are built.
 */
void iommu_init(const struct iommu_tables *tables, void (*line)(const char *text));

/* Whether there is a unit that works. */
bool iommu_present(void);

/*
 * Makes `bdf` a device of `holder`, closed; builds the holder's tables with its first device. NULL, or in words why it
 * cannot be: no unit covers it, the firmware keeps it for itself, another holds it (or one that looks the same to the
 * unit), too little memory. Boot CPU, after the holder has its memory.
 */
const char *iommu_attach(uint32_t bdf, struct partition *holder);

/*
 * Lets an attached device reach its holder's memory, and no longer. When they return the unit knows: after
 * iommu_close no write of the device is on its way. A unit that does not answer within a second is a panic, since
 * memory could not be taken back from its devices. Nothing happens for a device that was not attached. Any CPU.
 */
void iommu_open(uint32_t bdf);
void iommu_close(uint32_t bdf);

/*
 * Where interrupts are remapped: the MSI (or MSI-X) message with which an interrupt of an attached device comes as
 * `vector`, which no other interrupt has, on CPU `cpu`. False: they are not remapped, the plain message does it; or the
 * CPU's APIC id is too large for the unit, then no message of it gets through. Replaces what it said before for this
 * vector. Any CPU.
 */
bool iommu_msi(uint32_t bdf, unsigned vector, unsigned cpu, uint64_t *address, uint32_t *data);

/*
 * The same for I/O APICs: the upper half of a redirection entry with which pins of I/O APIC `id` (as the MADT numbers
 * them) come as `vector` on CPU `cpu`; its lower half is as without remapping. False: not remapped. Any CPU.
 */
bool iommu_ioapic(unsigned id, unsigned vector, unsigned cpu, bool level, uint32_t *high);

/* Logs what devices tried and may not, as far as it has not been; at most 8 lines a second. Any CPU. */
void iommu_poll(void);

/* Has it polled ten times a second on the calling CPU from now on, if any device was attached. Once, interrupts off. */
void iommu_watch(void);

/* 8 bytes of the text of BH_TEXT_IOMMU from `offset`; -BH_ENOENT past its end. It is made when 0 is asked for. */
int64_t iommu_text(uint64_t offset);

/* For the audit: what stays open to devices of the firmware, one to one; NULL: nothing. */
const struct paging *iommu_reserved(void);
