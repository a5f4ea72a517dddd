/* network.h: the guest's network cards, and their way to the kernel. */
#pragma once
#include "machine.h"

/* Puts a card on the bus for each port. vCPU 0, after the other devices. */
void network_init(struct machine *machine, const struct bh_network_records *records);

/*
 * I/O vCPU: one turn of each card that `events` name, that was not finished, or whose time has come. Until when (TSC,
 * BH_FOREVER, or 0: now) there is nothing to do.
 */
uint64_t network_service(struct machine *machine, uint64_t events, uint64_t now);
