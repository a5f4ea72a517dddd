/*
 * virtio_net_flow.h: which queue pair a flow belongs to: the one that sent last (virtio 1.1, 5.1.6.5.5). Both
 * directions of a flow have the same hash. What is guessed wrong costs speed and nothing else.
 */
#pragma once
#include <stdint.h>

#define VIRTIO_NET_FLOWS      256
#define VIRTIO_NET_FLOW_BYTES 64u /* of a frame that are looked at */

struct virtio_net_flows {
	uint8_t pair[VIRTIO_NET_FLOWS];
};

/* Of a frame's first bytes: 0 to VIRTIO_NET_FLOWS - 1. Frames that are not IP have 0. */
unsigned virtio_net_flow(const uint8_t *frame, uint32_t bytes);
