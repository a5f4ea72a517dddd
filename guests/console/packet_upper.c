/* packet_upper.c: TCP (RFC 9293, 3.1), UDP (RFC 768), ICMP (RFC 792), ICMPv6 (RFC 4443, and ND in RFC 4861). */
#include "guests/lib/bh_format.h"
#include "packet_parts.h"

#define PROTOCOL_ICMP	1
#define PROTOCOL_TCP	6
#define PROTOCOL_UDP	17
#define PROTOCOL_ICMPV6 58

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

#define ICMP_ECHO_REPLY 0
#define ICMP_ECHO	8

#define ICMPV6_ECHO	 128
#define ICMPV6_REPLY	 129
#define ICMPV6_SOLICIT	 135
#define ICMPV6_ADVERTISE 136

struct type_words {
	uint8_t type;
	const char *words;
};

static const char *words_of(const struct type_words *list, uint8_t type)
{
	for (; list->words; list++)
		if (list->type == type)
			return list->words;
	return NULL;
}

/* ---- TCP, UDP ---- */

static const char *tcp_flags(char text[9], uint8_t flags)
{
	unsigned length = 0;

	for (unsigned bit = 0; bit < 8; bit++)
		if (flags >> bit & 1)
			text[length++] = "FSRP.UEW"[bit];
	text[length] = 0;
	return length ? text : "none";
}

static void tcp(struct packet *packet)
{
	const uint8_t *header = packet_take(packet, 20, "tcp");
	uint32_t options, sequence, length;
	char flags[9];

	if (!header)
		return;
	options = (header[12] >> 4) * 4u - 20;
	if (header[12] >> 4 < 5 || options > packet->wire) {
		packet_say(packet, "TCP, bad header length %u", (header[12] >> 4) * 4u);
		return;
	}
	length = packet->wire - options;
	sequence = packet_32(header + 4);
	packet_say(packet, "Flags [%s], ", tcp_flags(flags, header[13]));
	if (length)
		packet_say(packet, "seq %u:%u, ", sequence, sequence + length);
	else if (header[13] & (TCP_SYN | TCP_FIN | TCP_RST))
		packet_say(packet, "seq %u, ", sequence);
	if (header[13] & TCP_ACK)
		packet_say(packet, "ack %u, ", packet_32(header + 8));
	packet_say(packet, "win %u, length %u", packet_16(header + 14), length);
}

static void udp(struct packet *packet)
{
	const uint8_t *header = packet_take(packet, 8, "udp");
	unsigned length;

	if (!header)
		return;
	length = packet_16(header + 4);
	if (length < 8 || length - 8 > packet->wire)
		packet_say(packet, "UDP, bad length %u", length);
	else
		packet_say(packet, "UDP, length %u", length - 8);
}

/* The ports stand at the same place in both. */
static void with_ports(struct packet *packet, const char *from, const char *to, void (*rest)(struct packet *))
{
	if (packet->left >= 4)
		packet_say(packet, "%s.%u > %s.%u: ", from, packet_16(packet->at), to, packet_16(packet->at + 2));
	else
		packet_say(packet, "%s > %s: ", from, to);
	rest(packet);
}

/* ---- ICMP ---- */

static void echo(struct packet *packet, const char *words, uint32_t length)
{
	const uint8_t *numbers = packet_take(packet, 4, "icmp");

	if (numbers)
		packet_say(packet, "%s, id %u, seq %u, length %u", words, packet_16(numbers), packet_16(numbers + 2),
			   length);
}

static void other(struct packet *packet, const char *words, const uint8_t *header, uint32_t length)
{
	if (words)
		packet_say(packet, "%s (code %u), length %u", words, header[1], length);
	else
		packet_say(packet, "type %u, code %u, length %u", header[0], header[1], length);
}

static void icmp(struct packet *packet)
{
	static const struct type_words list[] = { { 3, "unreachable" },
						  { 5, "redirect" },
						  { 11, "time exceeded" },
						  { 12, "parameter problem" },
						  { 0, NULL } };
	uint32_t length = packet->wire;
	const uint8_t *header;

	packet_say(packet, "ICMP ");
	header = packet_take(packet, 4, "icmp");
	if (!header)
		return;
	switch (header[0]) {
	case ICMP_ECHO: echo(packet, "echo request", length); break;
	case ICMP_ECHO_REPLY: echo(packet, "echo reply", length); break;
	default: other(packet, words_of(list, header[0]), header, length); break;
	}
}

/* ---- ICMPv6 ---- */

static void neighbor(struct packet *packet, const char *words, uint32_t length)
{
	const uint8_t *body = packet_take(packet, 20, "icmp6");
	char target[PACKET_ADDRESS_BYTES];

	if (body)
		packet_say(packet, "%s %s, length %u", words, packet_ipv6_address(target, body + 4), length);
}

static void icmpv6(struct packet *packet)
{
	static const struct type_words list[] = { { 1, "unreachable" },
						  { 2, "packet too big" },
						  { 3, "time exceeded" },
						  { 4, "parameter problem" },
						  { 131, "multicast listener report" },
						  { 133, "router solicitation" },
						  { 134, "router advertisement" },
						  { 137, "redirect" },
						  { 143, "multicast listener report v2" },
						  { 0, NULL } };
	uint32_t length = packet->wire;
	const uint8_t *header;

	packet_say(packet, "ICMP6, ");
	header = packet_take(packet, 4, "icmp6");
	if (!header)
		return;
	switch (header[0]) {
	case ICMPV6_ECHO: echo(packet, "echo request", length); break;
	case ICMPV6_REPLY: echo(packet, "echo reply", length); break;
	case ICMPV6_SOLICIT: neighbor(packet, "neighbor solicitation, who has", length); break;
	case ICMPV6_ADVERTISE: neighbor(packet, "neighbor advertisement, tgt is", length); break;
	default: other(packet, words_of(list, header[0]), header, length); break;
	}
}

void packet_upper(struct packet *packet, unsigned version, unsigned protocol, const char *from, const char *to)
{
	if (protocol == PROTOCOL_TCP) {
		with_ports(packet, from, to, tcp);
		return;
	}
	if (protocol == PROTOCOL_UDP) {
		with_ports(packet, from, to, udp);
		return;
	}
	packet_say(packet, "%s > %s: ", from, to);
	if (protocol == PROTOCOL_ICMP && version == 4)
		icmp(packet);
	else if (protocol == PROTOCOL_ICMPV6 && version == 6)
		icmpv6(packet);
	else
		packet_say(packet, "ip-proto-%u, length %u", protocol, packet->wire);
}
