/* virtio_host.h: what a card of the monitor needs around it, for fuzz targets: a kernel, a guest's RAM, a channel. */
#pragma once
#include <stdlib.h>
#include <string.h>
#include "guests/lib/bh.h"
#include "guests/monitor/virtio_net.h"

#define HOST_RAM   0x8000u
#define HOST_POKED 0x4000u /* bytes of the ring to the guest that an input can reach */

struct host {
	uint8_t *ram;			 /* from the heap, so that the sanitizer sees a step outside */
	struct bh_port_channel *channel; /* likewise */
	struct guest_memory memory;
	struct bh_port port;
	struct virtio_net net;
	struct frames from_guest, to_guest;
};

static struct bh_info host_info;
static unsigned host_log_lines;

int64_t bh_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	(void)a, (void)b, (void)c, (void)d, (void)e;
	host_log_lines += number == BH_LOG;
	return number == BH_CHANNEL_STAT ? 3 : 0;
}

const struct bh_info *bh_info(void) { return &host_info; }

uint64_t bh_rdtsc(void) { return 0; }

unsigned bh_vcpu(void) { return 0; }

static inline void host_check(int holds)
{
	if (!holds)
		abort();
}

static inline void host_msi(void *context, uint64_t address, uint32_t data)
{
	(void)context, (void)address;
	host_check(!(data & BH_MSI_LEVEL));
}

static inline void host_kick(void *context, unsigned index)
{
	(void)context;
	host_check(index == 0);
}

static inline void host_doorbell(void *context, unsigned index, uint32_t port, bool on)
{
	(void)context, (void)on;
	host_check(index == 0 && port && port < 0x10000);
}

/* The net service's ends of the rings, where they are now. */
static inline void host_channel_open(struct host *host)
{
	struct bh_port_channel *channel = host->channel;

	memset(channel, 0, offsetof(struct bh_port_channel, out));
	memset(channel->in, 0, HOST_POKED);
	channel->link = 1;
	frames_open_writer(&host->net.out, &channel->out_writer, &channel->out_reader, channel->out);
	frames_open_reader(&host->net.in, &channel->in_writer, &channel->in_reader, channel->in);
	frames_open_reader(&host->from_guest, &channel->out_writer, &channel->out_reader, channel->out);
	frames_open_writer(&host->to_guest, &channel->in_writer, &channel->in_reader, channel->in);
}

static inline void host_init(struct host *host, uint8_t queues)
{
	struct virtio_outside outside = { host_msi, host_kick, host_doorbell, NULL };
	static struct bh_signals signals;
	struct virtio_net_setup setup = { &host->port, NULL, 0, 0, &host->memory, outside, &signals };

	struct bh_port_channel *channel = host->channel; /* so large that it is kept from run to run */

	memset(host, 0, sizeof(*host));
	host_log_lines = 0;
	host->ram = aligned_alloc(4096, HOST_RAM);
	memset(host->ram, 0, HOST_RAM);
	host->channel = channel ? channel : calloc(1, sizeof(*channel));
	guest_memory_init(&host->memory, host->ram, HOST_RAM);
	host->port = (struct bh_port){ .name = "a.0", .mac = { 2, 0, 0, 0, 0, 1 }, .queues = queues, .mtu = 1500 };
	setup.channel = host->channel;
	virtio_net_init(&host->net, &setup);
	host_channel_open(host);
}

static inline void host_end(struct host *host) { free(host->ram); }

/* A word of the net service's side, or a record in its ring. */
static inline void host_channel_poke(struct host *host, uint16_t at, uint32_t value)
{
	uint32_t *words = (uint32_t *)&host->channel->out_reader;

	if (at & 0x8000)
		words[at % 40] = value;
	else
		memcpy(host->channel->in + at % HOST_POKED, &value, 4);
}

static inline void host_describe(struct host *host, uint64_t table, uint64_t address, uint32_t bytes, uint16_t flags)
{
	memcpy(host->ram + table, &address, 8);
	memcpy(host->ram + table + 8, &bytes, 4);
	memcpy(host->ram + table + 12, &flags, 2);
}

static inline void host_network_put(struct host *host, uint32_t bytes)
{
	struct bh_frame frame = { .bytes = bytes };
	static const uint8_t zero[1600];

	frames_put(&host->to_guest, 0, zero, bytes);
	frames_commit(&host->to_guest, &frame);
}
