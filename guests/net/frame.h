/*
 * frame.h: the frame that is being switched. There is one at a time.
 *
 * It stays where it came in, in a port's ring or in a NIC's buffer, and whoever wrote it may still change it there. So
 * its first bytes are fetched once into private memory; they are what is judged, and what is written to where it goes.
 * What lies behind them is copied once, from there to its destination, and nobody decides anything upon it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>
#include "guests/lib/frames.h"

#define FRAME_HEAD     144u  /* Ethernet with a tag, IPv4 and TCP with all their options: 14 + 4 + 60 + 60 */
#define FRAME_HEAD_MAX 2048u /* where more has to be judged */

#define ETHERNET_ADDRESSES 12u
#define ETHERNET_HEADER	   14u
#define VLAN_TAG	   4u

#define TYPE_IPV4   0x0800u
#define TYPE_ARP    0x0806u
#define TYPE_RARP   0x8035u
#define TYPE_VLAN   0x8100u
#define TYPE_IPV6   0x86ddu
#define TYPE_SVLAN  0x88a8u
#define TYPE_LENGTH 0x0600u /* below: no type but the length of an LLC frame (IEEE 802.3, 3.2.6) */

/* In place of enum bh_drop: nothing is wrong. */
#define FRAME_PASSES BH_DROPS

struct frame {
	struct bh_frame record;	   /* as it came; fields that do not count are 0 after frame_check */
	const struct frames *ring; /* the frame is the current record of this ring, */
	const uint8_t *data;	   /* or, without a ring, here */
	uint64_t destination, source;
	uint32_t head_bytes; /* of head[] that are filled; at least 14 */
	uint16_t vlan;	     /* of the tag; 0: none. For what came from an access port: its VLAN */
	uint16_t priority;   /* the tag's other bits */
	uint16_t type;	     /* behind a tag */
	uint16_t layer3;     /* offset of what comes then: 14 or 18 */
	uint16_t headers;    /* of a TCP segment that is to be cut: up to its payload */
	uint16_t segments;   /* into which; 0: it is not to be cut */
	uint32_t offloads;   /* BH_OFFLOAD_* that are still to be done to it */
	uint8_t head[FRAME_HEAD_MAX];
};

/* Copies `bytes` from `offset` of the frame where it lies. */
void frame_get(const struct frame *frame, uint32_t offset, void *to, uint32_t bytes);

/* Sees to it that head[] holds `bytes`, or the whole frame, or FRAME_HEAD_MAX. What is there already stays as it is. */
void frame_fetch(struct frame *frame, uint32_t bytes);

/*
 * `record`, and `ring` or `data`, are set; fetches the head and reads addresses, tag and type. BH_DROP_MALFORMED for a
 * frame that is too short, BH_DROP_VLAN for two tags or one that is not an 802.1Q tag; otherwise FRAME_PASSES.
 */
enum bh_drop frame_parse(struct frame *frame);

/*
 * After frame_parse: the offload fields and the size. Fills `offloads`, `segments` and `headers`, and puts right what
 * is only a hint. BH_DROP_MALFORMED, BH_DROP_OVERSIZE for what does not fit `mtu`, or FRAME_PASSES.
 */
enum bh_drop frame_check(struct frame *frame, uint32_t mtu);

/* Has it a tag where it lies? */
static inline bool frame_tagged(const struct frame *frame) { return frame->layer3 != ETHERNET_HEADER; }

/* Its bytes when it leaves, with a tag or without. */
static inline uint32_t frame_bytes(const struct frame *frame, bool tag)
{
	return frame->record.bytes - (frame->layer3 - ETHERNET_HEADER) + (tag ? VLAN_TAG : 0);
}

/* Addresses and tag as they leave, to `to`; the result is 12 or 16, after which comes what is from layer3 - 2 on. */
uint32_t frame_front(const struct frame *frame, bool tag, uint8_t to[ETHERNET_ADDRESSES + VLAN_TAG]);

/* The whole frame as it leaves, at most `bytes` of it. */
void frame_copy(const struct frame *frame, bool tag, uint8_t *to, uint32_t bytes);
