/* frame.c: reading a frame's first bytes, and what its offload fields may say. */
#include "frame.h"
#include "bytes.h"
#include "guests/lib/bh_string.h"

#define SEGMENTS_MAX 256u /* more would be a way to let us work for nothing */

#define IP_TCP	    6u
#define TCP_HEADER  20u
#define TCP_CSUM    16u /* offset of the checksum (RFC 9293, 3.1) */
#define IPV4_HEADER 20u
#define IPV6_HEADER 40u

void frame_get(const struct frame *frame, uint32_t offset, void *to, uint32_t bytes)
{
	if (frame->ring)
		frames_get(frame->ring, offset, to, bytes);
	else
		memcpy(to, frame->data + offset, bytes);
}

void frame_fetch(struct frame *frame, uint32_t bytes)
{
	if (bytes > frame->record.bytes)
		bytes = frame->record.bytes;
	if (bytes > FRAME_HEAD_MAX)
		bytes = FRAME_HEAD_MAX;
	if (bytes <= frame->head_bytes)
		return;
	frame_get(frame, frame->head_bytes, frame->head + frame->head_bytes, bytes - frame->head_bytes);
	frame->head_bytes = bytes;
}

/* IEEE 802.1Q, 9.6: priority 15:13, drop eligible 12, VLAN 11:0. VLAN 0 only tells the priority, 4095 is reserved. */
SELDOM static enum bh_drop parse_tag(struct frame *frame)
{
	uint16_t control;

	if (frame->record.bytes < ETHERNET_HEADER + VLAN_TAG)
		return BH_DROP_MALFORMED;
	control = bytes_get16(frame->head + 14);
	frame->vlan = control & 0xfff;
	frame->priority = control & 0xf000;
	frame->type = bytes_get16(frame->head + 16);
	frame->layer3 = ETHERNET_HEADER + VLAN_TAG;
	return frame->vlan > BH_VLAN_MAX || frame->type == TYPE_VLAN || frame->type == TYPE_SVLAN ? BH_DROP_VLAN
												  : FRAME_PASSES;
}

enum bh_drop frame_parse(struct frame *frame)
{
	frame->head_bytes = 0;
	if (frame->record.bytes < ETHERNET_HEADER)
		return BH_DROP_MALFORMED;
	frame_fetch(frame, FRAME_HEAD);
	frame->destination = bytes_mac(frame->head);
	frame->source = bytes_mac(frame->head + 6);
	frame->type = bytes_get16(frame->head + 12);
	frame->layer3 = ETHERNET_HEADER;
	frame->vlan = 0;
	frame->priority = 0;
	if (frame->type == TYPE_VLAN)
		return parse_tag(frame);
	return frame->type == TYPE_SVLAN ? BH_DROP_VLAN : FRAME_PASSES;
}

/* Offset of the TCP header, if that is what comes behind IP without fragments or IPv6 extensions; 0: it is not. */
static uint32_t tcp_offset(const struct frame *frame, bool v6)
{
	const uint8_t *ip = frame->head + frame->layer3;
	uint32_t bytes = v6 ? IPV6_HEADER : 4u * (ip[0] & 15);

	if (v6)
		return frame->type == TYPE_IPV6 && ip[0] >> 4 == 6 && ip[6] == IP_TCP ? frame->layer3 + bytes : 0;
	/* More fragments, or an offset (RFC 791, 3.1) */
	if (frame->type != TYPE_IPV4 || ip[0] >> 4 != 4 || bytes < IPV4_HEADER || ip[9] != IP_TCP ||
	    bytes_get16(ip + 6) & 0x3fff)
		return 0;
	return frame->layer3 + bytes;
}

__attribute__((noinline)) static enum bh_drop check_segmentation(struct frame *frame, uint32_t mtu)
{
	bool v6 = (frame->record.gso_type & ~BH_GSO_ECN) == BH_GSO_TCPV6;
	uint32_t size = frame->record.gso_size, bytes = frame->record.bytes, tcp, headers;

	if ((!v6 && (frame->record.gso_type & ~BH_GSO_ECN) != BH_GSO_TCPV4) || !size || !frame->offloads ||
	    bytes < frame->layer3 + (v6 ? IPV6_HEADER : IPV4_HEADER) + TCP_HEADER)
		return BH_DROP_MALFORMED;
	tcp = tcp_offset(frame, v6);
	if (!tcp || tcp != frame->record.csum_start || frame->record.csum_offset != TCP_CSUM ||
	    tcp + TCP_HEADER > frame->head_bytes)
		return BH_DROP_MALFORMED;
	headers = tcp + 4u * (frame->head[tcp + 12] >> 4);
	if (headers < tcp + TCP_HEADER || headers > frame->head_bytes || headers >= bytes)
		return BH_DROP_MALFORMED;
	if (headers - frame->layer3 + size > mtu)
		return BH_DROP_OVERSIZE;
	if ((bytes - headers + size - 1) / size > SEGMENTS_MAX)
		return BH_DROP_MALFORMED;
	frame->segments = (uint16_t)((bytes - headers + size - 1) / size);
	frame->headers = (uint16_t)headers;
	frame->record.header_bytes = (uint16_t)headers;
	frame->offloads |= v6 ? BH_OFFLOAD_TCPV6 : BH_OFFLOAD_TCPV4;
	return FRAME_PASSES;
}

/*
 * Whoever completes the checksum writes two bytes that the sender has chosen: not into what was judged before, so only
 * behind an IP header.
 */
static bool checksum_fits(const struct frame *frame)
{
	const struct bh_frame *record = &frame->record;

	return (frame->type == TYPE_IPV4 || frame->type == TYPE_IPV6) &&
	       record->csum_start >= frame->layer3 + IPV4_HEADER &&
	       (uint32_t)record->csum_start + record->csum_offset + 2 <= record->bytes;
}

enum bh_drop frame_check(struct frame *frame, uint32_t mtu)
{
	struct bh_frame *record = &frame->record;

	frame->offloads = frame->segments = frame->headers = 0;
	if (frame_bytes(frame, true) > BH_FRAME_MAX)
		return BH_DROP_OVERSIZE;
	record->header_bytes = record->reserved = 0;
	/* That a checksum is good is what the receiver has to find out; nobody here can say so. */
	record->flags &= BH_FRAME_NEEDS_CHECKSUM;
	if (record->flags) {
		if (!checksum_fits(frame))
			return BH_DROP_MALFORMED;
		frame->offloads = BH_OFFLOAD_CHECKSUM;
	} else {
		record->csum_start = record->csum_offset = 0;
	}
	if (record->gso_type & ~BH_GSO_ECN)
		return check_segmentation(frame, mtu);
	record->gso_type = 0;
	record->gso_size = 0;
	return frame_bytes(frame, false) > mtu + ETHERNET_HEADER ? BH_DROP_OVERSIZE : FRAME_PASSES;
}

uint32_t frame_front(const struct frame *frame, bool tag, uint8_t to[ETHERNET_ADDRESSES + VLAN_TAG])
{
	__builtin_memcpy(to, frame->head, ETHERNET_ADDRESSES);
	if (!tag)
		return ETHERNET_ADDRESSES;
	bytes_put16(to + 12, TYPE_VLAN);
	bytes_put16(to + 14, frame->priority | frame->vlan);
	return ETHERNET_ADDRESSES + VLAN_TAG;
}

void frame_copy(const struct frame *frame, bool tag, uint8_t *to, uint32_t bytes)
{
	uint8_t front[ETHERNET_ADDRESSES + VLAN_TAG];
	uint32_t at = frame_front(frame, tag, front), from = frame->layer3 - 2u, count = frame->head_bytes - from;

	memcpy(to, front, bytes < at ? bytes : at);
	if (bytes <= at)
		return;
	bytes -= at;
	memcpy(to + at, frame->head + from, bytes < count ? bytes : count);
	if (bytes > count)
		frame_get(frame, frame->head_bytes, to + at + count, bytes - count);
}
