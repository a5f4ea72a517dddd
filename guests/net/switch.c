/* switch.c: a learning bridge per network and VLAN (IEEE 802.1Q, 8). */
#include "switch.h"
#include "bytes.h"
#include "deliver.h"
#include "filter.h"
#include "guests/lib/bh.h"
#include "police.h"
#include "queue.h"
#include "table.h"
#include "tap.h"

#define DROP_COST   2048u
#define PATIENCE_MS 2 /* that a frame waits for room where it goes */

/* IEEE 802.1Q, 6.9.1: a port without trunk takes what has no tag, or one that tells a priority only. */
static enum bh_drop enter_vlan(const struct port *from, struct frame *frame)
{
	if (from->trunk)
		return FRAME_PASSES;
	if (frame->vlan)
		return BH_DROP_VLAN;
	frame->vlan = from->vlan;
	/* A tag that is there leaves as it stands in the head. */
	if (frame_tagged(frame))
		bytes_put16(frame->head + ETHERNET_HEADER, frame->priority | frame->vlan);
	return FRAME_PASSES;
}

static enum bh_drop check_source(const struct port *from, struct frame *frame)
{
	if (!from->trusted)
		return filter_source(frame, from->mac);
	return frame->source & MAC_GROUP ? BH_DROP_MALFORMED : FRAME_PASSES;
}

/* All that does not depend on where it goes; no effect. */
static enum bh_drop judge(const struct port *from, struct frame *frame)
{
	enum bh_drop why;

	if (!from->admin)
		return BH_DROP_LINK;
	if (from->refused)
		return BH_DROP_SPOOFED;
	why = frame_parse(frame);
	if (why == FRAME_PASSES)
		why = enter_vlan(from, frame);
	if (why == FRAME_PASSES)
		why = frame_check(frame, from->mtu);
	return why == FRAME_PASSES ? check_source(from, frame) : why;
}

static unsigned find(const struct network *network, const struct port *from, const struct frame *frame, uint64_t mac)
{
	unsigned port = table_find(from->network, frame->vlan, mac, net.now);

	if (port == TABLE_NOBODY && network->trunks)
		port = table_find(from->network, TABLE_VLAN_ANY, mac, net.now);
	return port;
}

/* A port that may send from any address may not take one that is fixed elsewhere. */
SELDOM static bool learn(const struct port *from, const struct frame *frame)
{
	const struct network *network = &net.network[from->network];

	if (network->trunks) {
		unsigned owner = table_find(from->network, TABLE_VLAN_ANY, frame->source, net.now);

		if (owner != TABLE_NOBODY)
			return owner == from->number;
	}
	return table_learn(from->network, frame->vlan, frame->source, from->number, net.now);
}

static uint64_t with_vlan(uint64_t ports, unsigned vlan)
{
	uint64_t with = 0;

	for (; ports; ports &= ports - 1) {
		const struct port *port = &net.port[__builtin_ctzll(ports)];

		if (port_has_vlan(port, vlan))
			with |= port->bit;
	}
	return with;
}

/* The ports that are to have it, without `from`. What is addressed to nobody known goes to those that learn. */
static uint64_t destinations(const struct port *from, const struct frame *frame)
{
	const struct network *network = &net.network[from->network];
	uint64_t others = ~from->bit;
	unsigned port;

	if (frame->destination & MAC_GROUP)
		return filter_reserved(frame->destination) ? 0 : with_vlan(network->ports & others, frame->vlan);
	port = find(network, from, frame, frame->destination);
	if (port == TABLE_NOBODY)
		return with_vlan(network->learning & others, frame->vlan);
	return 1ull << port & others;
}

/* Guests that do nothing but what is dropped are read less often. */
SELDOM static uint32_t drop(struct port *from, enum bh_drop why)
{
	port_drop(from, why);
	if (!from->nic && why != BH_DROP_LINK)
		queue_excess(from);
	return DROP_COST;
}

/* It passes: from here on there is no way back. */
static void enter(struct port *from, const struct frame *frame)
{
	from->stat->out_frames++;
	from->stat->out_bytes += frame->record.bytes;
	bucket_take(&from->rate, frame->record.bytes, net.now);
	if (net.network[from->network].tap)
		tap_frame(from, frame);
}

static void deliver_or_drop(const struct frame *frame, const struct delivery *delivery, const struct port *from,
			    bool room)
{
	if (room)
		deliver(frame, delivery, from->number);
	else
		deliver_drop(delivery, from->number);
}

__attribute__((noinline)) static uint32_t flood(struct port *from, const struct frame *frame, uint64_t ports)
{
	struct delivery delivery;
	uint32_t cost = DROP_COST;

	/* What is for nobody here (a NIC may see much of that) is no burden: broadcasts must not be dropped for it. */
	if (ports && bucket_wait(&from->many, net.now))
		return drop(from, BH_DROP_BROADCAST);
	if (ports)
		bucket_take(&from->many, 1, net.now);
	enter(from, frame);
	for (; ports; ports &= ports - 1) {
		struct port *to = &net.port[__builtin_ctzll(ports)];

		if (!port_is_open(to))
			continue;
		deliver_plan(frame, to, &delivery);
		deliver_or_drop(frame, &delivery, from, deliver_room(&delivery, from->number));
		cost += delivery.cost;
	}
	return cost;
}

/*
 * Is it worth waiting for room? The destination gets a chance to make some: a burst is then not lost. A guest waits
 * only as the sender of its own frames, not for ever, not too often, and not for one that let another wait in vain.
 */
static bool may_wait(struct port *from, const struct delivery *delivery)
{
	struct port *to = delivery->to;

	if (from->nic || (!to->nic && share_is_cut(&net.share[to->number], from->number)))
		return false;
	if (to->stalled && !to->nic && frames_free(&to->in) < BH_FRAMES_BYTES / 2)
		return false;
	to->stalled = false;
	if (!from->waits_since)
		return !bucket_wait(&from->patience, net.now);
	if (net.now - from->waits_since < bh_ticks_ms(PATIENCE_MS))
		return true;
	to->stalled = true;
	return false;
}

/* There is no room. True: it waits, or it has come meanwhile; *room says which. */
SELDOM static bool wait_for_room(struct port *from, const struct delivery *delivery, bool *room)
{
	if (!may_wait(from, delivery))
		return false;
	deliver_ask(delivery);
	*room = deliver_room(delivery, from->number);
	if (*room)
		return true;
	if (!from->waits_since)
		from->waits_since = net.now;
	net.wrote |= delivery->to->bit;
	queue_wait(from, delivery->to, from->waits_since + bh_ticks_ms(PATIENCE_MS));
	return true;
}

static uint32_t unicast(struct port *from, const struct frame *frame, struct port *to)
{
	struct delivery delivery;
	bool room;

	if (!port_is_open(to))
		return drop(from, BH_DROP_LINK);
	deliver_plan(frame, to, &delivery);
	room = deliver_room(&delivery, from->number);
	if (!room && wait_for_room(from, &delivery, &room) && !room)
		return 0;
	enter(from, frame);
	deliver_or_drop(frame, &delivery, from, room);
	return delivery.cost;
}

static uint32_t forward(struct port *from, struct frame *frame)
{
	enum bh_drop why = judge(from, frame);
	uint64_t ports;

	if (why != FRAME_PASSES)
		return drop(from, why);
	if (from->trusted && !learn(from, frame))
		return drop(from, BH_DROP_SPOOFED);
	ports = destinations(from, frame);
	if (ports && !(ports & (ports - 1)) && !(frame->destination & MAC_GROUP))
		return unicast(from, frame, &net.port[__builtin_ctzll(ports)]);
	return flood(from, frame, ports);
}

SELDOM static void end_of_wait(struct port *from)
{
	bucket_take(&from->patience, (uint32_t)(net.now - from->waits_since), net.now);
	from->waits_since = 0;
}

uint32_t switch_frame(struct port *from, struct frame *frame)
{
	uint32_t cost = forward(from, frame);

	if (from->waits_since && cost)
		end_of_wait(from);
	return cost;
}
