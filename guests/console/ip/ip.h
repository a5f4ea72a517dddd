/*
 * ip.h: the console on a network: lwIP on the console's port, driven by pump_wait. Addresses come from the
 * configuration or from DHCP, and for IPv6 from routers' advertisements; contact.h gets them.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>
#include "lwip/tcp.h"

/* If the records have a port for the console: takes it, and from then on works in pump_wait. Once. */
bool ip_start(const struct bh_network_records *records);

/*
 * Accepts TCP connections to `port` at all addresses. They start with the lowest priority but one, so that whoever is
 * served is to get TCP_PRIO_NORMAL, and who is closing TCP_PRIO_MIN: the latter give way to new ones. False: no memory.
 */
bool ip_listen(uint16_t port, tcp_accept_fn accept);

/* Milliseconds since the machine was switched on. */
uint64_t ip_now_ms(void);
