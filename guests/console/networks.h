/* networks.h: the networks and their ports, by name and number, as the kernel's records have them. */
#pragma once
#include <stdbool.h>
#include <bulkhead/network.h>

#define NETWORK_NAME_BYTES (BH_NAME_BYTES + 8)

struct network_port {
	char name[NETWORK_NAME_BYTES]; /* a guest's "alpha.0"; the console's own "console.0"; "lan.nic" */
	unsigned number, network;
	const struct bh_port *guest; /* a guest's or the console's record; NULL: a NIC's */
};

extern struct bh_network networks[BH_NETWORKS];
extern unsigned network_count;

/* By network; in each the guests' and the console's, then the NIC. */
extern struct network_port network_ports[BH_PORT_NUMBERS];
extern unsigned network_port_count;

/* Copies the records. Once, before the others. */
void networks_start(const struct bh_network_records *records);

/* The network of that name, the port of that number; -1 or NULL if there is none. */
int network_find(const char *name);
const struct network_port *network_port_numbered(unsigned number);

/* Whether `port` is `name`, or that guest's. */
bool network_port_is(const struct network_port *port, const char *name);
