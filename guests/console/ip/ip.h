/*
 * ip.h: the console on a network: lwIP on the console's port, driven by pump_wait. Addresses come from the
 * configuration or from DHCP, and for IPv6 from routers' advertisements; contact.h gets them.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>

/* If the records have a port for the console: takes it, and from then on works in pump_wait. Once. */
bool ip_start(const struct bh_network_records *records);

/* Milliseconds since the machine was switched on. */
uint64_t ip_now_ms(void);

/* Seconds since 1970: the machine's clock at its start, or later what a server said. */
uint64_t ip_clock(void);

/* For lwIP (arch/cc.h). */
void ip_set_clock(uint32_t seconds);
