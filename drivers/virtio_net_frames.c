#include "virtio_net.h"

/* struct virtio_net_hdr: 5.1.6. */
#define HEADER_NEEDS_CSUM 0x1u
#define HEADER_GSO_AT	  1u
#define FRAME_MIN	  14u
#define RX_RELEASE	  32u

/* ---- receiving --------------------------------------------------------------------------------- */

static uint8_t *rx_data(struct virtio_net *v, uint16_t id)
{
	return v->rx_buffers.data + (size_t)id * v->rx_buffers.bytes;
}

static void give_back(struct nic *nic, struct virtio_net *v, uint16_t id)
{
	virtio_queue_add(&v->rx, id, v->rx_buffers.bytes);
	if ((uint16_t)(v->rx.added - v->rx.told) >= RX_RELEASE)
		virtio_queue_tell(nic, &v->pci, &v->rx);
}

/* No offload was agreed upon: a frame that needs one is not a frame. */
static bool acceptable(struct nic *nic, struct virtio_net *v, uint16_t id, uint32_t bytes)
{
	const volatile uint8_t *header = rx_data(v, id);

	if (bytes > VIRTIO_NET_HEADER_BYTES + nic->mtu + NIC_HEADERS) {
		nic->counters.rx_oversize++;
		return false;
	}
	if (bytes < VIRTIO_NET_HEADER_BYTES + FRAME_MIN || header[0] & HEADER_NEEDS_CSUM || header[HEADER_GSO_AT]) {
		nic->counters.rx_errors++;
		return false;
	}
	return true;
}

static bool take(struct nic *nic, struct virtio_net *v)
{
	uint32_t bytes;
	uint16_t id;

	for (uint32_t i = 0; i < VIRTIO_QUEUE_MAX && virtio_queue_take(nic, &v->rx, &id, &bytes); i++) {
		if (bytes > v->rx_buffers.bytes) {
			nic_fail(nic, NIC_STOPPED, "breaks the rules: %u bytes in a buffer of %u", bytes,
				 v->rx_buffers.bytes);
			return false;
		}
		if (acceptable(nic, v, id, bytes)) {
			v->holds = true;
			v->rx_id = id;
			v->rx_bytes = bytes - VIRTIO_NET_HEADER_BYTES;
			return true;
		}
		give_back(nic, v, id);
	}
	return false;
}

bool virtio_net_next(struct nic *nic, const uint8_t **data, uint32_t *bytes)
{
	struct virtio_net *v = virtio_net_of(nic);

	if (!v->holds && !take(nic, v))
		return false;
	*data = rx_data(v, v->rx_id) + VIRTIO_NET_HEADER_BYTES;
	*bytes = v->rx_bytes;
	return true;
}

void virtio_net_done(struct nic *nic)
{
	struct virtio_net *v = virtio_net_of(nic);

	if (!v->holds)
		return;
	v->holds = false;
	nic->counters.rx_frames++;
	nic->counters.rx_bytes += v->rx_bytes;
	give_back(nic, v, v->rx_id);
}

/* ---- sending ----------------------------------------------------------------------------------- */

void virtio_net_flush(struct nic *nic)
{
	struct virtio_net *v = virtio_net_of(nic);

	virtio_queue_tell(nic, &v->pci, &v->rx);
	virtio_queue_tell(nic, &v->pci, &v->tx);
}

void virtio_net_reclaim(struct nic *nic, struct virtio_net *v)
{
	uint32_t bytes;
	uint16_t id;

	while (virtio_queue_take(nic, &v->tx, &id, &bytes))
		;
}

/* The buffers are filled in turn, whatever the order in which they come back. */
bool virtio_net_room(struct nic *nic, struct virtio_net *v)
{
	if (v->tx.theirs[v->tx_next])
		virtio_net_reclaim(nic, v);
	return nic->state == NIC_RUNS && !v->tx.theirs[v->tx_next];
}

void *virtio_net_reserve(struct nic *nic, uint32_t bytes)
{
	struct virtio_net *v = virtio_net_of(nic);

	(void)bytes; /* every buffer takes the longest frame */
	if (!virtio_net_room(nic, v)) {
		if (nic->state != NIC_RUNS)
			return NULL;
		virtio_net_flush(nic);
		if (!virtio_net_room(nic, v)) {
			v->tx_waits = true;
			nic->counters.tx_full++;
			return NULL;
		}
	}
	return v->tx_buffers.data + (size_t)v->tx_next * v->tx_buffers.bytes + VIRTIO_NET_HEADER_BYTES;
}

/* The header before the frame is zero from the start. */
void virtio_net_commit(struct nic *nic, uint32_t bytes)
{
	struct virtio_net *v = virtio_net_of(nic);

	if (v->tx.theirs[v->tx_next] || bytes > nic->mtu + NIC_HEADERS)
		return;
	virtio_queue_add(&v->tx, v->tx_next, VIRTIO_NET_HEADER_BYTES + bytes);
	v->tx_next = (uint16_t)(v->tx_next + 1 < v->tx.buffers ? v->tx_next + 1 : 0);
	nic->counters.tx_frames++;
	nic->counters.tx_bytes += bytes;
}
