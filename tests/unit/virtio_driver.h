/* virtio_driver.h: the driver's end of virtqueues, for tests; the guest's RAM is an array. No test framework in here.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "guests/monitor/virtqueue.h"

#define DRIVER_RAM	(1u << 21)
#define DRIVER_NEXT	1u
#define DRIVER_WRITE	2u
#define DRIVER_INDIRECT 4u

struct driver_descriptor {
	uint64_t address;
	uint32_t bytes;
	uint16_t flags, next;
};

struct driver_queue {
	uint16_t size, available, used;
	uint64_t descriptors, driver, device; /* guest-physical */
};

static uint8_t *driver_ram; /* from the heap, so that the sanitizer sees a step outside */
static struct guest_memory driver_memory;

static inline void driver_reset(void)
{
	free(driver_ram);
	driver_ram = aligned_alloc(4096, DRIVER_RAM);
	memset(driver_ram, 0, DRIVER_RAM);
	guest_memory_init(&driver_memory, driver_ram, DRIVER_RAM);
}

static inline void driver_put16(uint64_t address, uint16_t value) { memcpy(driver_ram + address, &value, 2); }

static inline uint16_t driver_get16(uint64_t address)
{
	uint16_t value;

	memcpy(&value, driver_ram + address, 2);
	return value;
}

/* A queue whose three areas begin at `address`, in 16 KiB. */
static inline struct driver_queue driver_queue(uint64_t address, uint16_t size)
{
	return (struct driver_queue){ size, 0, 0, address, address + 0x2000, address + 0x3000 };
}

static inline void driver_describe(const struct driver_queue *queue, unsigned index, uint64_t address, uint32_t bytes,
				   uint16_t flags, uint16_t next)
{
	struct driver_descriptor descriptor = { address, bytes, flags, next };

	memcpy(driver_ram + queue->descriptors + 16 * index, &descriptor, 16);
}

/* Makes the chain that begins at `head` available. */
static inline void driver_offer(struct driver_queue *queue, uint16_t head)
{
	driver_put16(queue->driver + 4 + 2 * (queue->available % queue->size), head);
	driver_put16(queue->driver + 2, ++queue->available);
}

/* One buffer of one descriptor, which has the buffer's number. */
static inline void driver_offer_one(struct driver_queue *queue, uint16_t index, uint64_t address, uint32_t bytes,
				    bool write)
{
	driver_describe(queue, index, address, bytes, write ? DRIVER_WRITE : 0, 0);
	driver_offer(queue, index);
}

/* What the device gave back next; false: nothing. */
static inline bool driver_take(struct driver_queue *queue, uint32_t *head, uint32_t *bytes)
{
	uint64_t element = queue->device + 4 + 8 * (queue->used % queue->size);

	if (driver_get16(queue->device + 2) == queue->used)
		return false;
	memcpy(head, driver_ram + element, 4);
	memcpy(bytes, driver_ram + element + 4, 4);
	queue->used++;
	return true;
}

static inline void driver_set_used_event(const struct driver_queue *queue, uint16_t index)
{
	driver_put16(queue->driver + 4 + 2 * queue->size, index);
}

static inline uint16_t driver_avail_event(const struct driver_queue *queue)
{
	return driver_get16(queue->device + 4 + 8 * queue->size);
}
