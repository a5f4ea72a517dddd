/* deliver.c: one frame to one port. */
#include "deliver.h"
#include "bytes.h"
#include "guests/lib/bh_string.h"
#include "segment.h"

#define WEIGHT	       4096u /* of a record in the shares, beside its bytes: what it costs its reader whatever its size */
#define ETHERNET_LEAST 60u   /* without FCS (IEEE 802.3, 4A.4.2) */

/* For frames that are worked on here: private, and in one piece. */
static uint8_t scratch[BH_FRAME_MAX + VLAN_TAG];

/* By how much offsets behind the tag grow on the way to the destination. */
static int32_t shift_of(const struct frame *frame, bool tag)
{
	return (tag ? (int32_t)VLAN_TAG : 0) - (int32_t)(frame->layer3 - ETHERNET_HEADER);
}

/* It is to be cut into pieces, of which the last may be shorter. */
SELDOM static void plan_pieces(const struct frame *frame, struct delivery *delivery)
{
	uint32_t headers = (uint32_t)((int32_t)frame->headers + shift_of(frame, delivery->tag));

	delivery->need = frame->segments * frames_record(headers + frame->record.gso_size);
	delivery->weight = delivery->need + frame->segments * WEIGHT;
	delivery->cost = frame->record.bytes + frame->segments * DELIVER_COST;
}

void deliver_plan(const struct frame *frame, struct port *to, struct delivery *delivery)
{
	delivery->to = to;
	delivery->tag = port_tags(to, frame->vlan);
	delivery->software = frame->offloads & ~port_offloads(to);
	if (delivery->software && frame->segments) {
		plan_pieces(frame, delivery);
		return;
	}
	delivery->need = frames_record(frame_bytes(frame, delivery->tag));
	delivery->weight = delivery->need + WEIGHT;
	delivery->cost = frame->record.bytes + DELIVER_COST;
}

static uint32_t least(uint32_t bytes) { return bytes < ETHERNET_LEAST ? ETHERNET_LEAST : bytes; }

bool deliver_room(const struct delivery *delivery, unsigned source)
{
	const struct port *to = delivery->to;

	if (!to->nic) {
		struct share *share = &net.share[to->number];

		share_look(share, net.now);
		return share_allows(share, source, to->in.position, frames_free(&to->in), delivery->need,
				    delivery->weight);
	}
	/* Of what is cut, a NIC may have no room for the last pieces; TCP sends these again. */
	return nic_reserve(to->nic, to->nic->mtu + NIC_HEADERS) != NULL;
}

void deliver_ask(const struct delivery *delivery)
{
	if (!delivery->to->nic)
		frames_ask(&delivery->to->in);
}

static void count(struct port *to, uint32_t bytes)
{
	to->stat->in_frames++;
	to->stat->in_bytes += bytes;
}

/* ---- to a NIC ------------------------------------------------------------------------------------ */

static void nic_write(struct port *to, const uint8_t *head, uint32_t head_bytes, const uint8_t *body,
		      uint32_t body_bytes)
{
	uint32_t bytes = head_bytes + body_bytes;
	uint8_t *buffer = nic_reserve(to->nic, least(bytes));

	if (!buffer) {
		port_drop(to, BH_DROP_FULL);
		return;
	}
	memcpy(buffer, head, head_bytes);
	memcpy(buffer + head_bytes, body, body_bytes);
	memset(buffer + bytes, 0, least(bytes) - bytes);
	nic_commit(to->nic, least(bytes));
	count(to, bytes);
}

SELDOM static void nic_write_whole(const struct frame *frame, const struct delivery *delivery)
{
	uint32_t bytes = frame_bytes(frame, delivery->tag);
	uint8_t *buffer = nic_reserve(delivery->to->nic, least(bytes));

	if (!buffer) {
		port_drop(delivery->to, BH_DROP_FULL);
		return;
	}
	frame_copy(frame, delivery->tag, buffer, bytes);
	memset(buffer + bytes, 0, least(bytes) - bytes);
	nic_commit(delivery->to->nic, least(bytes));
	count(delivery->to, bytes);
}

/* ---- to a ring ----------------------------------------------------------------------------------- */

static void ring_write(struct port *to, const uint8_t *head, uint32_t head_bytes, const uint8_t *body,
		       uint32_t body_bytes)
{
	struct bh_frame record = { .bytes = head_bytes + body_bytes };

	frames_put(&to->in, 0, head, head_bytes);
	if (body_bytes)
		frames_put(&to->in, head_bytes, body, body_bytes);
	frames_commit(&to->in, &record);
	count(to, record.bytes);
}

/* What lies behind the head, to `at`. */
static void ring_put_rest(const struct frame *frame, struct frames *in, uint32_t at)
{
	uint32_t left = frame->record.bytes - frame->head_bytes;

	if (frame->ring)
		frames_fill(in, at, frame->ring, frame->head_bytes, left);
	else
		frames_put(in, at, frame->data + frame->head_bytes, left);
}

/* With a tag that it had not, or without the one that it had: offsets go along. */
SELDOM static void ring_write_changed(const struct frame *frame, const struct delivery *delivery)
{
	struct frames *in = &delivery->to->in;
	struct bh_frame record = frame->record;
	uint8_t front[ETHERNET_ADDRESSES + VLAN_TAG];
	int32_t shift = shift_of(frame, delivery->tag);
	uint32_t at = frame_front(frame, delivery->tag, front), from = frame->layer3 - 2u;

	frames_put(in, 0, front, at);
	frames_put(in, at, frame->head + from, frame->head_bytes - from);
	ring_put_rest(frame, in, at + frame->head_bytes - from);
	record.bytes = frame_bytes(frame, delivery->tag);
	if (record.flags)
		record.csum_start = (uint16_t)(record.csum_start + shift);
	if (record.header_bytes)
		record.header_bytes = (uint16_t)(record.header_bytes + shift);
	frames_commit(in, &record);
	count(delivery->to, record.bytes);
}

static void ring_write_whole(const struct frame *frame, const struct delivery *delivery)
{
	struct frames *in = &delivery->to->in;

	if (delivery->tag != frame_tagged(frame)) {
		ring_write_changed(frame, delivery);
		return;
	}
	frames_put(in, 0, frame->head, frame->head_bytes);
	if (frame->record.bytes != frame->head_bytes)
		ring_put_rest(frame, in, frame->head_bytes);
	frames_commit(in, &frame->record);
	count(delivery->to, frame->record.bytes);
}

/* ---- in software --------------------------------------------------------------------------------- */

static void write_piece(struct port *to, const uint8_t *head, uint32_t head_bytes, const uint8_t *body,
			uint32_t body_bytes)
{
	if (to->nic)
		nic_write(to, head, head_bytes, body, body_bytes);
	else
		ring_write(to, head, head_bytes, body, body_bytes);
}

static void cut(const struct frame *frame, const struct delivery *delivery, uint32_t bytes)
{
	static struct segment segment;
	int32_t shift = shift_of(frame, delivery->tag);
	struct segmenter segmenter = {
		.frame = scratch,
		.bytes = bytes,
		.layer3 = (uint32_t)(frame->layer3 + shift),
		.tcp = (uint32_t)(frame->record.csum_start + shift),
		.headers = (uint32_t)(frame->headers + shift),
		.size = frame->record.gso_size,
		.v6 = frame->type == TYPE_IPV6,
	};

	while (segment_next(&segmenter, &segment))
		write_piece(delivery->to, segment.head, segment.head_bytes, segment.payload, segment.payload_bytes);
}

SELDOM static void write_software(const struct frame *frame, const struct delivery *delivery)
{
	uint32_t bytes = frame_bytes(frame, delivery->tag);

	frame_copy(frame, delivery->tag, scratch, bytes);
	if (frame->segments) {
		cut(frame, delivery, bytes);
		return;
	}
	segment_checksum(scratch, bytes, (uint32_t)(frame->record.csum_start + shift_of(frame, delivery->tag)),
			 frame->record.csum_offset);
	write_piece(delivery->to, scratch, bytes, scratch, 0);
}

void deliver(const struct frame *frame, const struct delivery *delivery, unsigned source)
{
	struct port *to = delivery->to;

	net.wrote |= to->bit;
	if (delivery->software)
		write_software(frame, delivery);
	else if (to->nic)
		nic_write_whole(frame, delivery);
	else
		ring_write_whole(frame, delivery);
	if (!to->nic)
		share_take(&net.share[to->number], source, to->in.position, delivery->weight);
}

void deliver_drop(const struct delivery *delivery, unsigned source)
{
	port_drop(delivery->to, BH_DROP_FULL);
	if (!delivery->to->nic)
		share_refuse(&net.share[delivery->to->number], source);
}
