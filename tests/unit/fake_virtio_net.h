/*
 * fake_virtio_net.h: a model of a virtio network device on PCI (virtio 1.1), as far as drivers/virtio_*.c use it,
 * behind fake_nic.h.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/abi.h>

struct fake_virtio_queue {
	uint16_t size_max, size, vector, enabled;
	uint64_t desc, driver, device;
	uint16_t seen, used; /* indexes */
	uint16_t signalled;  /* used index at the last decision about an interrupt */
	unsigned notices;
};

struct fake_virtio_net {
	uint64_t offers, accepted;
	uint32_t feature_select, driver_select;
	uint16_t queue_select, queues, config_vector;
	uint8_t status, isr;
	uint8_t config[16];
	struct fake_virtio_queue queue[2];
	bool gone, reset_hangs, refuses, no_vectors;
	bool holds;	/* sends nothing until fake_virtio_net_go */
	bool backwards; /* gives buffers back in the other order */
	unsigned interrupts, sent;
	uint8_t frame[16384];
	uint32_t frame_bytes;
};
extern struct fake_virtio_net fake_virtio_net;

/* fake_nic_reset, and a device with the address 52:54:00:12:34:56 and a link that offers all that the driver knows. */
void fake_virtio_net_reset(enum bh_device_irq kind);

/* A frame from outside; its header's first bytes are `flags` and `gso_type`. False: no buffers. */
bool fake_virtio_net_receive(const void *frame, uint32_t bytes, uint8_t flags, uint8_t gso_type);

/* An element of the used ring of queue 0, whatever it says. */
void fake_virtio_net_give(unsigned queue, uint32_t id, uint32_t bytes);

void fake_virtio_net_go(void);
void fake_virtio_net_link(bool up);
