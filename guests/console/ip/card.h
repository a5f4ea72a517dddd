/*
 * card.h: the console's network card: lwIP's netif on the two rings of a port (bulkhead/network.h).
 *
 * The net service at the other end may be dead, restarting or hostile: what it says is read once and checked.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>
#include "lwip/netif.h"

/* Takes over the channel, whose signals become EVENT_PORT. False, with words in the log: it cannot be used. */
bool card_open(const struct bh_port *port);

/* For netif_add. */
err_t card_init(struct netif *netif);

/* The net service runs, and nobody has taken the port's link down. */
bool card_link(void);

/* Hands what has come to lwIP, for `ticks` of the TSC at most. True: there is more. */
bool card_receive(struct netif *netif, uint64_t ticks);

/* After a turn: signals the net service if it asked for it. */
void card_flush(void);

/* Before a wait: asks for a signal. False: something has come meanwhile. */
bool card_may_sleep(void);
