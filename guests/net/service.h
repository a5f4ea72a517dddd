/* service.h: the net service as a whole. */
#pragma once
#include <bulkhead/network.h>

/* Once. `records` are the kernel's and stay as they are. */
void service_start(const struct bh_network_records *records);

/* Waits until something is to be done, and does it. */
void service_turn(void);

/* The guests' ports anew: the records have changed. */
void service_ports(void);
