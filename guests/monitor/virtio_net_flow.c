/* virtio_net_flow.c: addresses and ports of a frame, folded. */
#include "virtio_net_flow.h"

#define ETHERNET_BYTES 14
#define TYPE_IPV4      0x0008 /* as read from a frame, little-endian */
#define TYPE_IPV6      0xdd86
#define TYPE_VLAN      0x0081
#define TAG_BYTES      4
#define PROTOCOL_TCP   6
#define PROTOCOL_UDP   17
#define SPREAD	       0x9e3779b1u /* 2^32 by the golden ratio, a prime: all bits reach the upper eight (Knuth 6.4) */
#define FRAGMENT       0xff3f	   /* offset and "more fragments", likewise */

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	__builtin_memcpy(&value, at, 4);
	return value;
}

static uint32_t get16(const uint8_t *at)
{
	uint16_t value;

	__builtin_memcpy(&value, at, 2);
	return value;
}

/* Source and destination port, exchangeable. */
static uint32_t ports(const uint8_t *at, const uint8_t *end, uint8_t protocol)
{
	if ((protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP) || end - at < 4)
		return 0;
	return get16(at) ^ get16(at + 2);
}

static uint32_t hash_ipv4(const uint8_t *ip, const uint8_t *end)
{
	uint32_t addresses;

	if (end - ip < 20)
		return 0;
	addresses = get32(ip + 12) ^ get32(ip + 16);
	if (get16(ip + 6) & FRAGMENT)
		return addresses;
	return addresses ^ ports(ip + 4 * (ip[0] & 15), end, ip[9]);
}

static uint32_t hash_ipv6(const uint8_t *ip, const uint8_t *end)
{
	uint32_t addresses = 0;

	if (end - ip < 40)
		return 0;
	for (unsigned i = 8; i < 40; i += 4)
		addresses ^= get32(ip + i);
	return addresses ^ ports(ip + 40, end, ip[6]);
}

unsigned virtio_net_flow(const uint8_t *frame, uint32_t bytes)
{
	const uint8_t *end = frame + bytes, *ip = frame + ETHERNET_BYTES;
	uint32_t hash = 0, type;

	if (bytes < ETHERNET_BYTES + TAG_BYTES)
		return 0;
	type = get16(frame + 12);
	if (type == TYPE_VLAN) {
		type = get16(frame + 16);
		ip += TAG_BYTES;
	}
	if (type == TYPE_IPV4)
		hash = hash_ipv4(ip, end);
	else if (type == TYPE_IPV6)
		hash = hash_ipv6(ip, end);
	return hash * SPREAD >> 24;
}
