#include "card.h"
#include "guests/console/events.h"
#include "guests/lib/bh.h"
#include "guests/lib/frames.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/pbuf.h"

#define HEADER	   14u /* Ethernet's */
#define FRAME_MOST (BH_MTU_USUAL + HEADER)

static struct bh_port_channel *channel;
static bh_handle handle;
static const struct bh_port *record;
static struct frames out, in; /* to the network, from it */
static uint32_t broken;
static bool wrote, took;

static void drop_old(void)
{
	struct bh_frame header;

	while (frames_next(&in, &header, &broken))
		frames_done(&in, &header);
}

bool card_open(const struct bh_port *port)
{
	const struct bh_info_handle *found = bh_find(port->name, BH_HANDLE_CHANNEL);
	int64_t error;

	if (!found || found->bytes < sizeof(*channel)) {
		bh_printf("console: no channel for %s\n", port->name);
		return false;
	}
	record = port;
	handle = found->handle;
	channel = (struct bh_port_channel *)(uintptr_t)found->address;
	frames_open_writer(&out, &channel->out_writer, &channel->out_reader, channel->out);
	frames_open_reader(&in, &channel->in_writer, &channel->in_reader, channel->in);
	drop_old();
	atomic_store(&channel->offloads, 0);
	atomic_store(&channel->driver, 1);
	error = bh_call3(BH_CHANNEL_BIND, handle, 0, EVENT_PORT);
	if (error)
		bh_printf("console: cannot listen to %s: error %d\n", port->name, (int)error);
	return !error;
}

/* lwIP's frame, in one piece or several, into the ring. What finds no room is lost, as on any network. */
static err_t transmit(struct netif *netif, struct pbuf *frame)
{
	struct bh_frame header = { .bytes = frame->tot_len };
	uint32_t offset = 0;

	(void)netif;
	if (frame->tot_len < BH_FRAME_MIN || frame->tot_len > FRAME_MOST)
		return ERR_VAL;
	if (!frames_room(&out, header.bytes))
		return ERR_WOULDBLOCK;
	for (const struct pbuf *piece = frame; piece; piece = piece->next) {
		frames_put(&out, offset, piece->payload, piece->len);
		offset += piece->len;
	}
	frames_commit(&out, &header);
	wrote = true;
	return ERR_OK;
}

err_t card_init(struct netif *netif)
{
	netif->name[0] = 'b';
	netif->name[1] = 'h';
	netif->output = etharp_output;
	netif->output_ip6 = ethip6_output;
	netif->linkoutput = transmit;
	netif->hwaddr_len = sizeof(record->mac);
	memcpy(netif->hwaddr, record->mac, sizeof(record->mac));
	netif->mtu = record->mtu < BH_MTU_USUAL ? record->mtu : BH_MTU_USUAL;
	netif->flags |= NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6;
	return ERR_OK;
}

bool card_link(void)
{
	int64_t life = bh_call1(BH_CHANNEL_STAT, handle);

	return life >= 0 && life & 1 && atomic_load(&channel->link);
}

/* A copy of the frame that frames_next found; NULL: no memory, or more than a frame of ours may have. */
static struct pbuf *copy(uint32_t bytes)
{
	struct pbuf *frame = bytes <= FRAME_MOST ? pbuf_alloc(PBUF_RAW, (u16_t)bytes, PBUF_POOL) : NULL;
	uint32_t offset = 0;

	for (struct pbuf *piece = frame; piece; piece = piece->next) {
		frames_get(&in, offset, piece->payload, piece->len);
		offset += piece->len;
	}
	return frame;
}

bool card_receive(struct netif *netif, uint64_t ticks)
{
	uint64_t began = bh_rdtsc();
	struct bh_frame header;

	while (frames_next(&in, &header, &broken)) {
		struct pbuf *frame = copy(header.bytes);

		frames_done(&in, &header);
		took = true;
		if (frame && netif->input(frame, netif) != ERR_OK)
			pbuf_free(frame);
		if (bh_rdtsc() - began > ticks)
			return true;
	}
	return false;
}

void card_flush(void)
{
	bool signal = wrote && frames_must_signal_reader(&out);

	if (took)
		signal |= frames_must_signal_writer(&in);
	wrote = took = false;
	if (signal)
		bh_call1(BH_CHANNEL_SIGNAL, handle);
}

bool card_may_sleep(void) { return frames_may_sleep(&in); }
