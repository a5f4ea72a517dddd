#include "create.h"
#include <guests/lib/bh_string.h>
#include "audit.h"
#include "boot/boot_table.h"
#include "boot/config_record.h"
#include "build.h"
#include "cpu.h"
#include "frame.h"
#include "log.h"
#include "partition.h"
#include "populate.h"
#include "sched.h"
#include "start.h"
#include "vcpu.h"
#include "window.h"

static struct boot_info *boot(void) { return (struct boot_info *)start_boot_info; }

/* Copies what the caller has at `address`, in one frame of its own memory; false: it has not. */
static bool read(const struct vcpu *caller, uint64_t address, void *to, uint64_t bytes)
{
	uint64_t physical = populate_physical(caller->partition, address);

	if (!physical || bytes > FRAME_BYTES - physical % FRAME_BYTES)
		return false;
	memcpy(to, window_map_slot(1, physical), bytes);
	return true;
}

/* ---- images ------------------------------------------------------------------------------------ */

static int64_t image_create(const struct vcpu *caller, uint64_t address)
{
	struct boot_image *image = boot_image_place(boot());
	struct bh_image wanted;

	if (!read(caller, address, &wanted, sizeof(wanted)) || !config_image_new(boot(), wanted.name) ||
	    !wanted.bytes || wanted.bytes > frame_end())
		return -BH_EINVAL;
	if (image)
		image->physical = frame_take((wanted.bytes + FRAME_BYTES - 1) / FRAME_BYTES, 1, FRAME_IMAGE);
	if (!image || !image->physical)
		return -BH_ENOMEM;
	memcpy(image->path, wanted.name, sizeof(image->path));
	image->bytes = image->missing = wanted.bytes;
	image->uploaded = 1;
	return image - boot()->image;
}

/* A frame is wiped when its first byte comes, so nothing of its former owner is behind the last. */
static int64_t image_write(struct boot_image *image, const struct vcpu *caller, uint64_t address, uint64_t bytes)
{
	uint64_t to = image->physical + image->bytes - image->missing;

	if (!image->uploaded || !bytes || bytes > image->missing || bytes > FRAME_BYTES - to % FRAME_BYTES)
		return -BH_EINVAL;
	if (to % FRAME_BYTES == 0)
		memset(window_map(to), 0, FRAME_BYTES);
	if (!read(caller, address, window_map(to), bytes))
		return -BH_EINVAL;
	image->missing -= bytes;
	return 0;
}

/* Whoever has its frames next wipes them. */
static int64_t image_remove(struct boot_image *image)
{
	if (!image->uploaded || boot_image_used(boot(), image))
		return -BH_ESTATE;
	frame_give(image->physical, image->bytes);
	memset(image, 0, sizeof(*image));
	return 0;
}

static int64_t image_stat(const struct boot_image *image, uint64_t word)
{
	int64_t value;

	if (word >= sizeof(struct bh_image) / sizeof(value))
		return -BH_EINVAL;
	memcpy(&value, (const char *)image + word * sizeof(value), sizeof(value));
	return value;
}

/* ---- partitions -------------------------------------------------------------------------------- */

static int64_t partition_create(const struct vcpu *caller, uint64_t address)
{
	static struct config_creation creation;
	const char *wrong;

	if (!read(caller, address, &creation, sizeof(creation)))
		return -BH_EINVAL;
	wrong = config_record_wrong(boot(), &creation, cpu_count);
	if (wrong) {
		log_printf("no partition is made: %s", wrong);
		return -BH_EINVAL;
	}
	return build_create(&creation) ? 0 : -BH_ENOMEM;
}

/* The CPU of each of its vCPUs has nothing more to do with it. */
static bool is_at_rest(const struct partition *partition)
{
	for (unsigned i = 0; partition && i < partition->vcpus; i++) {
		const volatile struct entity *entity = partition->vcpu[i]->entity;

		if (partition->vcpu[i]->wake_queued || entity->queued || entity->active || entity->work ||
		    entity->unthrottle.deadline != TIMER_NEVER)
			return false;
	}
	return true;
}

static int64_t partition_remove(struct partition *partition)
{
	if (partition->state != BH_STATE_STOPPED || !is_at_rest(partition) || !is_at_rest(partition->monitor))
		return -BH_ESTATE;
	build_remove(partition);
	return 0;
}

/* ---- calls ------------------------------------------------------------------------------------- */

static int64_t on_image(const struct vcpu *caller, uint64_t number, uint64_t index, uint64_t c, uint64_t d)
{
	struct boot_image *image = &boot()->image[index < BOOT_IMAGES ? index : 0];

	if (index >= BOOT_IMAGES || !boot_image_public(boot(), image))
		return -BH_ENOENT;
	switch (number) {
	case BH_IMAGE_WRITE: return image_write(image, caller, c, d);
	case BH_IMAGE_REMOVE: return image_remove(image);
	default: return image_stat(image, c);
	}
}

int64_t create_call(const struct vcpu *caller, const struct handle *handle, uint64_t number, uint64_t b, uint64_t c,
		    uint64_t d)
{
	int64_t result;

	spin_lock(&audit_lock);
	switch (number) {
	case BH_IMAGE_CREATE: result = image_create(caller, b); break;
	case BH_PARTITION_CREATE: result = partition_create(caller, b); break;
	case BH_PARTITION_REMOVE: result = partition_remove(handle->object); break;
	default: result = on_image(caller, number, b, c, d);
	}
	spin_unlock(&audit_lock);
	return result;
}
