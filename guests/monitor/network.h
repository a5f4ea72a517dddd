/* network.h: the guest's network cards, and their way to the kernel. */
#pragma once
#include "machine.h"

/* Puts a card on the bus for each port. vCPU 0, after the other devices. */
void network_init(struct machine *machine, const struct bh_network_records *records);

/* I/O vCPU: one turn of each card that `events` name or that was not finished. True if one has more to do. */
bool network_service(struct machine *machine, uint64_t events);
