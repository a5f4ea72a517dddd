/* packet.c: Ethernet (IEEE 802.3, 3.2), VLAN tags (802.1Q, 9.6) and ARP (RFC 826). */
#include "packet.h"
#include <stdarg.h>
#include "guests/lib/bh_format.h"
#include "packet_parts.h"

#define TYPE_LEAST 0x600 /* below it is a length */
#define TYPE_IPV4  0x800
#define TYPE_ARP   0x806
#define TYPE_VLAN  0x8100
#define TYPE_IPV6  0x86dd
#define TYPE_QINQ  0x88a8

#define ARP_ETHERNET 1
#define ARP_REQUEST  1
#define ARP_REPLY    2

#define MAC_FORMAT   "%02x:%02x:%02x:%02x:%02x:%02x"
#define MAC_BYTES(m) (m)[0], (m)[1], (m)[2], (m)[3], (m)[4], (m)[5]

/* ---- what the parts share ---- */

void packet_say(struct packet *packet, const char *format, ...)
{
	size_t room = PACKET_LINE_BYTES - packet->length;
	va_list list;

	va_start(list, format);
	int added = bh_vsnprintf(packet->text + packet->length, room, format, list);
	va_end(list);
	packet->length += (size_t)added < room ? (size_t)added : room - 1;
}

const uint8_t *packet_take(struct packet *packet, uint32_t bytes, const char *name)
{
	const uint8_t *at = packet->at;

	if (packet->left < bytes) {
		packet_say(packet, "[|%s]", name);
		return NULL;
	}
	packet->at += bytes;
	packet->left -= bytes;
	packet->wire -= bytes;
	return at;
}

void packet_limit(struct packet *packet, uint32_t bytes)
{
	if (packet->wire > bytes)
		packet->wire = bytes;
	if (packet->left > bytes)
		packet->left = bytes;
}

uint16_t packet_16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

uint32_t packet_32(const uint8_t *at) { return (uint32_t)packet_16(at) << 16 | packet_16(at + 2); }

/* ---- ARP ---- */

static void arp(struct packet *packet)
{
	char sender[PACKET_ADDRESS_BYTES], target[PACKET_ADDRESS_BYTES];
	uint32_t length = packet->wire;
	const uint8_t *header, *body;

	packet_say(packet, "ARP, ");
	header = packet_take(packet, 8, "arp");
	if (!header)
		return;
	if (packet_16(header) != ARP_ETHERNET || packet_16(header + 2) != TYPE_IPV4 || header[4] != 6 ||
	    header[5] != 4) {
		packet_say(packet, "hardware %u, protocol 0x%04x, length %u", packet_16(header), packet_16(header + 2),
			   length);
		return;
	}
	body = packet_take(packet, 20, "arp");
	if (!body)
		return;
	packet_ipv4_address(sender, body + 6);
	packet_ipv4_address(target, body + 16);
	switch (packet_16(header + 6)) {
	case ARP_REQUEST: packet_say(packet, "Request who-has %s tell %s", target, sender); break;
	case ARP_REPLY: packet_say(packet, "Reply %s is-at " MAC_FORMAT, sender, MAC_BYTES(body)); break;
	default: packet_say(packet, "operation %u", packet_16(header + 6)); break;
	}
	packet_say(packet, ", length %u", length);
}

/* ---- Ethernet ---- */

static void unknown(struct packet *packet, const uint8_t *addresses, uint16_t type)
{
	packet_say(packet, MAC_FORMAT " > " MAC_FORMAT ", ", MAC_BYTES(addresses + 6), MAC_BYTES(addresses));
	if (type < TYPE_LEAST)
		packet_say(packet, "802.3, length %u", type);
	else
		packet_say(packet, "ethertype 0x%04x, length %u", type, packet->wire);
}

static void ethernet(struct packet *packet)
{
	const uint8_t *header = packet_take(packet, 14, "ether"), *tag;
	uint16_t type;

	if (!header)
		return;
	type = packet_16(header + 12);
	while (type == TYPE_VLAN || type == TYPE_QINQ) {
		tag = packet_take(packet, 4, "vlan");
		if (!tag)
			return;
		packet_say(packet, "vlan %u, p %u, ", packet_16(tag) & 0xfff, packet_16(tag) >> 13);
		type = packet_16(tag + 2);
	}
	switch (type) {
	case TYPE_ARP: arp(packet); break;
	case TYPE_IPV4: packet_ipv4(packet); break;
	case TYPE_IPV6: packet_ipv6(packet); break;
	default: unknown(packet, header, type); break;
	}
}

const char *packet_line(char text[PACKET_LINE_BYTES], const uint8_t *frame, uint32_t kept, uint32_t bytes)
{
	struct packet packet = { frame, kept, bytes < kept ? kept : bytes, text, 0 };

	text[0] = 0;
	ethernet(&packet);
	return text;
}
