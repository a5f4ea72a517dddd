/* events.h: which event bits of the console's vCPU mean what. */
#pragma once

#define EVENT_SERIAL	   0
#define EVENT_SERIAL_MASK  (1ull << EVENT_SERIAL)
#define EVENT_CHANNELS	   1  /* the first of the channels' bits */
#define EVENT_CHANNEL_BITS 44 /* 1..44; more channels than that share bits */
#define EVENT_PORT	   45 /* the console's own port on a network */
#define EVENT_PORT_MASK	   (1ull << EVENT_PORT)
#define EVENT_NETWORK	   46 /* answers and frames of the net service */
#define EVENT_ALL_MASK	   ((1ull << (EVENT_NETWORK + 1)) - 1)
