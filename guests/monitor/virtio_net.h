/*
 * virtio_net.h: a network card (virtio 1.1, 5.1) at a port of a network.
 *
 * Between the guest's queues and the rings of the port's channel, which is all that monitor and net service share,
 * every frame is copied once each way. The I/O vCPU does all of it. What there is no room for waits where it is: frames
 * to send in the guest's queue, received ones in the ring.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>
#include "guests/lib/frames.h"
#include "guests/lib/signals.h"
#include "virtio_net_filter.h"
#include "virtio_net_flow.h"
#include "virtio_pci.h"

/* Features (5.1.3), as bit numbers. */
#define VIRTIO_NET_F_CSUM		 0
#define VIRTIO_NET_F_GUEST_CSUM		 1
#define VIRTIO_NET_F_CTRL_GUEST_OFFLOADS 2
#define VIRTIO_NET_F_MTU		 3
#define VIRTIO_NET_F_MAC		 5
#define VIRTIO_NET_F_GUEST_TSO4		 7
#define VIRTIO_NET_F_GUEST_TSO6		 8
#define VIRTIO_NET_F_GUEST_ECN		 9
#define VIRTIO_NET_F_HOST_TSO4		 11
#define VIRTIO_NET_F_HOST_TSO6		 12
#define VIRTIO_NET_F_HOST_ECN		 13
#define VIRTIO_NET_F_MRG_RXBUF		 15
#define VIRTIO_NET_F_STATUS		 16
#define VIRTIO_NET_F_CTRL_VQ		 17
#define VIRTIO_NET_F_CTRL_RX		 18
#define VIRTIO_NET_F_GUEST_ANNOUNCE	 21
#define VIRTIO_NET_F_MQ			 22
#define VIRTIO_NET_F_CTRL_MAC_ADDR	 23

#define VIRTIO_NET_BUDGET 64 /* frames of a queue in one turn */

#define VIRTIO_NET_DUE_CONTROL 1u
#define VIRTIO_NET_DUE_SEND    2u
#define VIRTIO_NET_DUE_RECEIVE 4u
#define VIRTIO_NET_DUE_LINK    8u

/* Bits of `status`. */
#define VIRTIO_NET_LINK_UP  1u
#define VIRTIO_NET_ANNOUNCE 2u

/* The device's configuration (5.1.4). */
struct virtio_net_config {
	uint8_t mac[6];
	uint16_t status;
	uint16_t pairs;
	uint16_t mtu;
};
_Static_assert(sizeof(struct virtio_net_config) == 12, "virtio 1.1, 5.1.4");

/* In front of each frame in the guest's buffers (5.1.6). */
struct virtio_net_header {
	uint8_t flags; /* as bh_frame's, as are the next four */
	uint8_t gso_type;
	uint16_t header_bytes;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t buffers;
};
_Static_assert(sizeof(struct virtio_net_header) == 12, "virtio 1.1, 5.1.6");

/* A buffer that was taken for a frame to receive. */
struct virtio_net_buffer {
	uint32_t bytes;
	uint16_t head;
};

struct virtio_net {
	struct virtio virtio;
	struct frames out, in;
	struct virtqueue *control; /* NULL: it is not used */
	struct bh_port_channel *channel;
	bh_handle handle;
	struct bh_signals *signals;
	const struct bh_port *port;
	struct virtio_net_config config;
	struct virtio_net_filter filter;
	struct virtio_net_flows flows;
	unsigned active;	/* queue pairs in use */
	uint64_t offloads;	/* features of the guest's, as far as it wants them now */
	uint8_t due;		/* VIRTIO_NET_DUE_*: what the next turn looks at */
	bool waits_for_room;	/* there are frames to send, and no room in the ring */
	bool waits_for_buffers; /* there are frames to receive, and too few buffers */
	uint32_t link;		/* the channel's word, as it was seen last */
	int64_t peer;		/* BH_CHANNEL_STAT, at `looked` */
	uint64_t looked;	/* TSC */
	uint64_t patience;	/* ticks until the next look */
	uint64_t complete;	/* TSC at which the driver hears of what was sent; BH_FOREVER: it has */
	uint64_t completion;	/* ticks until then */
	uint64_t dropped;	/* frames that the guest's driver or the service made wrong, or too large */
	uint32_t broken_rings;	/* how often the service left nonsense in its ring */
	struct virtio_net_buffer buffer[VIRTQUEUE_SIZE];
	struct virtqueue_segment segment[2 * VIRTQUEUE_SEGMENTS];
};

struct virtio_net_setup {
	const struct bh_port *port; /* kept */
	struct bh_port_channel *channel;
	bh_handle handle;
	unsigned index; /* on the bus */
	const struct guest_memory *memory;
	struct virtio_outside outside;
	struct bh_signals *signals; /* the I/O vCPU's */
};

/* Makes the device, with no driver. The channel's other end may run already. */
void virtio_net_init(struct virtio_net *net, const struct virtio_net_setup *setup);

/*
 * One turn: at most VIRTIO_NET_BUDGET frames of each queue. `notified`: by the driver; `signalled`: by the channel's
 * other end. True if there is more to do at once. I/O vCPU, the lock not held.
 */
bool virtio_net_service(struct virtio_net *net, bool notified, bool signalled);

/* The driver hears of what was sent: due at net->complete. I/O vCPU, the lock not held. */
void virtio_net_complete(struct virtio_net *net);

/* ---- its parts, with the lock held -------------------------------------------------------------------------- */

/*
 * Frames of all queue pairs to the network; frames from the network. They keep in `due` what is left to do at once, and
 * in `waiting` what the other side makes possible.
 */
void virtio_net_transmit(struct virtio_net *net);
void virtio_net_receive(struct virtio_net *net);

/* Commands in the control queue (5.1.6.5). */
void virtio_net_control(struct virtio_net *net);

/* Tells the net service what the guest takes. */
void virtio_net_set_offloads(struct virtio_net *net, uint64_t features);

static inline struct virtqueue *virtio_net_rx(struct virtio_net *net, unsigned pair)
{
	return &net->virtio.queue[2 * pair];
}

static inline struct virtqueue *virtio_net_tx(struct virtio_net *net, unsigned pair)
{
	return &net->virtio.queue[2 * pair + 1];
}
