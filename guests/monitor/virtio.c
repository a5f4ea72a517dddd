/* virtio.c: status and features; the way from a device to its driver. */
#include "virtio.h"

#define COMPLAINTS_MAX 16 /* lines of the log for each device: a guest could fill it */

/* Steps of the driver's (3.1.1), of which each takes the ones before. */
#define STATUS_STEPS (VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FAILED)

static uint64_t common_features(void)
{
	return 1ull << VIRTIO_F_INDIRECT_DESC | 1ull << VIRTIO_F_EVENT_IDX | 1ull << VIRTIO_F_VERSION_1;
}

/* ---- to the driver -------------------------------------------------------------------------------------- */

/* Without MSI-X there is no interrupt, but the status register tells who polls it. */
static void interrupt(struct virtio *virtio, uint16_t vector, uint8_t isr)
{
	if (msix_is_enabled(&virtio->msix))
		msix_raise(&virtio->msix, vector);
	else
		virtio->isr |= isr;
}

void virtio_publish(struct virtio *virtio, struct virtqueue *queue)
{
	if (queue->used != queue->published && virtqueue_publish(queue))
		interrupt(virtio, queue->vector, VIRTIO_ISR_QUEUE);
}

void virtio_config_changed(struct virtio *virtio)
{
	virtio->generation++;
	if (virtio->status & VIRTIO_DRIVER_OK)
		interrupt(virtio, virtio->config_vector, VIRTIO_ISR_CONFIG);
}

static void complain(struct virtio *virtio, int queue, const char *rule)
{
	const struct virtio_setup *setup = &virtio->setup;

	if (virtio->complaints++ >= COMPLAINTS_MAX)
		return;
	if (queue < 0)
		bh_printf("%s of %s stopped: %s\n", setup->type->name, setup->owner, rule);
	else
		bh_printf("%s of %s stopped, queue %d: %s\n", setup->type->name, setup->owner, queue, rule);
}

static void stop(struct virtio *virtio, int queue, const char *rule)
{
	if (virtio->status & VIRTIO_NEEDS_RESET)
		return;
	complain(virtio, queue, rule);
	virtio->status |= VIRTIO_NEEDS_RESET;
	virtio_config_changed(virtio);
}

void virtio_break(struct virtio *virtio, const char *rule) { stop(virtio, -1, rule); }

void virtio_break_queue(struct virtio *virtio, const struct virtqueue *queue)
{
	if (queue->broken)
		stop(virtio, (int)(queue - virtio->queue), queue->broken);
}

/* ---- from the driver ------------------------------------------------------------------------------------- */

static void reset(struct virtio *virtio)
{
	for (unsigned i = 0; i < virtio->setup.queues; i++)
		virtqueue_reset(&virtio->queue[i], virtio->setup.memory);
	virtio->accepted = 0;
	virtio->offered_select = virtio->accepted_select = 0;
	virtio->queue_select = 0;
	virtio->config_vector = VIRTIO_NO_VECTOR;
	virtio->status = virtio->isr = 0;
	virtio->setup.type->reset(virtio->setup.device);
}

/* The bit stays clear, for the driver to see, if the device will not work with these features (3.1.1, step 5). */
static void check_features(struct virtio *virtio)
{
	const struct virtio_setup *setup = &virtio->setup;

	if (virtio->accepted & ~virtio->offered || !virtio_has(virtio, VIRTIO_F_VERSION_1))
		return;
	if (setup->type->accepts(setup->device, virtio->accepted))
		virtio->status |= VIRTIO_FEATURES_OK;
}

/* Bits are only ever added, but by a reset (2.1.1). */
void virtio_set_status(struct virtio *virtio, uint8_t status)
{
	uint8_t added = status & (uint8_t)~virtio->status;

	if (!status) {
		reset(virtio);
		return;
	}
	virtio->status |= added & STATUS_STEPS;
	if (added & VIRTIO_FEATURES_OK)
		check_features(virtio);
	if (!(added & VIRTIO_DRIVER_OK) || !(virtio->status & VIRTIO_FEATURES_OK))
		return;
	virtio->status |= VIRTIO_DRIVER_OK;
	virtio->setup.type->start(virtio->setup.device);
	virtio->setup.outside.kick(virtio->setup.outside.context, virtio->setup.index);
}

void virtio_set_features(struct virtio *virtio, uint32_t select, uint32_t features)
{
	if (select > 1 || virtio->status & VIRTIO_FEATURES_OK)
		return;
	virtio->accepted &= ~(0xffffffffull << 32 * select);
	virtio->accepted |= (uint64_t)features << 32 * select;
}

/* A queue's rules follow from the features, so these come first (3.1.1, step 7). */
void virtio_enable_queue(struct virtio *virtio, struct virtqueue *queue)
{
	if (queue->enabled || !(virtio->status & VIRTIO_FEATURES_OK))
		return;
	if (!virtqueue_enable(queue, virtio_has(virtio, VIRTIO_F_INDIRECT_DESC),
			      virtio_has(virtio, VIRTIO_F_EVENT_IDX)))
		virtio_break_queue(virtio, queue);
}

void virtio_init(struct virtio *virtio, const struct virtio_setup *setup)
{
	virtio->setup = *setup;
	virtio->offered = setup->features | common_features();
	virtio->config_vector = VIRTIO_NO_VECTOR;
	for (unsigned i = 0; i < setup->queues; i++)
		virtqueue_reset(&virtio->queue[i], setup->memory);
}
