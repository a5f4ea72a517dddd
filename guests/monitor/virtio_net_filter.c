/* virtio_net_filter.c: the receive filter. */
#include "virtio_net_filter.h"

#define BROADCAST 0xffffffffffffull
#define GROUP	  0x01ull /* the lowest bit of the first byte */

void virtio_net_filter_reset(struct virtio_net_filter *filter, const uint8_t *own)
{
	filter->promiscuous = true;
	filter->all_multicast = false;
	filter->own = virtio_net_address(own);
	filter->unicast.count = filter->multicast.count = 0;
	filter->unicast.all = filter->multicast.all = false;
}

static bool holds(const struct virtio_net_addresses *addresses, uint64_t address)
{
	if (addresses->all)
		return true;
	for (unsigned i = 0; i < addresses->count; i++)
		if (addresses->address[i] == address)
			return true;
	return false;
}

bool virtio_net_filter_wants(const struct virtio_net_filter *filter, uint64_t destination)
{
	if (filter->promiscuous || destination == filter->own || destination == BROADCAST)
		return true;
	if (destination & GROUP)
		return filter->all_multicast || holds(&filter->multicast, destination);
	return holds(&filter->unicast, destination);
}
