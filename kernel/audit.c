#include "audit.h"
#include "address_space.h"
#include "channel.h"
#include "device.h"
#include "frame.h"
#include "iommu/iommu.h"
#include "partition.h"
#include "pci_device.h"
#include "report.h"
#include "spinlock.h"

#define TEXT_BYTES 2048

struct spinlock audit_lock;
static char text[TEXT_BYTES];
static struct report_words words = { .text = text, .size = TEXT_BYTES };
static int64_t disagreements;

#define disagree(format, ...) (disagreements++, report_say(&words, format "\n", ##__VA_ARGS__))

/* One audited table, while it is walked. */
struct walk {
	const struct partition *partition;
	uint64_t own_bytes; /* of its own memory, mapped where its extents say */
	bool devices;	    /* the table is its devices': they see its own memory only */
	uint64_t device_bytes;
};

/* Where `physical` belongs in the partition's own address space; false: it is not of its extents.
 */
static bool extent_address(const struct partition *partition, uint64_t physical, uint64_t *address)
{
	for (unsigned i = 0; i < partition->extents; i++) {
		const struct extent *extent = &partition->extent[i];

		if (physical >= extent->physical && physical - extent->physical < extent->bytes) {
			*address = extent->address + (physical - extent->physical);
			return true;
		}
	}
	return false;
}

static bool check_page(void *context, const struct paging_page *page)
{
	struct walk *walk = context;
	const struct partition *partition = walk->partition;
	unsigned rights = page->flags & (MAP_READ | MAP_WRITE | MAP_EXECUTE | MAP_DEVICE);
	uint64_t address;

	if (!frame_may_map(partition, page->physical, page->bytes, rights))
		disagree("%s: %llx maps %llx (%llx bytes, rights %x), whose owner is %x", partition->name,
			 (unsigned long long)page->address, (unsigned long long)page->physical,
			 (unsigned long long)page->bytes, rights, frame_owner(page->physical));
	else if (rights & MAP_DEVICE)
		walk->device_bytes += page->bytes;
	if (!(rights & MAP_DEVICE) && (page->flags & PAGING_TYPE) != PAGING_WB)
		disagree("%s: %llx is not mapped write-back", partition->name, (unsigned long long)page->address);
	if (partition->program && (rights & MAP_WRITE) && (rights & MAP_EXECUTE))
		disagree("%s: %llx is writable and executable", partition->name, (unsigned long long)page->address);
	if (extent_address(partition, page->physical, &address)) {
		if (address != page->address)
			disagree("%s: %llx stands at %llx", partition->name, (unsigned long long)address,
				 (unsigned long long)page->address);
		walk->own_bytes += page->bytes;
	} else if (walk->devices) {
		disagree("%s: its devices reach %llx, which is not its memory", partition->name,
			 (unsigned long long)page->physical);
	}
	return true;
}

/* The bytes of registers that it maps. */
static uint64_t check_table(const struct partition *partition, const struct paging *table, bool devices)
{
	struct walk walk = { .partition = partition, .devices = devices };

	paging_walk(table, check_page, &walk);
	if (partition->extents && walk.own_bytes != partition->memory_bytes)
		disagree("%s: %llx bytes of its own memory are mapped%s, it owns %llx", partition->name,
			 (unsigned long long)walk.own_bytes, devices ? " for its devices" : "",
			 (unsigned long long)partition->memory_bytes);
	return walk.device_bytes;
}

/* Bus mastering first: a holder that ends meanwhile has it turned off before it has ended. */
static void check_devices(const struct partition *partition, uint64_t mapped)
{
	for (struct device *d = device_next(partition, NULL); d; d = device_next(partition, d)) {
		bool masters = pci_device_masters(d->pci);

		mapped -= d->mapped;
		if (masters && (partition->state <= BH_STATE_BUILDING))
			disagree("%s: its device %s may write to memory, though it does not run", partition->name,
				 d->pci->name);
	}
	if (mapped)
		disagree("%s: %lld bytes of registers are mapped beyond those of its devices", partition->name,
			 (long long)mapped);
}

static void check_partition(const struct partition *partition)
{
	check_devices(partition, check_table(partition, &partition->ept, false));
	if (partition->dma.root)
		check_table(partition, &partition->dma, true);

	for (unsigned i = 0; i < partition->extents; i++) {
		const struct extent *extent = &partition->extent[i];

		for (uint64_t done = 0; done < extent->bytes; done += FRAME_BYTES) {
			if (frame_owner(extent->physical + done) != FRAME_PARTITION + partition->id)
				disagree("%s: frame %llx of its memory belongs to %x", partition->name,
					 (unsigned long long)(extent->physical + done),
					 frame_owner(extent->physical + done));
		}
	}
}

/* Outside of windows and device registers, the kernel maps its own frames only, and nothing both W
 * and X. */
static bool check_kernel_page(void *context, const struct paging_page *page)
{
	bool window = page->address >= WINDOW_BASE && page->address < MMIO_BASE;
	bool device = page->address >= MMIO_BASE && page->address < MMIO_BASE + MMIO_BYTES;

	(void)context;
	if ((page->flags & PAGING_WRITE) && (page->flags & PAGING_EXECUTE))
		disagree("kernel: %llx is writable and executable", (unsigned long long)page->address);
	if (window)
		return true;
	for (uint64_t done = 0; done < page->bytes; done += PAGE_BYTES) {
		uint16_t owner = frame_owner(page->physical + done);

		if (device ? owner >= FRAME_PARTITION || owner == FRAME_FREE : owner != FRAME_KERNEL) {
			disagree("kernel: %llx maps %llx, whose owner is %x", (unsigned long long)page->address,
				 (unsigned long long)page->physical, owner);
			break;
		}
	}
	return true;
}

/* Devices that the firmware uses reach what is nobody's but its own. */
static bool check_reserved_page(void *context, const struct paging_page *page)
{
	(void)context;
	for (uint64_t done = 0; done < page->bytes; done += PAGE_BYTES) {
		uint16_t owner = frame_owner(page->physical + done);

		if ((owner != FRAME_NONE && owner != FRAME_FIRMWARE) || page->address != page->physical) {
			disagree("firmware: its devices' %llx maps %llx, whose owner is %x",
				 (unsigned long long)page->address, (unsigned long long)page->physical, owner);
			break;
		}
	}
	return true;
}

/* A frame whose owner's number stands for nobody has leaked. */
static void check_owners(void)
{
	for (uint64_t at = 0; at < frame_end(); at += FRAME_BYTES) {
		uint16_t owner = frame_owner(at);
		bool nobody = owner >= FRAME_CHANNEL
				      ? owner - FRAME_CHANNEL >= (int)channel_count
				      : owner >= FRAME_PARTITION && owner - FRAME_PARTITION >= (int)partition_count;

		if (nobody)
			disagree("frame %llx: its owner %x is nobody", (unsigned long long)at, owner);
	}
}

int64_t audit_run(void)
{
	int64_t result;

	spin_lock(&audit_lock);
	disagreements = 0;
	words.bytes = 0;
	for (unsigned i = 0; i < partition_count; i++)
		check_partition(partitions[i]);
	paging_walk(&kernel_paging, check_kernel_page, NULL);
	if (iommu_reserved())
		paging_walk(iommu_reserved(), check_reserved_page, NULL);
	check_owners();
	result = disagreements;
	spin_unlock(&audit_lock);
	return result;
}

int64_t audit_text(uint64_t offset) { return report_word(text, words.bytes, offset); }
