/* events.h: which event bits of the console's vCPU mean what. */
#pragma once

#define EVENT_SERIAL	   0
#define EVENT_SERIAL_MASK  (1ull << EVENT_SERIAL)
#define EVENT_CHANNELS	   1  /* the first of the channels' bits */
#define EVENT_CHANNEL_BITS 45 /* 1..45; more channels than that share bits */
#define EVENT_NETWORK	   46 /* answers and frames of the net service */
#define EVENT_ALL_MASK	   ((1ull << (EVENT_NETWORK + 1)) - 1)
