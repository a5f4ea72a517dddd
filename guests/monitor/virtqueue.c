/* virtqueue.c: rings and chains. Names are those of virtio 1.1, 2.6. On the measured path. */
#include "virtqueue.h"
#include "guests/lib/bh_string.h"

struct descriptor {
	uint64_t address;
	uint32_t bytes;
	uint16_t flags, next;
};
_Static_assert(sizeof(struct descriptor) == 16, "virtio 1.1, 2.6.5");

struct used_element {
	uint32_t id, bytes;
};

#define DESCRIPTOR_NEXT	    1u
#define DESCRIPTOR_WRITE    2u
#define DESCRIPTOR_INDIRECT 4u

#define AVAILABLE_NO_INTERRUPT 1u
#define USED_NO_NOTIFY	       1u

/* The driver area and the device area: flags, idx, ring; behind the ring the other side's event index (2.6.6, 2.6.8).
 */
#define RING_FLAGS 0
#define RING_INDEX 2
#define RING	   4

/* ---- words in the guest's memory --------------------------------------------------------------------- */

static inline uint16_t load(const uint8_t *at)
{
	return atomic_load_explicit((const _Atomic uint16_t *)at, memory_order_acquire);
}

static inline void store(uint8_t *at, uint16_t value)
{
	atomic_store_explicit((_Atomic uint16_t *)at, value, memory_order_release);
}

static inline unsigned slot(const struct virtqueue *queue, uint16_t index) { return index & (queue->size - 1u); }

static inline uint8_t *used_event(const struct virtqueue *queue) { return queue->driver + RING + 2 * queue->size; }

static inline uint8_t *avail_event(const struct virtqueue *queue) { return queue->device + RING + 8 * queue->size; }

static bool refuse(struct virtqueue *queue, const char *rule)
{
	queue->broken = rule;
	return false;
}

/* ---- set-up -------------------------------------------------------------------------------------------- */

void virtqueue_reset(struct virtqueue *queue, const struct guest_memory *memory)
{
	*queue = (struct virtqueue){ .memory = memory, .size = VIRTQUEUE_SIZE, .vector = 0xffff };
}

static uint8_t *area(const struct virtqueue *queue, unsigned which, uint32_t bytes, uint64_t align)
{
	if (queue->address[which] % align)
		return NULL;
	return guest_memory_at(queue->memory, queue->address[which], bytes);
}

/* Alignments: the table in 2.6. The event indices count as well, negotiated or not: there is always room. */
bool virtqueue_enable(struct virtqueue *queue, bool indirect, bool event_index)
{
	queue->descriptors = area(queue, 0, 16u * queue->size, 16);
	queue->driver = area(queue, 1, 6 + 2u * queue->size, 2);
	queue->device = area(queue, 2, 6 + 8u * queue->size, 4);
	if (!queue->descriptors || !queue->driver || !queue->device)
		return refuse(queue, "its rings are not aligned or not in memory");
	queue->indirect = indirect;
	queue->event_index = event_index;
	queue->listening = !event_index; /* the driver has cleared the flags */
	queue->enabled = true;
	return true;
}

/* ---- taking -------------------------------------------------------------------------------------------- */

/* The guest may change it meanwhile: only the copy is looked at, whatever the compiler knows about memcpy. */
static inline struct descriptor fetch(const uint8_t *table, unsigned index)
{
	struct descriptor descriptor;

	__builtin_memcpy(&descriptor, table + 16 * index, sizeof(descriptor));
	atomic_signal_fence(memory_order_seq_cst);
	return descriptor;
}

static bool add(struct virtqueue *queue, const struct descriptor *descriptor, struct virtqueue_segment *segment,
		struct virtqueue_chain *chain)
{
	bool write = descriptor->flags & DESCRIPTOR_WRITE;
	uint32_t *bytes = write ? &chain->writable_bytes : &chain->readable_bytes;
	unsigned used = chain->readable + chain->writable;
	uint8_t *at = guest_memory_at(queue->memory, descriptor->address, descriptor->bytes);

	if (used == VIRTQUEUE_SEGMENTS)
		return refuse(queue, "a chain is too long");
	if (!at)
		return refuse(queue, descriptor->bytes ? "a buffer is not in memory" : "a buffer has no bytes");
	if (!write && chain->writable)
		return refuse(queue, "a buffer to read is behind one to write");
	if (descriptor->bytes > UINT32_MAX - *bytes)
		return refuse(queue, "a chain has more than 4 GiB");
	segment[used] = (struct virtqueue_segment){ at, descriptor->bytes };
	*bytes += descriptor->bytes;
	*(write ? &chain->writable : &chain->readable) += 1;
	return true;
}

/* Follows a chain from `index` in a table of `entries`. An indirect descriptor, which ends it, goes to `indirect`. */
static bool follow(struct virtqueue *queue, const uint8_t *table, unsigned entries, unsigned index,
		   struct virtqueue_segment *segment, struct virtqueue_chain *chain, struct descriptor *indirect)
{
	for (unsigned steps = 0; steps < entries; steps++) {
		if (index >= entries)
			return refuse(queue, "a descriptor's number is too large");

		struct descriptor descriptor = fetch(table, index);

		if (descriptor.flags & DESCRIPTOR_INDIRECT) {
			*indirect = descriptor;
			return true;
		}
		if (!add(queue, &descriptor, segment, chain))
			return false;
		if (!(descriptor.flags & DESCRIPTOR_NEXT))
			return true;
		index = descriptor.next;
	}
	return refuse(queue, "a chain is a loop");
}

/* 2.6.5.3: a table of its own. */
static bool follow_indirect(struct virtqueue *queue, const struct descriptor *descriptor,
			    struct virtqueue_segment *segment, struct virtqueue_chain *chain)
{
	const uint8_t *table = guest_memory_at(queue->memory, descriptor->address, descriptor->bytes);
	struct descriptor nested = { 0 };

	if (!queue->indirect)
		return refuse(queue, "an indirect descriptor was not negotiated");
	if (descriptor->flags & DESCRIPTOR_NEXT)
		return refuse(queue, "an indirect descriptor has a next one");
	if (!table)
		return refuse(queue, "an indirect table is not in memory");
	if (descriptor->bytes % sizeof(struct descriptor))
		return refuse(queue, "an indirect table's length is not a multiple of 16");
	if (!follow(queue, table, descriptor->bytes / sizeof(struct descriptor), 0, segment, chain, &nested))
		return false;
	return !nested.flags || refuse(queue, "an indirect table holds an indirect descriptor");
}

/* Not inlined, so that a chain of one descriptor need not save registers for this. */
static __attribute__((noinline)) bool walk_many(struct virtqueue *queue, struct virtqueue_segment *segment,
						struct virtqueue_chain *chain)
{
	struct descriptor indirect = { 0 };

	if (!follow(queue, queue->descriptors, queue->size, chain->head, segment, chain, &indirect))
		return false;
	return !indirect.flags || follow_indirect(queue, &indirect, segment, chain);
}

/* Most chains are one descriptor. Whatever is not in order with that one is found, and named, by the long way. */
static inline bool walk(struct virtqueue *queue, struct virtqueue_segment *segment, struct virtqueue_chain *chain)
{
	struct descriptor descriptor;

	if (chain->head >= queue->size)
		return walk_many(queue, segment, chain);
	descriptor = fetch(queue->descriptors, chain->head);
	segment->at = guest_memory_at(queue->memory, descriptor.address, descriptor.bytes);
	segment->bytes = descriptor.bytes;
	if (!segment->at || descriptor.flags & (DESCRIPTOR_NEXT | DESCRIPTOR_INDIRECT))
		return walk_many(queue, segment, chain);
	if (descriptor.flags & DESCRIPTOR_WRITE) {
		chain->writable = 1;
		chain->writable_bytes = descriptor.bytes;
	} else {
		chain->readable = 1;
		chain->readable_bytes = descriptor.bytes;
	}
	return true;
}

/* The event index has passed by itself. The flag is only a hint (2.6.7), so it is not set before something came. */
static void stop_listening(struct virtqueue *queue)
{
	queue->listening = false;
	if (!queue->event_index)
		store(queue->device + RING_FLAGS, USED_NO_NOTIFY);
}

enum virtqueue_result virtqueue_take(struct virtqueue *queue, struct virtqueue_segment *segment,
				     struct virtqueue_chain *chain)
{
	uint16_t waiting;

	if (queue->broken)
		return VIRTQUEUE_BROKEN;
	waiting = load(queue->driver + RING_INDEX) - queue->available;
	if (!waiting)
		return VIRTQUEUE_EMPTY;
	if (waiting > queue->size) {
		refuse(queue, "the available index is too far ahead");
		return VIRTQUEUE_BROKEN;
	}
	if (queue->listening)
		stop_listening(queue);
	*chain = (struct virtqueue_chain){ .segment = segment };
	chain->head = load(queue->driver + RING + 2 * slot(queue, queue->available));
	if (!walk(queue, segment, chain))
		return VIRTQUEUE_BROKEN;
	queue->available++;
	return VIRTQUEUE_TAKEN;
}

bool virtqueue_listen(struct virtqueue *queue)
{
	if (!queue->listening && queue->event_index)
		store(avail_event(queue), queue->available);
	else if (!queue->listening)
		store(queue->device + RING_FLAGS, 0);
	queue->listening = true;
	/* The driver first publishes, then looks whether to notify; here it is the other way round. */
	atomic_thread_fence(memory_order_seq_cst);
	return virtqueue_is_empty(queue);
}

/* ---- giving back ---------------------------------------------------------------------------------------- */

void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t bytes)
{
	struct used_element *element = (struct used_element *)(queue->device + RING) + slot(queue, queue->used++);

	*element = (struct used_element){ head, bytes };
}

bool virtqueue_publish(struct virtqueue *queue)
{
	uint16_t before = queue->published, now = queue->used;

	if (before == now)
		return false;
	queue->published = now;
	store(queue->device + RING_INDEX, now);
	atomic_thread_fence(memory_order_seq_cst);
	if (!queue->event_index)
		return !(load(queue->driver + RING_FLAGS) & AVAILABLE_NO_INTERRUPT);
	/* Has the index passed the one that the driver named (2.6.7.2)? */
	return (uint16_t)(now - load(used_event(queue)) - 1) < (uint16_t)(now - before);
}

bool virtqueue_read(const struct virtqueue_chain *chain, uint32_t offset, void *to, uint32_t bytes)
{
	uint8_t *next = to;

	if (offset > chain->readable_bytes || bytes > chain->readable_bytes - offset)
		return false;
	for (const struct virtqueue_segment *segment = chain->segment; bytes; segment++) {
		if (offset >= segment->bytes) {
			offset -= segment->bytes;
			continue;
		}
		uint32_t left = segment->bytes - offset, part = bytes < left ? bytes : left;

		memcpy(next, segment->at + offset, part);
		next += part;
		bytes -= part;
		offset = 0;
	}
	return true;
}
