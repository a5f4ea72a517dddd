#include "frame.h"
#include "channel.h"
#include "device.h"
#include "panic.h"
#include "partition.h"
#include "vcpu.h"

#define PAGES_PER_FRAME (FRAME_BYTES / PAGE_BYTES)
#define SPLITS_MAX	64

struct split {
	uint64_t frame;
	uint16_t *owner; /* PAGES_PER_FRAME of them */
	uint32_t used;	 /* pages given out so far */
};

static uint16_t *owners; /* by frame number */
static uint64_t frames;
static uint64_t ram_bytes;
static struct split splits[SPLITS_MAX];
static unsigned split_count;

/* ---- the record -------------------------------------------------------------------------------
 */

static uint16_t range_owner(uint32_t type)
{
	switch (type) {
	case BOOT_MEMORY_FREE: return FRAME_FREE;
	case BOOT_MEMORY_KERNEL: return FRAME_KERNEL;
	case BOOT_MEMORY_IMAGE: return FRAME_IMAGE;
	default: return FRAME_FIRMWARE;
	}
}

static bool is_ram(uint32_t type) { return type != BOOT_MEMORY_MMIO && type != BOOT_MEMORY_RESERVED; }

/* A frame that is only partly of a kind belongs to the firmware: nobody gets it. */
static void record_range(const struct boot_range *range)
{
	uint64_t first = range->base / FRAME_BYTES;
	uint64_t end = (range->base + range->bytes + FRAME_BYTES - 1) / FRAME_BYTES;

	for (uint64_t frame = first; frame < end && frame < frames; frame++) {
		bool whole =
			range->base <= frame * FRAME_BYTES && range->base + range->bytes >= (frame + 1) * FRAME_BYTES;

		owners[frame] = whole ? range_owner(range->type) : FRAME_FIRMWARE;
	}
}

void frame_init(const struct boot_info *boot)
{
	for (unsigned i = 0; i < boot->ranges; i++) {
		const struct boot_range *range = &boot->range[i];

		if (!is_ram(range->type))
			continue;
		ram_bytes += range->bytes;
		if ((range->base + range->bytes) / FRAME_BYTES > frames)
			frames = (range->base + range->bytes) / FRAME_BYTES;
	}
	owners = pool_alloc((unsigned)((frames * sizeof(*owners) + PAGE_BYTES - 1) / PAGE_BYTES));
	if (!owners)
		panic("no memory for the ownership record of %llu frames", (unsigned long long)frames);
	for (unsigned i = 0; i < boot->ranges; i++)
		record_range(&boot->range[i]);
}

static struct split *split_find(uint64_t frame)
{
	for (unsigned i = 0; i < split_count; i++) {
		if (splits[i].frame == frame)
			return &splits[i];
	}
	return NULL;
}

uint16_t frame_owner(uint64_t physical)
{
	uint64_t frame = physical / FRAME_BYTES;

	if (frame >= frames)
		return FRAME_NONE;
	if (owners[frame] == FRAME_SPLIT)
		return split_find(frame)->owner[physical % FRAME_BYTES / PAGE_BYTES];
	return owners[frame];
}

bool frame_is_device(uint64_t physical, uint64_t bytes)
{
	for (uint64_t at = physical; at < physical + bytes; at = (at / FRAME_BYTES + 1) * FRAME_BYTES) {
		if (frame_owner(at) != FRAME_NONE && frame_owner(at) != FRAME_FIRMWARE)
			return false;
	}
	return true;
}

uint64_t frame_end(void) { return frames * FRAME_BYTES; }

uint64_t frame_free_bytes(void)
{
	uint64_t count = 0;

	for (uint64_t frame = 0; frame < frames; frame++)
		count += owners[frame] == FRAME_FREE;
	return count * FRAME_BYTES;
}

uint64_t frame_ram_bytes(void) { return ram_bytes; }

/* ---- taking -----------------------------------------------------------------------------------
 */

static bool free_run(uint64_t first, uint64_t count)
{
	for (uint64_t frame = first; frame < first + count; frame++) {
		if (owners[frame] != FRAME_FREE)
			return false;
	}
	return true;
}

uint64_t frame_take(uint64_t count, uint64_t align, uint16_t owner)
{
	if (count == 0 || count > frames)
		return 0;
	/* Frame 0 is never given out, so that 0 can mean none. */
	for (uint64_t first = (frames - count) / align * align; first > 0; first -= align) {
		if (!free_run(first, count))
			continue;
		for (uint64_t frame = first; frame < first + count; frame++)
			owners[frame] = owner;
		return first * FRAME_BYTES;
	}
	return 0;
}

void frame_give(uint64_t physical, uint64_t bytes)
{
	for (uint64_t done = 0; done < bytes; done += FRAME_BYTES)
		owners[(physical + done) / FRAME_BYTES] = FRAME_FREE;
}

uint64_t frame_largest(void)
{
	uint64_t largest = 0, run = 0;

	for (uint64_t frame = 1; frame < frames; frame++) {
		run = owners[frame] == FRAME_FREE ? run + 1 : 0;
		if (run > largest)
			largest = run;
	}
	return largest;
}

static uint64_t split_take(struct split *split, uint64_t pages, uint16_t owner)
{
	uint64_t physical = split->frame * FRAME_BYTES + split->used * PAGE_BYTES;

	for (uint64_t page = 0; page < pages; page++)
		split->owner[split->used + page] = owner;
	split->used += (uint32_t)pages;
	return physical;
}

static struct split *split_new(void)
{
	struct split *split = &splits[split_count];
	uint64_t physical;

	if (split_count == SPLITS_MAX)
		return NULL;
	/* Its record first: a frame that says it is split has one. A page that was taken in vain serves the next time.
	 */
	if (!split->owner)
		split->owner = pool_alloc(1);
	physical = split->owner ? frame_take(1, 1, FRAME_SPLIT) : 0;
	if (!physical)
		return NULL;
	for (unsigned page = 0; page < PAGES_PER_FRAME; page++)
		split->owner[page] = FRAME_FREE;
	split->frame = physical / FRAME_BYTES;
	split->used = 0;
	split_count++;
	return split;
}

uint64_t frame_take_pages(uint64_t pages, uint16_t owner)
{
	struct split *split = NULL;

	/* Large pieces get frames of their own. */
	if (pages > PAGES_PER_FRAME / 2)
		return frame_take((pages + PAGES_PER_FRAME - 1) / PAGES_PER_FRAME, 1, owner);

	for (unsigned i = 0; i < split_count && !split; i++) {
		if (splits[i].used + pages <= PAGES_PER_FRAME)
			split = &splits[i];
	}
	if (!split)
		split = split_new();
	return split ? split_take(split, pages, owner) : 0;
}

/* ---- who may see what -------------------------------------------------------------------------
 */

static bool is_message_page(const struct partition *monitor, uint64_t physical)
{
	const struct partition *ward = monitor->ward;

	for (unsigned i = 0; ward && i < ward->vcpus; i++) {
		if (ward->vcpu[i] && pool_physical(ward->vcpu[i]->message) == physical)
			return true;
	}
	return false;
}

static bool is_granted_image(const struct partition *partition, uint64_t physical)
{
	for (unsigned i = 0; i < partition->handle_max; i++) {
		const struct handle *handle = &partition->handle[i];
		const struct boot_image *image = handle->object;
		uint64_t end;

		if (handle->type != BH_HANDLE_IMAGE)
			continue;
		end = (image->physical + image->bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
		if (physical >= image->physical && physical < end)
			return true;
	}
	return false;
}

static bool may_map_page(const struct partition *partition, uint64_t physical, unsigned rights)
{
	uint16_t owner = frame_owner(physical);

	if (owner == FRAME_PARTITION + partition->id)
		return true;
	if (rights & MAP_EXECUTE)
		return false;
	if (partition->ward && owner == FRAME_PARTITION + partition->ward->id)
		return true;
	if (owner >= FRAME_CHANNEL) {
		const struct channel *channel = &channels[owner - FRAME_CHANNEL];

		return channel->end[0].partition == partition || channel->end[1].partition == partition;
	}
	if (owner == FRAME_IMAGE)
		return !(rights & MAP_WRITE) && is_granted_image(partition, physical);
	return owner == FRAME_KERNEL && is_message_page(partition, physical);
}

bool frame_may_map(const struct partition *partition, uint64_t physical, uint64_t bytes, unsigned rights)
{
	uint64_t end = physical + bytes;

	if (end <= physical)
		return false;
	if (rights & MAP_DEVICE)
		return !(rights & MAP_EXECUTE) && frame_is_device(physical, bytes) &&
		       device_may_map(partition, physical, bytes);
	while (physical < end) {
		bool split = frame_owner(physical) >= FRAME_CHANNEL || frame_owner(physical) == FRAME_KERNEL ||
			     frame_owner(physical) == FRAME_IMAGE;

		if (!may_map_page(partition, physical, rights))
			return false;
		/* Whole frames have one owner: one look is enough. */
		physical = split ? physical + PAGE_BYTES : (physical / FRAME_BYTES + 1) * FRAME_BYTES;
	}
	return true;
}

_Static_assert(MAP_READ == PAGING_READ && MAP_WRITE == PAGING_WRITE && MAP_EXECUTE == PAGING_EXECUTE &&
		       MAP_DEVICE == PAGING_UC && PAGING_WB == 0,
	       "rights are passed through");

bool frame_map(struct partition *partition, uint64_t address, uint64_t physical, uint64_t bytes, unsigned rights)
{
	return frame_may_map(partition, physical, bytes, rights) &&
	       paging_map(&partition->ept, address, physical, bytes, rights) == PAGING_OK;
}
