/*
 * port.h: the ports of all networks: what they are, and what is kept about each. Numbers as in bulkhead/network.h.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdatomic.h>
#include <bulkhead/network.h>
#include "drivers/nic.h"
#include "guests/lib/frames.h"
#include "guests/lib/signals.h"
#include "police.h"
#include "share.h"

_Static_assert(BH_PORT_NUMBERS <= 64, "sets of ports are words of 64 bits");

struct port {
	uint64_t bit; /* 1 << number */
	uint8_t number, network;
	bool trusted; /* may send from any address; its addresses are learned */
	bool trunk;   /* with tags, of all VLANs */
	bool refused; /* its address is another port's: nothing that comes from it is forwarded */
	bool admin;   /* not taken down from the console */
	bool stalled; /* as a destination: made no room in time; nobody waits for it until it has */
	uint16_t vlan;
	uint32_t mtu;
	uint64_t mac;
	struct bh_port_stat *stat; /* in the channel "network": the console may write there, so only to be counted up */

	/* A guest's port has a channel; a NIC's has a NIC. */
	struct bh_port_channel *channel;
	bh_handle handle;
	struct frames out, in; /* from it, to it */
	struct nic *nic;

	/* As a source (queue.c): */
	int64_t credit;		/* what it may still spend in this turn */
	uint64_t rests;		/* is not served before; 0: does not rest */
	uint64_t waits_since;	/* for room at a destination; 0: does not wait */
	uint64_t waiters;	/* as a destination: ports that wait for room here */
	struct bucket rate;	/* bytes */
	struct bucket many;	/* frames to many */
	struct bucket patience; /* ticks that it may wait for others */
	uint32_t broken;
};

struct network {
	char name[BH_NAME_BYTES];
	uint64_t ports;	   /* that there are */
	uint64_t learning; /* of these, the trusted ones: an address that is not known may be there */
	bool trunks;	   /* guests' trunk ports have fixed addresses in all VLANs */
	bool tap;
};

struct net {
	struct network network[BH_NETWORKS];
	struct port port[BH_PORT_NUMBERS];
	struct share share[BH_PORTS]; /* of the guests' `in` rings */
	uint64_t guests;	      /* ports that there are */
	uint64_t nics;
	uint64_t now;	/* TSC, once a turn */
	uint64_t wrote; /* ports to which frames went in this turn, */
	uint64_t took;	/* and from which */
	unsigned networks;
	struct bh_network_channel *channel; /* NULL: there is none */
	bh_handle handle;
	struct bh_signals signals; /* the last one of a turn goes with the wait after it */
};

extern struct net net;

/*
 * Makes the guests' ports from the configuration's records and the channels that the kernel gave. A port without its
 * channel, or with an address that another has, is said in the log and left out or refused. At start, and when they
 * have changed.
 */
void port_start(const struct bh_network_records *records);

/* The guests' ports go, and nobody waits for anybody any more: before port_start finds those that there are now. */
void port_forget(void);
/* The numbers of these, which did not come back. */
void port_gone(uint64_t ports);

/* After the NICs' ports are there as well: fixed addresses, and who learns. */
void port_start_table(void);

/* Common to all kinds: `number` is there, on `network`, and counts at its place in the channel "network". */
struct port *port_add(unsigned number, unsigned network);

/* Can it take frames: up, with a driver, or with a NIC that has a link? */
static inline bool port_is_open(const struct port *port)
{
	if (!port->admin)
		return false;
	if (port->nic)
		return port->nic->state == NIC_RUNS && port->nic->link;
	return atomic_load_explicit(&port->channel->driver, memory_order_relaxed) != 0;
}

/* What its driver takes; BH_OFFLOAD_*. */
static inline uint32_t port_offloads(const struct port *port)
{
	return port->nic ? 0 : atomic_load_explicit(&port->channel->offloads, memory_order_relaxed);
}

/* Is it in that VLAN, and do its frames carry the tag there? */
static inline bool port_has_vlan(const struct port *port, unsigned vlan) { return port->trunk || port->vlan == vlan; }

static inline bool port_tags(const struct port *port, unsigned vlan) { return port->trunk && vlan; }

/* The administrator's switch: tells the guest, and forgets what was learned there. */
void port_set_link(struct port *port, bool up);

/* Once a second, and when asked: what the console sees of states. */
void port_refresh(struct port *port);

/* Drops one frame for that reason. */
static inline void port_drop(struct port *port, enum bh_drop why) { port->stat->drops[why]++; }

/* At the end of a turn: signals whoever has asked for it, and sends what NICs were given. */
void port_flush(void);
