/* virtio_net.c: the card as a whole: features, link, turns. */
#include "virtio_net.h"
#include <stdatomic.h>

#define ID    1 /* virtio 1.1, clause 5 */
#define CLASS 0x020000

#define BIT(feature) (1ull << VIRTIO_NET_F_##feature)

#define OFFERED                                                                                                \
	(BIT(CSUM) | BIT(GUEST_CSUM) | BIT(CTRL_GUEST_OFFLOADS) | BIT(MTU) | BIT(MAC) | BIT(GUEST_TSO4) |      \
	 BIT(GUEST_TSO6) | BIT(GUEST_ECN) | BIT(HOST_TSO4) | BIT(HOST_TSO6) | BIT(HOST_ECN) | BIT(MRG_RXBUF) | \
	 BIT(STATUS) | BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(GUEST_ANNOUNCE) | BIT(CTRL_MAC_ADDR))

#define GUEST_OFFLOADS (BIT(GUEST_CSUM) | BIT(GUEST_TSO4) | BIT(GUEST_TSO6) | BIT(GUEST_ECN))

#define COMPLETION_US 50

#define PEER_MS 100 /* how often to ask for the net service while there is traffic */

/* Frames that the smallest records of a full ring are. */
#define RING_FRAMES (BH_FRAMES_BYTES / (2 * BH_FRAME_PADDING))

/* ---- features -------------------------------------------------------------------------------------------- */

/* What takes at least one of what else (5.1.3.1). */
static bool accepts(void *device, uint64_t features)
{
	static const struct {
		uint64_t feature, needs;
	} rules[] = {
		{ BIT(GUEST_TSO4), BIT(GUEST_CSUM) },
		{ BIT(GUEST_TSO6), BIT(GUEST_CSUM) },
		{ BIT(GUEST_ECN), BIT(GUEST_TSO4) | BIT(GUEST_TSO6) },
		{ BIT(HOST_TSO4), BIT(CSUM) },
		{ BIT(HOST_TSO6), BIT(CSUM) },
		{ BIT(HOST_ECN), BIT(HOST_TSO4) | BIT(HOST_TSO6) },
		{ BIT(CTRL_RX) | BIT(GUEST_ANNOUNCE) | BIT(MQ) | BIT(CTRL_MAC_ADDR), BIT(CTRL_VQ) },
	};

	(void)device;
	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (features & rules[i].feature && !(features & rules[i].needs))
			return false;
	return true;
}

/* The service knows no ECN bit of its own: a guest that does not take it gets TCP in segments. */
void virtio_net_set_offloads(struct virtio_net *net, uint64_t features)
{
	uint32_t offloads = features & BIT(GUEST_CSUM) ? BH_OFFLOAD_CHECKSUM : 0;

	net->offloads = features & GUEST_OFFLOADS;
	if (features & BIT(GUEST_ECN)) {
		offloads |= features & BIT(GUEST_TSO4) ? BH_OFFLOAD_TCPV4 : 0;
		offloads |= features & BIT(GUEST_TSO6) ? BH_OFFLOAD_TCPV6 : 0;
	}
	atomic_store(&net->channel->offloads, offloads);
}

/* What came while no driver ran is too old for the new one. */
static void drop_received(struct virtio_net *net)
{
	struct bh_frame frame;

	for (unsigned n = 0; n < RING_FRAMES && frames_next(&net->in, &frame, &net->broken_rings); n++)
		frames_done(&net->in, &frame);
}

/* Behind the queue pairs; without MQ there is one pair, however many there could be (5.1.2). */
static struct virtqueue *control_queue(struct virtio_net *net)
{
	struct virtqueue *queue = virtio_net_rx(net, virtio_has(&net->virtio, VIRTIO_NET_F_MQ) ? net->config.pairs : 1);

	return queue->enabled && virtio_has(&net->virtio, VIRTIO_NET_F_CTRL_VQ) ? queue : NULL;
}

static void start(void *device)
{
	struct virtio_net *net = device;

	net->control = control_queue(net);
	drop_received(net);
	net->due = VIRTIO_NET_DUE_CONTROL | VIRTIO_NET_DUE_SEND | VIRTIO_NET_DUE_RECEIVE;
	net->waits_for_room = net->waits_for_buffers = false;
	virtio_net_set_offloads(net, net->virtio.accepted);
	atomic_store(&net->channel->driver, 1);
}

static void reset(void *device)
{
	struct virtio_net *net = device;

	memcpy(net->config.mac, net->port->mac, sizeof(net->config.mac));
	net->config.status &= ~VIRTIO_NET_ANNOUNCE;
	virtio_net_filter_reset(&net->filter, net->config.mac);
	memset(&net->flows, 0, sizeof(net->flows));
	net->active = 1;
	net->complete = BH_FOREVER;
	virtio_net_set_offloads(net, 0);
	atomic_store(&net->channel->driver, 0);
}

/* ---- link ------------------------------------------------------------------------------------------------ */

/* The link is up if the service says so and still runs. A guest that comes back to a network announces itself. */
static void update_link(struct virtio_net *net, bool restarted)
{
	bool was = net->config.status & VIRTIO_NET_LINK_UP, up;
	uint16_t status;

	net->link = atomic_load_explicit(&net->channel->link, memory_order_relaxed);
	up = net->peer & 1 && net->link == 1;
	status = up ? net->config.status | VIRTIO_NET_LINK_UP : 0;

	if (up && (restarted || !was) && virtio_is_running(&net->virtio) &&
	    virtio_has(&net->virtio, VIRTIO_NET_F_GUEST_ANNOUNCE))
		status |= VIRTIO_NET_ANNOUNCE;
	if (status == net->config.status)
		return;
	net->config.status = status;
	if (virtio_has(&net->virtio, VIRTIO_NET_F_STATUS))
		virtio_config_changed(&net->virtio);
}

/* Has the net service ended or started? The kernel signals the channel then, but does not say that this is why. */
static bool look_at_peer(struct virtio_net *net)
{
	int64_t peer = bh_call1(BH_CHANNEL_STAT, net->handle), before = net->peer;

	net->peer = peer < 0 ? 0 : peer;
	net->looked = bh_rdtsc();
	return net->peer >> 1 != before >> 1;
}

/*
 * To look at the peer costs a hypercall, so a signal with frames brings it only now and then. With the link down there
 * are few of them, and one may be the last for long: the service's start.
 */
static void serve_link(struct virtio_net *net, bool idle)
{
	if (idle || !(net->config.status & VIRTIO_NET_LINK_UP) || bh_rdtsc() - net->looked >= net->patience)
		update_link(net, look_at_peer(net));
	else if (atomic_load_explicit(&net->channel->link, memory_order_relaxed) != net->link)
		update_link(net, false);
}

/* ---- turns ----------------------------------------------------------------------------------------------- */

/* The driver notifies of what it has to send and of new buffers, the service of frames and of room. */
static uint8_t causes(const struct virtio_net *net, bool notified, bool signalled)
{
	uint8_t due = 0;

	if (notified)
		due |= VIRTIO_NET_DUE_CONTROL | VIRTIO_NET_DUE_SEND |
		       (net->waits_for_buffers ? VIRTIO_NET_DUE_RECEIVE : 0);
	if (signalled)
		due |= VIRTIO_NET_DUE_RECEIVE | VIRTIO_NET_DUE_LINK | (net->waits_for_room ? VIRTIO_NET_DUE_SEND : 0);
	return due;
}

/* Whether the service is to be signalled. */
static bool serve_queues(struct virtio_net *net, uint8_t due)
{
	uint32_t written = net->out.position, read = net->in.position;
	bool signal = false;

	if (due & VIRTIO_NET_DUE_CONTROL)
		virtio_net_control(net);
	if (due & VIRTIO_NET_DUE_SEND)
		virtio_net_transmit(net);
	if (due & VIRTIO_NET_DUE_RECEIVE)
		virtio_net_receive(net);
	if (net->out.position != written)
		signal = frames_must_signal_reader(&net->out);
	if (net->in.position != read)
		signal |= frames_must_signal_writer(&net->in);
	if (due & VIRTIO_NET_DUE_LINK)
		serve_link(net, net->out.position == written && net->in.position == read);
	return signal;
}

bool virtio_net_service(struct virtio_net *net, bool notified, bool signalled)
{
	uint8_t due;
	bool more = false;

	bh_lock(&net->virtio.function.lock);
	due = net->due | causes(net, notified, signalled);
	if (virtio_is_running(&net->virtio)) {
		net->due = 0;
		if (serve_queues(net, due))
			bh_signals_add(net->signals, net->handle);
		more = net->due;
	} else {
		net->due = due;
		if (signalled)
			serve_link(net, true);
	}
	bh_unlock(&net->virtio.function.lock);
	return more;
}

void virtio_net_init(struct virtio_net *net, const struct virtio_net_setup *setup)
{
	static const struct virtio_type type = { "virtio-net", ID, CLASS, accepts, start, reset };
	const struct bh_port *port = setup->port;
	struct bh_port_channel *channel = setup->channel;
	struct virtio_setup virtio = { &type, net,	    setup->index,	 port->name,	OFFERED,
				       3,     &net->config, sizeof(net->config), setup->memory, setup->outside };

	memset(net, 0, sizeof(*net));
	net->port = port;
	net->channel = channel;
	net->handle = setup->handle;
	net->signals = setup->signals;
	net->patience = bh_ticks_ms(PEER_MS);
	net->completion = bh_ticks_us(COMPLETION_US);
	net->config.pairs = port->queues < 1			? 1
			    : port->queues > BH_QUEUE_PAIRS_MAX ? BH_QUEUE_PAIRS_MAX
								: port->queues;
	net->config.mtu = port->mtu;
	if (net->config.pairs > 1)
		virtio.features |= BIT(MQ);
	virtio.queues = 2 * net->config.pairs + 1;
	frames_open_writer(&net->out, &channel->out_writer, &channel->out_reader, channel->out);
	frames_open_reader(&net->in, &channel->in_writer, &channel->in_reader, channel->in);
	reset(net);
	look_at_peer(net);
	virtio_pci_init(&net->virtio, &virtio);
	update_link(net, false);
}
