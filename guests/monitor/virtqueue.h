/*
 * virtqueue.h: the device's end of a split virtqueue (virtio 1.1, 2.6), with indirect descriptors and the event index.
 *
 * The rings and the buffers are the guest's memory, where everything may change at any time: an index or a descriptor
 * is copied once and checked there. A queue that breaks a rule is dead until it is reset: `broken` says which rule.
 *
 * All calls with the device's lock held.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "guest_memory.h"

#define VIRTQUEUE_SIZE	   256 /* entries at most */
#define VIRTQUEUE_SEGMENTS 256 /* of one chain at most, indirect ones included */

/* A piece of a buffer, checked: all of it is RAM. */
struct virtqueue_segment {
	uint8_t *at;
	uint32_t bytes; /* not 0 */
};

/* A chain of descriptors: what the device may read, then what it may write. */
struct virtqueue_chain {
	const struct virtqueue_segment *segment;
	uint16_t head;
	uint16_t readable, writable; /* segments */
	uint32_t readable_bytes, writable_bytes;
};

enum virtqueue_result { VIRTQUEUE_EMPTY, VIRTQUEUE_TAKEN, VIRTQUEUE_BROKEN };

struct virtqueue {
	const struct guest_memory *memory;
	uint8_t *descriptors, *driver, *device; /* the three areas, from virtqueue_enable on */
	uint16_t size;
	bool enabled;
	bool indirect, event_index;
	bool listening;	     /* the driver has been asked to notify of what comes next */
	uint16_t available;  /* the next of the available ring to take */
	uint16_t used;	     /* the next of the used ring to fill */
	uint16_t published;  /* the used ring's index, as the driver sees it */
	uint16_t vector;     /* of MSI-X */
	uint64_t address[3]; /* guest-physical: descriptors, driver (available), device (used) */
	const char *broken;  /* NULL: all is well */
};

/* As it is after a reset: largest size, no addresses, not enabled. */
void virtqueue_reset(struct virtqueue *queue, const struct guest_memory *memory);

/*
 * Takes size and addresses as they are now; the features are those that were negotiated. False, and broken, if the
 * areas are not aligned or not in memory.
 */
bool virtqueue_enable(struct virtqueue *queue, bool indirect, bool event_index);

/* Has the driver made nothing available that was not taken? The index is behind the flags (2.6.6). */
static inline bool virtqueue_is_empty(const struct virtqueue *queue)
{
	return atomic_load_explicit((const _Atomic uint16_t *)(queue->driver + 2), memory_order_acquire) ==
	       queue->available;
}

/*
 * Takes the next chain that the driver made available. Its segments go to `segment`, where there is room for
 * VIRTQUEUE_SEGMENTS.
 */
enum virtqueue_result virtqueue_take(struct virtqueue *queue, struct virtqueue_segment *segment,
				     struct virtqueue_chain *chain);

/* Undoes takes: the next one will be `available` again (a copy of queue->available from before). */
static inline void virtqueue_put_back(struct virtqueue *queue, uint16_t available) { queue->available = available; }

/* Gives a chain back, with `bytes` written to it. The driver does not see it before virtqueue_publish. */
void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t bytes);

/* Shows the driver all that was given back, if there is something. True if it wants an interrupt for it. */
bool virtqueue_publish(struct virtqueue *queue);

/*
 * Asks the driver to notify when it makes the next chain available, and looks once more. False: there is one already.
 * Without this call it is asked for no notifications.
 */
bool virtqueue_listen(struct virtqueue *queue);

/* Copies `bytes` from `offset` of the chain's readable part; false if there are not so many. */
bool virtqueue_read(const struct virtqueue_chain *chain, uint32_t offset, void *to, uint32_t bytes);
