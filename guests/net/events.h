/* events.h: who signals what: event bits of vCPU 0. */
#pragma once
#include <bulkhead/network.h>

#define EVENT_PORT    0u  /* and up: the guests' ports by number */
#define EVENT_NIC     32u /* and up: the NICs by network */
#define EVENT_CONSOLE 40u

_Static_assert(EVENT_PORT + BH_PORTS <= EVENT_NIC && EVENT_NIC + BH_NETWORKS <= EVENT_CONSOLE, "bits do not meet");
/* So that a set of events is a set of ports. */
_Static_assert(BH_PORT_NIC(0) == EVENT_NIC && BH_PORT_NUMBERS == EVENT_CONSOLE, "as the ports' numbers");

#define EVENT_PORTS ((1ull << EVENT_CONSOLE) - 1)
#define EVENT_ALL   (EVENT_PORTS | 1ull << EVENT_CONSOLE)
