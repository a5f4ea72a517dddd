/* virtio_net_tx.c: from the guest's buffers to the network. On the measured path. */
#include "virtio_net.h"

#define HEADER ((uint32_t)sizeof(struct virtio_net_header))

#define BIT(feature) (1ull << VIRTIO_NET_F_##feature)

/* The feature that allows this type of segmentation; 0: none does. */
static uint64_t feature_of(uint8_t gso_type)
{
	switch (gso_type) {
	case BH_GSO_TCPV4: return BIT(HOST_TSO4);
	case BH_GSO_TCPV6: return BIT(HOST_TSO6);
	}
	return 0;
}

/* Segmentation, with all that goes with it (5.1.6.2). */
static bool describe_segments(uint64_t features, const struct virtio_net_header *header, struct bh_frame *frame)
{
	if (!(features & feature_of(header->gso_type & (uint8_t)~BH_GSO_ECN)))
		return false;
	if (header->gso_type & BH_GSO_ECN && !(features & BIT(HOST_ECN)))
		return false;
	if (!header->gso_size || !(header->flags & BH_FRAME_NEEDS_CHECKSUM))
		return false;
	frame->gso_type = header->gso_type;
	frame->gso_size = header->gso_size;
	frame->header_bytes = header->header_bytes;
	return true;
}

/* From the driver's header to the ring's; false if it cannot be. */
static bool describe(uint64_t features, const struct virtio_net_header *header, struct bh_frame *frame)
{
	if (frame->bytes < BH_FRAME_MIN || frame->bytes > BH_FRAME_MAX)
		return false;
	if (header->flags & BH_FRAME_NEEDS_CHECKSUM) {
		if (!(features & BIT(CSUM)) || header->csum_start + header->csum_offset + 2u > frame->bytes)
			return false;
		frame->flags = BH_FRAME_NEEDS_CHECKSUM;
		frame->csum_start = header->csum_start;
		frame->csum_offset = header->csum_offset;
	}
	return header->gso_type == BH_GSO_NONE || describe_segments(features, header, frame);
}

static inline bool get_header(const struct virtqueue_chain *chain, struct virtio_net_header *header)
{
	if (chain->readable && chain->segment->bytes >= HEADER) {
		__builtin_memcpy(header, chain->segment->at, HEADER);
		/* Only the copy is looked at, whatever the compiler knows about memcpy. */
		atomic_signal_fence(memory_order_seq_cst);
		return true;
	}
	return virtqueue_read(chain, 0, header, HEADER);
}

static inline void put_frame(struct frames *to, const struct virtqueue_chain *chain)
{
	uint32_t skip = HEADER, offset = 0;

	for (unsigned i = 0; i < chain->readable; i++) {
		const struct virtqueue_segment *segment = &chain->segment[i];

		if (skip >= segment->bytes) {
			skip -= segment->bytes;
			continue;
		}
		frames_put(to, offset, segment->at + skip, segment->bytes - skip);
		offset += segment->bytes - skip;
		skip = 0;
	}
}

/* The flow's frames are to come back to the pair that it was sent by. */
static void note_flow(struct virtio_net *net, const struct virtqueue_chain *chain, uint32_t bytes, unsigned pair)
{
	uint8_t start[VIRTIO_NET_FLOW_BYTES];

	if (bytes > sizeof(start))
		bytes = sizeof(start);
	if (virtqueue_read(chain, HEADER, start, bytes))
		net->flows.pair[virtio_net_flow(start, bytes)] = (uint8_t)pair;
}

/* False if nothing more can be sent now: the chain is then still the driver's next one. */
static bool send(struct virtio_net *net, struct virtqueue *queue, const struct virtqueue_chain *chain, unsigned pair)
{
	struct virtio_net_header header;
	struct bh_frame frame = { .bytes = chain->readable_bytes - HEADER };

	if (!get_header(chain, &header)) {
		virtio_break(&net->virtio, "a buffer to send is shorter than its header");
		return false;
	}
	if (!describe(net->virtio.accepted, &header, &frame)) {
		net->dropped++;
	} else {
		if (!frames_room(&net->out, frame.bytes)) {
			net->waits_for_room = true;
			return false;
		}
		put_frame(&net->out, chain);
		frames_commit(&net->out, &frame);
		if (net->active > 1)
			note_flow(net, chain, frame.bytes, pair);
	}
	virtqueue_push(queue, chain->head, 0);
	return true;
}

/* One chain, if there is one. */
static bool transmit_next(struct virtio_net *net, struct virtqueue *queue, unsigned pair)
{
	uint16_t available = queue->available;
	struct virtqueue_chain chain;

	if (virtqueue_is_empty(queue))
		return !virtqueue_listen(queue);
	if (virtqueue_take(queue, net->segment, &chain) != VIRTQUEUE_TAKEN) {
		virtio_break_queue(&net->virtio, queue);
		return false;
	}
	if (send(net, queue, &chain, pair))
		return true;
	virtqueue_put_back(queue, available);
	return false;
}

/*
 * The driver hears of what was sent a little later, of several frames at once: an interrupt before the frame is with
 * its receiver would only delay it. A quarter of the queue is given back at once, so that it never runs dry.
 */
static void complete(struct virtio_net *net, struct virtqueue *queue)
{
	if ((uint16_t)(queue->used - queue->published) >= queue->size / 4)
		virtio_publish(&net->virtio, queue);
	else if (queue->used != queue->published && net->complete == BH_FOREVER)
		net->complete = bh_rdtsc() + net->completion;
}

void virtio_net_complete(struct virtio_net *net)
{
	bh_lock(&net->virtio.function.lock);
	net->complete = BH_FOREVER;
	for (unsigned pair = 0; pair < net->config.pairs; pair++)
		virtio_publish(&net->virtio, virtio_net_tx(net, pair));
	bh_unlock(&net->virtio.function.lock);
}

static void transmit_queue(struct virtio_net *net, struct virtqueue *queue, unsigned pair)
{
	unsigned done = 0;

	while (done < VIRTIO_NET_BUDGET && transmit_next(net, queue, pair))
		done++;
	complete(net, queue);
	if (done == VIRTIO_NET_BUDGET)
		net->due |= VIRTIO_NET_DUE_SEND;
}

void virtio_net_transmit(struct virtio_net *net)
{
	net->waits_for_room = false;
	for (unsigned pair = 0; pair < net->active; pair++)
		if (virtio_net_tx(net, pair)->enabled)
			transmit_queue(net, virtio_net_tx(net, pair), pair);
}
