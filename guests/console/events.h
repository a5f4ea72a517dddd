/* events.h: which event bits of the console's vCPU mean what. */
#pragma once

#define EVENT_SERIAL	   0
#define EVENT_SERIAL_MASK  (1ull << EVENT_SERIAL)
#define EVENT_CHANNELS	   1  /* the first of the channels' bits */
#define EVENT_CHANNEL_BITS 46 /* 1..46; more channels than that share bits */
#define EVENT_ALL_MASK	   ((1ull << (EVENT_CHANNELS + EVENT_CHANNEL_BITS)) - 1)
