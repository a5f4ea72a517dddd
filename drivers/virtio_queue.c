#include "guests/lib/bh_string.h"
#include "virtio_queue.h"

#define AVAILABLE_AT 4096u /* behind 256 descriptors */
#define USED_AT	     5120u
#define FLAG_WRITE   2u /* 2.6.5: the device writes */
#define NO_INTERRUPT 1u /* available.flags */
#define NO_NOTIFY    1u /* used.flags */

_Static_assert(sizeof(struct virtio_descriptor) * VIRTIO_QUEUE_MAX <= AVAILABLE_AT, "parts overlap");
_Static_assert(AVAILABLE_AT + 6 + 2 * VIRTIO_QUEUE_MAX <= USED_AT, "parts overlap");
_Static_assert(USED_AT + 6 + 8 * VIRTIO_QUEUE_MAX <= VIRTIO_QUEUE_BYTES, "parts overlap");

static _Atomic uint16_t *used_event(struct virtio_queue *q) { return (_Atomic uint16_t *)&q->available->ring[q->size]; }

static _Atomic uint16_t *avail_event(struct virtio_queue *q) { return (_Atomic uint16_t *)&q->used->ring[q->size]; }

bool virtio_queue_allocate(struct nic *nic, struct virtio_queue *q)
{
	uint8_t *memory = nic_memory(nic, VIRTIO_QUEUE_BYTES, 4096, &q->dma);

	if (!memory)
		return false;
	q->descriptors = (void *)memory;
	q->available = (void *)(memory + AVAILABLE_AT);
	q->used = (void *)(memory + USED_AT);
	return true;
}

static void fill_descriptors(struct virtio_queue *q, const struct nic_buffers *area, bool receives)
{
	for (uint32_t i = 0; i < q->buffers; i++) {
		q->descriptors[i].address = area->dma + (uint64_t)i * area->bytes;
		q->descriptors[i].flags = receives ? FLAG_WRITE : 0;
	}
}

/* 2.6: a power of two. More than 256 are not needed. */
static uint16_t size_of(uint16_t offered)
{
	if (offered & (offered - 1))
		return 0;
	return offered < VIRTIO_QUEUE_MAX ? offered : VIRTIO_QUEUE_MAX;
}

bool virtio_queue_start(struct nic *nic, struct virtio_pci *pci, struct virtio_queue *q, uint16_t index,
			const struct nic_buffers *area, bool receives)
{
	struct virtio_queue_place place = { 0 };

	q->index = index;
	q->size = size_of(virtio_pci_queue_size(nic, pci, index));
	if (!q->size) {
		nic_fail(nic, NIC_STOPPED, "has no queue %u, or one of a size that cannot be", index);
		return false;
	}
	memset(q->descriptors, 0, VIRTIO_QUEUE_BYTES);
	memset(q->theirs, 0, sizeof(q->theirs));
	q->buffers = area->count < q->size ? (uint16_t)area->count : q->size;
	q->added = q->told = q->taken = q->outstanding = 0;
	q->event_index = pci->features & VIRTIO_F_EVENT_IDX;
	fill_descriptors(q, area, receives);
	virtio_queue_interrupt(q, false);
	place.size = q->size;
	place.descriptors = q->dma;
	place.driver = q->dma + AVAILABLE_AT;
	place.device = q->dma + USED_AT;
	if (!virtio_pci_queue(nic, pci, &place))
		return false;
	q->notify = place.notify;
	return true;
}

void virtio_queue_add(struct virtio_queue *q, uint16_t id, uint32_t bytes)
{
	q->descriptors[id].bytes = bytes;
	q->available->ring[q->added++ & (q->size - 1)] = id;
	q->theirs[id] = 1;
	q->outstanding++;
}

/* 2.6.10 and 2.6.13.4: whether the device wants to hear of it is read after the index can be seen. */
static bool wants_notice(struct virtio_queue *q, uint16_t before)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (!q->event_index)
		return !(atomic_load_explicit(&q->used->flags, memory_order_relaxed) & NO_NOTIFY);
	return (uint16_t)(q->added - atomic_load_explicit(avail_event(q), memory_order_relaxed) - 1) <
	       (uint16_t)(q->added - before);
}

void virtio_queue_tell(struct nic *nic, struct virtio_pci *pci, struct virtio_queue *q)
{
	uint16_t before = q->told;

	if (q->added == before)
		return;
	atomic_store_explicit(&q->available->index, q->added, memory_order_release);
	q->told = q->added;
	if (wants_notice(q, before))
		virtio_set(nic, &pci->notify, q->notify, 2, q->index);
}

bool virtio_queue_pending(struct virtio_queue *q)
{
	return atomic_load_explicit(&q->used->index, memory_order_acquire) != q->taken;
}

bool virtio_queue_take(struct nic *nic, struct virtio_queue *q, uint16_t *id, uint32_t *bytes)
{
	struct virtio_used_element *element = &q->used->ring[q->taken & (q->size - 1)];
	uint32_t given;

	if (!virtio_queue_pending(q))
		return false;
	given = atomic_load_explicit(&element->id, memory_order_relaxed);
	*bytes = atomic_load_explicit(&element->bytes, memory_order_relaxed);
	if (given >= q->buffers || !q->theirs[given]) {
		nic_fail(nic, NIC_STOPPED, "breaks the rules: buffer %u of queue %u was not its own", given, q->index);
		return false;
	}
	q->theirs[given] = 0;
	q->outstanding--;
	q->taken++;
	*id = (uint16_t)given;
	return true;
}

/* With event indexes "none" is one that has been passed: it counts again after 65,535 more, and costs one then. */
void virtio_queue_interrupt(struct virtio_queue *q, bool on)
{
	if (!q->event_index)
		q->available->flags = on ? 0 : NO_INTERRUPT;
	else if (on)
		atomic_store_explicit(used_event(q), q->taken, memory_order_relaxed);
	else
		atomic_store_explicit(used_event(q), (uint16_t)(q->taken - 1), memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}
