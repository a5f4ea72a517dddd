/* virtio_net_filter.h: which frames the guest wants to receive (virtio 1.1, 5.1.6.5.1 and 5.1.6.5.2). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define VIRTIO_NET_ADDRESSES 32 /* of each kind; of more all are taken */

struct virtio_net_addresses {
	unsigned count;
	bool all; /* there were more than fit */
	uint64_t address[VIRTIO_NET_ADDRESSES];
};

struct virtio_net_filter {
	bool promiscuous, all_multicast;
	uint64_t own;
	struct virtio_net_addresses unicast, multicast;
};

/* Six bytes as a number. */
static inline uint64_t virtio_net_address(const uint8_t *bytes)
{
	uint32_t low;
	uint16_t high;

	__builtin_memcpy(&low, bytes, 4);
	__builtin_memcpy(&high, bytes + 4, 2);
	return low | (uint64_t)high << 32;
}

/* As after a reset: everything is wanted. */
void virtio_net_filter_reset(struct virtio_net_filter *filter, const uint8_t *own);

/* Is a frame to `destination` wanted? */
bool virtio_net_filter_wants(const struct virtio_net_filter *filter, uint64_t destination);
