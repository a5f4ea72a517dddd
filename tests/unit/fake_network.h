/*
 * fake_network.h: a net service with two networks, for tests of the console's shell. Included by fake_console.h.
 *
 *   lan	an uplink; linux1.0, and beta.0 in VLAN 100
 *   dmz	isolated; linux1.1, a trunk
 *
 * It answers one BH_WAIT after it was asked.
 */
#pragma once
#include <stdbool.h>
#include <string.h>
#include "guests/console/events.h"
#include "guests/console/network.h"

#define NETWORK_CHANNEL 0x60u
#define LAN		0
#define DMZ		1
#define LINUX1_0	0
#define LINUX1_1	1
#define BETA_0		2

static bool fake_networks; /* set before fake_start: there are any */
static struct bh_network_records fake_records;
static union {
	struct bh_network_channel channel;
	uint64_t words[BH_NETWORK_CHANNEL_BYTES / 8];
} fake_network;
static int64_t fake_network_life;
static bool fake_network_silent;
static int32_t fake_network_result;
static unsigned fake_network_requests;
static void (*fake_network_more)(void); /* called at each BH_WAIT, if set */

static void fake_add_port(unsigned i, const char *name, unsigned network, uint16_t vlan, uint8_t flags)
{
	struct bh_port *port = &fake_records.port[fake_records.ports++];
	struct bh_port_stat *stat = &fake_network.channel.port[i];

	strcpy(port->name, name);
	port->network = network;
	port->vlan = vlan;
	port->flags = flags;
	memcpy(port->mac, "\x52\x54\x00\x00\x00", 5);
	port->mac[5] = (uint8_t)i;
	stat->present = stat->link = stat->admin = 1;
}

static void fake_network_start(void)
{
	struct bh_port_stat *nic = &fake_network.channel.port[BH_PORT_NIC(LAN)];

	memset(&fake_records, 0, sizeof(fake_records));
	memset(&fake_network, 0, sizeof(fake_network));
	/* Another life than that of the test before. */
	fake_network_life = (fake_network_life | 1) + 2;
	fake_network_silent = false;
	fake_network_result = 0;
	fake_network_requests = 0;
	fake_network_more = NULL;
	if (!fake_networks)
		return;
	fake_records.networks = 2;
	strcpy(fake_records.network[LAN].name, "lan");
	fake_records.network[LAN].uplink = 1;
	fake_records.network[LAN].mtu = 1500;
	strcpy(fake_records.network[DMZ].name, "dmz");
	fake_records.network[DMZ].mtu = 9000;
	fake_add_port(LINUX1_0, "linux1.0", LAN, 0, 0);
	fake_add_port(LINUX1_1, "linux1.1", DMZ, 0, BH_PORT_TRUNK);
	fake_add_port(BETA_0, "beta.0", LAN, 100, 0);
	fake_network.channel.port[LINUX1_0].driver = 1;
	*nic = (struct bh_port_stat){ .present = 1, .admin = 1, .driver = 1, .words = "e1000e: no \x1b link" };
}

static void fake_answer(struct bh_network_channel *channel)
{
	channel->result = fake_network_result;
	fake_network_requests++;
	if (channel->operation == BH_NETWORK_LINK)
		channel->port[channel->a].admin = channel->b;
	if (channel->operation == BH_NETWORK_TAP)
		channel->tap_on[channel->a] = (uint8_t)channel->b;
	atomic_store(&channel->answered, channel->request);
}

/* One BH_WAIT passes; true: it signals the console. */
static bool fake_network_step(void)
{
	struct bh_network_channel *channel = &fake_network.channel;
	bool asked = channel->request != channel->answered;

	if (fake_network_more)
		fake_network_more();
	if (!asked || fake_network_silent || !(fake_network_life & 1))
		return false;
	fake_answer(channel);
	return true;
}

static void fake_tap_put(const void *from, uint32_t bytes)
{
	uint32_t at = fake_network.channel.tap_written;

	for (uint32_t i = 0; i < bytes; i++)
		fake_network.channel.tap[(at + i) % BH_TAP_BYTES] = ((const uint8_t *)from)[i];
	fake_network.channel.tap_written = at + bytes;
}

/* A frame that the tap of `network` copies. */
static inline void fake_tap(unsigned network, unsigned port, uint64_t tsc, const void *frame, uint16_t kept,
			    uint32_t bytes)
{
	static const uint8_t padding[16];
	struct bh_tap_record record = { tsc, bytes, kept, (uint8_t)port, (uint8_t)network };

	fake_tap_put(&record, sizeof(record));
	fake_tap_put(frame, kept);
	fake_tap_put(padding, -kept & 15);
}
