/*
 * virtio_net.h: the parts of the driver of a virtio network device (virtio 1.1, 5.1).
 */
#pragma once
#include "virtio_queue.h"

/* 5.1.6: with VERSION_1 num_buffers is always there. */
#define VIRTIO_NET_HEADER_BYTES 12u

struct virtio_net {
	struct virtio_pci pci;
	struct virtio_queue rx, tx;
	struct nic_buffers rx_buffers, tx_buffers;
	bool holds; /* a frame was taken and not released: */
	uint16_t rx_id;
	uint32_t rx_bytes;
	uint16_t tx_next; /* the buffer to fill */
	bool tx_waits, unbound;
	uint16_t tx_taken_seen;
	uint32_t stuck;
};

static inline struct virtio_net *virtio_net_of(struct nic *nic) { return nic->own; }

/* ---- virtio_net_frames.c: operations, as in nic.h ---------------------------------------------- */

void *virtio_net_reserve(struct nic *nic, uint32_t bytes);
void virtio_net_commit(struct nic *nic, uint32_t bytes);
void virtio_net_flush(struct nic *nic);
bool virtio_net_next(struct nic *nic, const uint8_t **data, uint32_t *bytes);
void virtio_net_done(struct nic *nic);

/* Takes back what was sent. May end in nic_fail. */
void virtio_net_reclaim(struct nic *nic, struct virtio_net *v);

/* Whether the next buffer to fill is free. */
bool virtio_net_room(struct nic *nic, struct virtio_net *v);
