/* virtio_net_control.c: commands of the control queue (virtio 1.1, 5.1.6.5). */
#include "virtio_net.h"

#define BIT(feature) (1ull << VIRTIO_NET_F_##feature)

#define CLASS_RX	 0
#define RX_PROMISCUOUS	 0
#define RX_ALL_MULTICAST 1
#define CLASS_MAC	 1
#define MAC_TABLE_SET	 0
#define MAC_ADDRESS_SET	 1
#define CLASS_ANNOUNCE	 3
#define ANNOUNCE_ACK	 0
#define CLASS_QUEUES	 4
#define QUEUES_PAIRS_SET 0
#define CLASS_OFFLOADS	 5
#define OFFLOADS_SET	 0

#define COMMAND(class, command) ((class) << 8 | (command))
#define COMMAND_BYTES		2 /* class and command; what belongs to it follows */

#define ACK_OK	  0
#define ACK_ERROR 1

#define COMMANDS_MAX 8 /* in one turn: drivers wait for each */

static bool set_flag(const struct virtqueue_chain *chain, bool *flag)
{
	uint8_t on;

	if (!virtqueue_read(chain, COMMAND_BYTES, &on, 1))
		return false;
	*flag = on;
	return true;
}

/* One of the two lists; its end is returned, 0 if it is not whole. */
static uint32_t get_addresses(const struct virtqueue_chain *chain, uint32_t offset, struct virtio_net_addresses *to)
{
	uint32_t entries;
	uint8_t address[6];

	if (!virtqueue_read(chain, offset, &entries, 4) || entries > (chain->readable_bytes - offset - 4) / 6)
		return 0;
	to->all = entries > VIRTIO_NET_ADDRESSES;
	to->count = to->all ? 0 : entries;
	for (uint32_t i = 0; i < to->count; i++) {
		virtqueue_read(chain, offset + 4 + 6 * i, address, 6);
		to->address[i] = virtio_net_address(address);
	}
	return offset + 4 + 6 * entries;
}

static bool set_table(struct virtio_net *net, const struct virtqueue_chain *chain)
{
	struct virtio_net_addresses unicast, multicast;
	uint32_t end = get_addresses(chain, COMMAND_BYTES, &unicast);

	if (!end || !get_addresses(chain, end, &multicast))
		return false;
	net->filter.unicast = unicast;
	net->filter.multicast = multicast;
	return true;
}

/* The network lets nothing through from an address that is not the port's, unless the port is trusted. */
static bool set_address(struct virtio_net *net, const struct virtqueue_chain *chain)
{
	uint8_t address[6];

	if (!virtqueue_read(chain, COMMAND_BYTES, address, 6))
		return false;
	if (!(net->port->flags & BH_PORT_TRUSTED))
		return !memcmp(address, net->port->mac, 6);
	if (address[0] & 1)
		return false;
	memcpy(net->config.mac, address, 6);
	net->filter.own = virtio_net_address(address);
	return true;
}

static bool set_pairs(struct virtio_net *net, const struct virtqueue_chain *chain)
{
	uint16_t pairs;

	if (!virtqueue_read(chain, COMMAND_BYTES, &pairs, 2) || pairs < 1 || pairs > net->config.pairs)
		return false;
	net->active = pairs;
	return true;
}

static bool set_offloads(struct virtio_net *net, const struct virtqueue_chain *chain)
{
	uint64_t offloads;

	if (!virtqueue_read(chain, COMMAND_BYTES, &offloads, 8) || offloads & ~net->virtio.accepted)
		return false;
	virtio_net_set_offloads(net, offloads);
	return true;
}

/* A command of a feature that was not negotiated is an error, as one that nobody knows. */
static bool execute(struct virtio_net *net, const struct virtqueue_chain *chain, unsigned command)
{
	static const struct {
		unsigned command;
		uint64_t feature;
	} features[] = {
		{ COMMAND(CLASS_RX, RX_PROMISCUOUS), BIT(CTRL_RX) },
		{ COMMAND(CLASS_RX, RX_ALL_MULTICAST), BIT(CTRL_RX) },
		{ COMMAND(CLASS_MAC, MAC_TABLE_SET), BIT(CTRL_RX) },
		{ COMMAND(CLASS_MAC, MAC_ADDRESS_SET), BIT(CTRL_MAC_ADDR) },
		{ COMMAND(CLASS_ANNOUNCE, ANNOUNCE_ACK), BIT(GUEST_ANNOUNCE) },
		{ COMMAND(CLASS_QUEUES, QUEUES_PAIRS_SET), BIT(MQ) },
		{ COMMAND(CLASS_OFFLOADS, OFFLOADS_SET), BIT(CTRL_GUEST_OFFLOADS) },
	};

	for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (features[i].command == command && !(net->virtio.accepted & features[i].feature))
			return false;
	switch (command) {
	case COMMAND(CLASS_RX, RX_PROMISCUOUS): return set_flag(chain, &net->filter.promiscuous);
	case COMMAND(CLASS_RX, RX_ALL_MULTICAST): return set_flag(chain, &net->filter.all_multicast);
	case COMMAND(CLASS_MAC, MAC_TABLE_SET): return set_table(net, chain);
	case COMMAND(CLASS_MAC, MAC_ADDRESS_SET): return set_address(net, chain);
	case COMMAND(CLASS_ANNOUNCE, ANNOUNCE_ACK): net->config.status &= ~VIRTIO_NET_ANNOUNCE; return true;
	case COMMAND(CLASS_QUEUES, QUEUES_PAIRS_SET): return set_pairs(net, chain);
	case COMMAND(CLASS_OFFLOADS, OFFLOADS_SET): return set_offloads(net, chain);
	}
	return false;
}

/* False if the queue is empty or the device broken. */
static bool control_next(struct virtio_net *net, struct virtqueue *queue)
{
	struct virtqueue_chain chain;
	uint8_t command[COMMAND_BYTES];

	if (virtqueue_is_empty(queue))
		return !virtqueue_listen(queue);
	if (virtqueue_take(queue, net->segment, &chain) != VIRTQUEUE_TAKEN) {
		virtio_break_queue(&net->virtio, queue);
		return false;
	}
	if (!virtqueue_read(&chain, 0, command, COMMAND_BYTES) || !chain.writable) {
		virtio_break(&net->virtio, "a command has no room for its class or its answer");
		return false;
	}
	*chain.segment[chain.readable].at = execute(net, &chain, COMMAND(command[0], command[1])) ? ACK_OK : ACK_ERROR;
	virtqueue_push(queue, chain.head, 1);
	return true;
}

void virtio_net_control(struct virtio_net *net)
{
	struct virtqueue *queue = net->control;
	unsigned done = 0;

	/* Rarely is there something: the driver has been asked to say so. */
	if (!queue || (queue->listening && virtqueue_is_empty(queue)))
		return;
	while (done < COMMANDS_MAX && control_next(net, queue))
		done++;
	virtio_publish(&net->virtio, queue);
	if (done == COMMANDS_MAX)
		net->due |= VIRTIO_NET_DUE_CONTROL;
}
