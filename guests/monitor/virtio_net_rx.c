/* virtio_net_rx.c: from the network to the guest's buffers. On the measured path. */
#include "virtio_net.h"

#define HEADER ((uint32_t)sizeof(struct virtio_net_header))

#define BIT(feature) (1ull << VIRTIO_NET_F_##feature)

enum result { BROKEN = -2, NO_BUFFERS = -1, DROPPED = 0, DELIVERED = 1 };

/* ---- what is wanted ---------------------------------------------------------------------------------------- */

/* The feature that a type of unsegmented TCP takes; all bits for what no guest takes. */
static uint64_t feature_of(uint8_t gso_type)
{
	switch (gso_type & (uint8_t)~BH_GSO_ECN) {
	case BH_GSO_TCPV4: return BIT(GUEST_TSO4);
	case BH_GSO_TCPV6: return BIT(GUEST_TSO6);
	}
	return UINT64_MAX;
}

/* Is it a frame that this guest understands? What it takes may have changed since the service looked. */
static bool is_understood(const struct virtio_net *net, const struct bh_frame *frame)
{
	uint64_t needs = 0;

	if (frame->flags & BH_FRAME_NEEDS_CHECKSUM) {
		if (frame->csum_start + frame->csum_offset + 2u > frame->bytes)
			return false;
		needs |= BIT(GUEST_CSUM);
	}
	if (frame->gso_type != BH_GSO_NONE) {
		needs |= feature_of(frame->gso_type);
		if (frame->gso_type & BH_GSO_ECN)
			needs |= BIT(GUEST_ECN);
	}
	return !(needs & ~net->offloads);
}

/* The pair that the frame belongs to; -1 if the guest does not want it. */
static int choose_pair(const struct virtio_net *net, const struct bh_frame *frame)
{
	uint32_t bytes = net->active > 1 ? VIRTIO_NET_FLOW_BYTES : 8;
	uint8_t start[VIRTIO_NET_FLOW_BYTES];

	if (net->active == 1 && net->filter.promiscuous)
		return 0;
	if (bytes > frame->bytes)
		bytes = frame->bytes;
	frames_get(&net->in, 0, start, bytes);
	if (!virtio_net_filter_wants(&net->filter, virtio_net_address(start)))
		return -1;
	return net->active > 1 ? net->flows.pair[virtio_net_flow(start, bytes)] % net->active : 0;
}

/* ---- buffers ----------------------------------------------------------------------------------------------- */

/*
 * Takes buffers for `need` bytes: one, or with mergeable ones (5.1.6.4) as many as it takes, and returns how many. If
 * they are not enough none is taken; the driver is then asked to notify.
 */
static int take_buffers(struct virtio_net *net, struct virtqueue *queue, uint32_t need)
{
	unsigned most = virtio_has(&net->virtio, VIRTIO_NET_F_MRG_RXBUF) ? queue->size : 1, segments = 0, count = 0;
	uint16_t available = queue->available;
	struct virtqueue_chain chain;
	uint64_t bytes = 0;

	while (count < most && segments < VIRTQUEUE_SEGMENTS) {
		switch (virtqueue_take(queue, net->segment + segments, &chain)) {
		case VIRTQUEUE_EMPTY:
			if (!virtqueue_listen(queue))
				continue;
			virtqueue_put_back(queue, available);
			return NO_BUFFERS;
		case VIRTQUEUE_BROKEN: virtio_break_queue(&net->virtio, queue); return BROKEN;
		case VIRTQUEUE_TAKEN: break;
		}
		if (chain.readable) {
			virtio_break(&net->virtio, "a buffer to receive into is to be read");
			return BROKEN;
		}
		net->buffer[count++] = (struct virtio_net_buffer){ chain.writable_bytes, chain.head };
		segments += chain.writable;
		bytes += chain.writable_bytes;
		if (bytes >= need)
			return (int)count;
	}
	virtqueue_put_back(queue, available); /* even all of them are too small: the frame cannot be had */
	return DROPPED;
}

/* Header and frame into the segments, which have room for them. */
static inline void fill(struct virtio_net *net, const struct virtio_net_header *header, uint32_t bytes)
{
	const uint8_t *from = (const uint8_t *)header;
	uint32_t header_left = HEADER, offset = 0;

	for (const struct virtqueue_segment *segment = net->segment; offset < bytes; segment++) {
		uint8_t *at = segment->at;
		uint32_t left = segment->bytes, part = header_left < left ? header_left : left;

		if (part == HEADER)
			__builtin_memcpy(at, from, HEADER);
		else if (part)
			memcpy(at, from + HEADER - header_left, part);
		header_left -= part;
		left -= part;
		if (left > bytes - offset)
			left = bytes - offset;
		if (left)
			frames_get(&net->in, offset, at + part, left);
		offset += left;
	}
}

static void give_back(struct virtio_net *net, struct virtqueue *queue, unsigned count, uint32_t bytes)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t part = bytes < net->buffer[i].bytes ? bytes : net->buffer[i].bytes;

		virtqueue_push(queue, net->buffer[i].head, part);
		bytes -= part;
	}
}

/* ---- frames ------------------------------------------------------------------------------------------------ */

static enum result deliver(struct virtio_net *net, const struct bh_frame *frame, unsigned pair)
{
	struct virtqueue *queue = virtio_net_rx(net, pair);
	uint8_t flags = net->offloads & BIT(GUEST_CSUM) ? BH_FRAME_NEEDS_CHECKSUM | BH_FRAME_CHECKSUM_GOOD : 0;
	struct virtio_net_header header = { frame->flags & flags,
					    frame->gso_type,
					    frame->header_bytes,
					    frame->gso_size,
					    frame->csum_start,
					    frame->csum_offset,
					    0 };
	int count;

	if (!queue->enabled)
		return DROPPED;
	count = take_buffers(net, queue, HEADER + frame->bytes);
	if (count <= 0)
		return count;
	header.buffers = (uint16_t)count;
	fill(net, &header, frame->bytes);
	give_back(net, queue, (unsigned)count, HEADER + frame->bytes);
	return DELIVERED;
}

/* False if there is nothing more to do now. */
static bool receive_next(struct virtio_net *net)
{
	struct bh_frame frame;
	enum result result = DROPPED;
	int pair;

	if (!frames_next(&net->in, &frame, &net->broken_rings))
		return !frames_may_sleep(&net->in);
	pair = choose_pair(net, &frame);
	if (pair >= 0) {
		if (is_understood(net, &frame))
			result = deliver(net, &frame, (unsigned)pair);
		net->dropped += result == DROPPED;
	}
	if (result == NO_BUFFERS || result == BROKEN) {
		net->waits_for_buffers = true;
		return false;
	}
	frames_done(&net->in, &frame);
	return true;
}

void virtio_net_receive(struct virtio_net *net)
{
	unsigned done = 0;

	net->waits_for_buffers = false;
	while (done < VIRTIO_NET_BUDGET && receive_next(net))
		done++;
	for (unsigned pair = 0; pair < net->active; pair++)
		virtio_publish(&net->virtio, virtio_net_rx(net, pair));
	if (done == VIRTIO_NET_BUDGET)
		net->due |= VIRTIO_NET_DUE_RECEIVE;
}
