/* packet_ip.c: IPv4 (RFC 791, 3.1), IPv6 and its extension headers (RFC 8200, 3 and 4). */
#include "guests/lib/bh_format.h"
#include "packet_parts.h"

#define IPV4_OFFSET 0x1fff /* of a fragment, in 8 bytes */

#define NEXT_HOP_BY_HOP	 0
#define NEXT_ROUTING	 43
#define NEXT_FRAGMENT	 44
#define NEXT_NONE	 59
#define NEXT_DESTINATION 60

const char *packet_ipv4_address(char text[PACKET_ADDRESS_BYTES], const uint8_t *address)
{
	bh_snprintf(text, PACKET_ADDRESS_BYTES, "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
	return text;
}

/* The first of the longest runs of two zero groups or more, and how long it is. */
static unsigned longest_zeros(const uint8_t *address, unsigned *count)
{
	unsigned first = 8, run = 0;

	*count = 1;
	for (unsigned i = 0; i < 8; i++) {
		run = packet_16(address + 2 * i) ? 0 : run + 1;
		if (run > *count) {
			*count = run;
			first = i + 1 - run;
		}
	}
	return first;
}

const char *packet_ipv6_address(char text[PACKET_ADDRESS_BYTES], const uint8_t *address)
{
	unsigned zeros, skip = longest_zeros(address, &zeros);
	int length = 0;

	text[0] = 0;
	for (unsigned i = 0; i < 8; i++) {
		size_t room = PACKET_ADDRESS_BYTES - (size_t)length;

		if (i == skip) {
			length += bh_snprintf(text + length, room, "::");
			i += zeros - 1;
			continue;
		}
		length += bh_snprintf(text + length, room, "%s%x", i && i != skip + zeros ? ":" : "",
				      packet_16(address + 2 * i));
	}
	return text;
}

static void fragment(struct packet *packet, const char *from, const char *to, unsigned protocol, unsigned offset)
{
	packet_say(packet, "%s > %s: fragment of protocol %u at %u, length %u", from, to, protocol, offset,
		   packet->wire);
}

/* ---- IPv4 ---- */

/* The header says how long the whole is; a segment that a NIC is still to cut may say nothing. */
static bool ipv4_limit(struct packet *packet, uint32_t total, uint32_t header)
{
	if (total == 0)
		return true;
	if (total < header) {
		packet_say(packet, "bad length %u", total);
		return false;
	}
	if (total - header > packet->wire)
		packet_say(packet, "truncated-ip - %u bytes missing! ", total - header - packet->wire);
	packet_limit(packet, total - header);
	return true;
}

void packet_ipv4(struct packet *packet)
{
	char from[PACKET_ADDRESS_BYTES], to[PACKET_ADDRESS_BYTES];
	const uint8_t *header;
	uint32_t bytes;

	packet_say(packet, "IP ");
	header = packet_take(packet, 20, "ip");
	if (!header)
		return;
	bytes = (header[0] & 15) * 4u;
	if (header[0] >> 4 != 4 || bytes < 20) {
		packet_say(packet, "bad header 0x%02x", header[0]);
		return;
	}
	if (!packet_take(packet, bytes - 20, "ip") || !ipv4_limit(packet, packet_16(header + 2), bytes))
		return;
	packet_ipv4_address(from, header + 12);
	packet_ipv4_address(to, header + 16);
	if (packet_16(header + 6) & IPV4_OFFSET)
		fragment(packet, from, to, header[9], (packet_16(header + 6) & IPV4_OFFSET) * 8u);
	else
		packet_upper(packet, 4, header[9], from, to);
}

/* ---- IPv6 ---- */

/* Passes the extension headers. False when there is nothing behind them to show: `*offset` is then that of a fragment
 * beyond the first, or 0 and something was said. */
static bool extensions(struct packet *packet, uint8_t *next, unsigned *offset)
{
	const uint8_t *header;

	*offset = 0;
	while (*next == NEXT_HOP_BY_HOP || *next == NEXT_ROUTING || *next == NEXT_FRAGMENT ||
	       *next == NEXT_DESTINATION) {
		header = packet_take(packet, 8, "ip6");
		if (!header)
			return false;
		if (*next == NEXT_FRAGMENT)
			*offset = packet_16(header + 2) & 0xfff8;
		else if (!packet_take(packet, header[1] * 8u, "ip6"))
			return false;
		*next = header[0];
		if (*offset)
			return false;
	}
	return true;
}

void packet_ipv6(struct packet *packet)
{
	char from[PACKET_ADDRESS_BYTES], to[PACKET_ADDRESS_BYTES];
	const uint8_t *header;
	unsigned offset;
	uint8_t next;

	packet_say(packet, "IP6 ");
	header = packet_take(packet, 40, "ip6");
	if (!header)
		return;
	if (header[0] >> 4 != 6) {
		packet_say(packet, "bad header 0x%02x", header[0]);
		return;
	}
	/* 0: a jumbogram, or a segment that a NIC is still to cut. */
	if (packet_16(header + 4))
		packet_limit(packet, packet_16(header + 4));
	next = header[6];
	packet_ipv6_address(from, header + 8);
	packet_ipv6_address(to, header + 24);
	if (extensions(packet, &next, &offset)) {
		if (next == NEXT_NONE)
			packet_say(packet, "%s > %s: no next header", from, to);
		else
			packet_upper(packet, 6, next, from, to);
	} else if (offset) {
		fragment(packet, from, to, next, offset);
	}
}
