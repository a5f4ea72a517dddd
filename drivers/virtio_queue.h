/*
 * virtio_queue.h: the driver's end of a split virtqueue (virtio 1.1, 2.6) in which each descriptor has its own buffer
 * and stands alone. Which descriptors the device has is known here and not read from what it can write.
 */
#pragma once
#include <stdatomic.h>
#include "virtio_pci.h"

#define VIRTIO_QUEUE_MAX   256u
#define VIRTIO_QUEUE_BYTES 8192u /* of memory: for the three parts of 256 */

struct virtio_descriptor {
	uint64_t address;
	uint32_t bytes;
	uint16_t flags, next;
};
struct virtio_available {
	uint16_t flags;
	_Atomic uint16_t index;
	uint16_t ring[]; /* and used_event behind them */
};
struct virtio_used {
	_Atomic uint16_t flags, index;
	struct virtio_used_element {
		_Atomic uint32_t id, bytes;
	} ring[]; /* and avail_event behind them */
};

struct virtio_queue {
	struct virtio_descriptor *descriptors;
	struct virtio_available *available;
	struct virtio_used *used;
	uint64_t dma;
	uint16_t size;			  /* a power of two */
	uint16_t buffers;		  /* descriptors 0 to this are in use */
	uint16_t added, told;		  /* available.index: private, published */
	uint16_t taken;			  /* elements of the used ring that were taken */
	uint16_t outstanding;		  /* what the device has */
	bool event_index;		  /* VIRTIO_F_EVENT_IDX */
	uint16_t index;			  /* of the queue */
	uint32_t notify;		  /* offset */
	uint8_t theirs[VIRTIO_QUEUE_MAX]; /* 1: the device has it */
};

/* Memory for it. Once. False after nic_fail. */
bool virtio_queue_allocate(struct nic *nic, struct virtio_queue *queue);

/*
 * Empties and enables queue `index` of the device, for buffers of `area`, which it may write (`receives`) or read.
 * False after nic_fail.
 */
bool virtio_queue_start(struct nic *nic, struct virtio_pci *pci, struct virtio_queue *queue, uint16_t index,
			const struct nic_buffers *area, bool receives);

/* Hands buffer `id`, which the device does not have, to it: `bytes` of it. virtio_queue_tell makes it known. */
void virtio_queue_add(struct virtio_queue *queue, uint16_t id, uint32_t bytes);
void virtio_queue_tell(struct nic *nic, struct virtio_pci *pci, struct virtio_queue *queue);

/* Something has come back. */
bool virtio_queue_pending(struct virtio_queue *queue);

/*
 * Takes the next buffer back: its number, and how many bytes the device says to have written. False: none, or after
 * nic_fail: one that the device did not have.
 */
bool virtio_queue_take(struct nic *nic, struct virtio_queue *queue, uint16_t *id, uint32_t *bytes);

/* An interrupt comes with the next one, or with none. */
void virtio_queue_interrupt(struct virtio_queue *queue, bool on);
