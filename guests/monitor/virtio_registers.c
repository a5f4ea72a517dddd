/* virtio_registers.c: one function for what is read, one for what is written, of each kind. */
#include "virtio_registers.h"

/* Offsets of the fields of struct virtio_pci_common_cfg. */
#define DEVICE_FEATURE_SELECT 0x00
#define DEVICE_FEATURE	      0x04
#define DRIVER_FEATURE_SELECT 0x08
#define DRIVER_FEATURE	      0x0c
#define CONFIG_VECTOR	      0x10
#define QUEUES		      0x12
#define STATUS		      0x14
#define GENERATION	      0x15
#define QUEUE_SELECT	      0x16
#define QUEUE_SIZE	      0x18
#define QUEUE_VECTOR	      0x1a
#define QUEUE_ENABLE	      0x1c
#define QUEUE_NOTIFY	      0x1e
#define QUEUE_ADDRESSES	      0x20
#define END		      VIRTIO_REGISTERS_BYTES

static uint32_t features(uint64_t all, uint32_t select) { return select < 2 ? (uint32_t)(all >> 32 * select) : 0; }

/* NULL: the driver has selected one that there is not. */
static const struct virtqueue *selected(const struct virtio *virtio)
{
	return virtio->queue_select < virtio->setup.queues ? &virtio->queue[virtio->queue_select] : NULL;
}

static uint64_t read_queue(const struct virtio *virtio, const struct virtqueue *queue, uint32_t offset)
{
	switch (offset) {
	case QUEUE_SIZE: return queue->size;
	case QUEUE_VECTOR: return queue->vector;
	case QUEUE_ENABLE: return queue->enabled;
	case QUEUE_NOTIFY: return virtio->queue_select;
	}
	if (offset < QUEUE_ADDRESSES || offset >= END || offset % 4)
		return 0;
	return queue->address[(offset - QUEUE_ADDRESSES) / 8] >> offset % 8 * 8;
}

uint64_t virtio_registers_read(const struct virtio *virtio, uint32_t offset)
{
	switch (offset) {
	case DEVICE_FEATURE_SELECT: return virtio->offered_select;
	case DEVICE_FEATURE: return features(virtio->offered, virtio->offered_select);
	case DRIVER_FEATURE_SELECT: return virtio->accepted_select;
	case DRIVER_FEATURE: return features(virtio->accepted, virtio->accepted_select);
	case CONFIG_VECTOR: return virtio->config_vector;
	case QUEUES: return virtio->setup.queues;
	case STATUS: return virtio->status;
	case GENERATION: return virtio->generation;
	case QUEUE_SELECT: return virtio->queue_select;
	}
	return selected(virtio) ? read_queue(virtio, selected(virtio), offset) : 0;
}

/* A vector that there is not reads back as none (4.1.5.1.2.1). */
static uint16_t vector(const struct virtio *virtio, uint64_t value)
{
	return value < virtio->msix.vectors ? (uint16_t)value : VIRTIO_NO_VECTOR;
}

static void write_address(struct virtqueue *queue, uint32_t offset, unsigned size, uint64_t value)
{
	uint64_t *address = &queue->address[(offset - QUEUE_ADDRESSES) / 8];
	unsigned shift = offset % 8 * 8;

	if (size == 8)
		*address = value;
	else
		*address = (*address & ~(0xffffffffull << shift)) | (value & 0xffffffff) << shift;
}

/* Size and addresses are those of the time when the queue was enabled. */
static void write_queue(struct virtio *virtio, struct virtqueue *queue, uint32_t offset, unsigned size, uint64_t value)
{
	if (offset == QUEUE_VECTOR && size == 2)
		queue->vector = vector(virtio, value);
	else if (offset == QUEUE_ENABLE && size == 2 && value == 1)
		virtio_enable_queue(virtio, queue);
	if (queue->enabled)
		return;
	if (offset == QUEUE_SIZE && size == 2 && value && value <= VIRTQUEUE_SIZE && !(value & (value - 1)))
		queue->size = (uint16_t)value;
	else if (offset >= QUEUE_ADDRESSES && offset < END && size >= 4 && offset % size == 0)
		write_address(queue, offset, size, value);
}

static void write_word(struct virtio *virtio, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case DEVICE_FEATURE_SELECT: virtio->offered_select = value; return;
	case DRIVER_FEATURE_SELECT: virtio->accepted_select = value; return;
	case DRIVER_FEATURE: virtio_set_features(virtio, virtio->accepted_select, value); return;
	}
}

void virtio_registers_write(struct virtio *virtio, uint32_t offset, unsigned size, uint64_t value)
{
	if (size == 4 && offset <= DRIVER_FEATURE)
		write_word(virtio, offset, (uint32_t)value);
	else if (size == 2 && offset == CONFIG_VECTOR)
		virtio->config_vector = vector(virtio, value);
	else if (size == 1 && offset == STATUS)
		virtio_set_status(virtio, (uint8_t)value);
	else if (size == 2 && offset == QUEUE_SELECT)
		virtio->queue_select = (uint16_t)value;
	else if (selected(virtio))
		write_queue(virtio, &virtio->queue[virtio->queue_select], offset, size, value);
}
