/* filter.c: what says who has which address: Ethernet, ARP, neighbor discovery. */
#include "filter.h"
#include "bytes.h"

#define ARP_BYTES  28u
#define ARP_SENDER 8u

#define IPV6_NEXT	6u
#define IPV6_HEADER	40u
#define NEXT_HOP_BY_HOP 0u
#define NEXT_ROUTING	43u
#define NEXT_FRAGMENT	44u
#define NEXT_AH		51u
#define NEXT_ICMPV6	58u
#define NEXT_OPTIONS	60u
#define NEXT_MOBILITY	135u
#define NEXT_HIP	139u
#define NEXT_SHIM6	140u

/* ICMPv6 types of neighbor discovery (RFC 4861, 4), and where their options start. */
#define ND_FIRST       133u /* router solicitation, router advertisement, neighbor solicitation, */
#define ND_LAST	       137u /* neighbor advertisement, redirect */
#define ND_OPTION_SLLA 1u
#define ND_OPTION_TLLA 2u
#define ND_TYPE_OPTIONS           \
	{                         \
		8, 16, 24, 24, 40 \
	}

/* Ethernet and IPv4 (or whatever protocol): the address of the sender's hardware (RFC 826). */
SELDOM static bool arp_is_own(const struct frame *frame, uint64_t mac)
{
	const uint8_t *arp = frame->head + frame->layer3;

	if (frame->head_bytes < frame->layer3 + ARP_BYTES)
		return false;
	return bytes_get16(arp) == 1 && arp[4] == 6 && bytes_mac(arp + ARP_SENDER) == mac;
}

/* LLC with a SNAP header is another way to write an EtherType (IEEE 802, 9); stacks differ in what they take. */
SELDOM static bool snap_hides_something(const struct frame *frame)
{
	static const uint8_t snap[6] = { 0xaa, 0xaa, 3 };
	const uint8_t *llc = frame->head + frame->layer3;
	uint16_t type;

	if (frame->head_bytes < frame->layer3 + 8u || __builtin_memcmp(llc, snap, sizeof(snap)))
		return false;
	type = bytes_get16(llc + 6);
	return type == TYPE_ARP || type == TYPE_RARP || type == TYPE_IPV6 || type == TYPE_VLAN || type == TYPE_SVLAN;
}

/* The options from `at` to `end`, both within head[]. */
static bool nd_options_are_own(const struct frame *frame, uint32_t at, uint32_t end, uint64_t mac)
{
	while (at + 8 <= end) {
		const uint8_t *option = frame->head + at;
		uint32_t bytes = 8u * option[1];

		if (!bytes || bytes > end - at)
			return false;
		if ((option[0] == ND_OPTION_SLLA || option[0] == ND_OPTION_TLLA) && bytes_mac(option + 2) != mac)
			return false;
		at += bytes;
	}
	return at == end;
}

static bool nd_is_own(struct frame *frame, uint32_t icmp, uint32_t end, uint64_t mac)
{
	static const uint8_t options[] = ND_TYPE_OPTIONS;
	unsigned type = frame->head[icmp];

	if (type < ND_FIRST || type > ND_LAST)
		return true;
	/* Whoever completes a checksum could change an option. */
	if (frame->offloads || end > FRAME_HEAD_MAX)
		return false;
	frame_fetch(frame, end);
	return icmp + options[type - ND_FIRST] <= end &&
	       nd_options_are_own(frame, icmp + options[type - ND_FIRST], end, mac);
}

static bool is_extension(unsigned next)
{
	return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_FRAGMENT || next == NEXT_AH ||
	       next == NEXT_OPTIONS || next == NEXT_MOBILITY || next == NEXT_HIP || next == NEXT_SHIM6;
}

/* Bytes of the extension header (RFC 8200, 4; RFC 4302, 2.2). */
static uint32_t extension_bytes(unsigned next, const uint8_t *header)
{
	if (next == NEXT_FRAGMENT)
		return 8;
	return next == NEXT_AH ? 4u * header[1] + 8 : 8u * header[1] + 8;
}

/*
 * Goes along the extension headers (*next, from *at on). False: they do not end in what we look at. *fragment: it is a
 * part of a packet; *rest: not its first, so that what follows is no header.
 */
static bool walk_extensions(struct frame *frame, unsigned *next, uint32_t *at, bool *fragment, bool *rest)
{
	if (is_extension(*next))
		frame_fetch(frame, FRAME_HEAD_MAX);
	while (is_extension(*next) && !*rest) {
		const uint8_t *header;

		if (*at + 8 > frame->head_bytes)
			return false;
		header = frame->head + *at;
		if (*next == NEXT_FRAGMENT) {
			*fragment = true;
			*rest = bytes_get16(header + 2) & 0xfff8;
		}
		*at += extension_bytes(*next, header);
		*next = header[0];
	}
	return *rest || *next != NEXT_ICMPV6 || *at < frame->head_bytes;
}

/* May what completes the checksum change nothing of what was judged? Behind `at` there is ICMPv6, or something else. */
static bool checksum_is_harmless(const struct frame *frame, uint32_t at, bool icmp)
{
	if (!frame->offloads)
		return true;
	return icmp ? frame->record.csum_start == at && frame->record.csum_offset == 2 : frame->record.csum_start >= at;
}

__attribute__((noinline)) static bool ipv6_is_own(struct frame *frame, uint64_t mac)
{
	const uint8_t *ip = frame->head + frame->layer3;
	uint32_t at = frame->layer3 + IPV6_HEADER, end;
	bool fragment = false, rest = false;
	unsigned next;

	if (frame->head_bytes < at || ip[0] >> 4 != 6)
		return false;
	next = ip[IPV6_NEXT];
	if (next != NEXT_ICMPV6 && !is_extension(next))
		return true;
	if (!walk_extensions(frame, &next, &at, &fragment, &rest))
		return false;
	if (!checksum_is_harmless(frame, at, next == NEXT_ICMPV6))
		return false;
	if (rest || next != NEXT_ICMPV6)
		return true;
	/* No neighbor discovery in fragments (RFC 6980, 5). */
	if (fragment)
		return frame->head[at] < ND_FIRST || frame->head[at] > ND_LAST;
	end = frame->layer3 + IPV6_HEADER + bytes_get16(ip + 4);
	return end <= frame->record.bytes && nd_is_own(frame, at, end, mac);
}

enum bh_drop filter_source(struct frame *frame, uint64_t mac)
{
	bool own = frame->source == mac;

	if (frame->type == TYPE_IPV6)
		own = own && ipv6_is_own(frame, mac);
	else if (frame->type == TYPE_ARP || frame->type == TYPE_RARP)
		own = own && arp_is_own(frame, mac);
	else if (frame->type < TYPE_LENGTH)
		own = own && !snap_hides_something(frame);
	return own ? FRAME_PASSES : BH_DROP_SPOOFED;
}
