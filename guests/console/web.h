/* web.h: the console on the network, joined: TCP and TLS below, HTTP and the API above, tokens beside. */
#pragma once
#include <bulkhead/network.h>

/* Where the records have a port for the console. Once, after peers_start and network_start. */
void web_start(const struct bh_network_records *records);
