/*
 * tap.h: the frames of one network, as they pass. The net service copies them to a ring while the tap is on; those for
 * which there is no room it counts.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "network.h"

struct tap {
	unsigned network;
	uint32_t position;  /* own: bytes of the ring ever read */
	uint64_t lost;	    /* the service's count, when it was last looked at */
	uint64_t lost_here; /* frames lost since the start */
	uint64_t broken;    /* how often the ring held what cannot be, and was emptied */
	int64_t life;	    /* of the service */
};

struct tap_frame {
	uint64_t seconds; /* since 1970, UTC */
	uint32_t microseconds;
	uint32_t bytes, kept; /* on the wire; in the ring */
	unsigned port;	      /* number of the one that it came from */
};

/* Switches the tap of `network` on. Anything but NETWORK_DONE: it is off, or will be as soon as the service listens. */
enum network_outcome tap_start(struct tap *tap, unsigned network);

/* The next frame; false: none is there. It stays until tap_done. */
bool tap_next(struct tap *tap, struct tap_frame *frame);
/* `bytes` of the frame from `offset` on: together at most `kept`. */
void tap_copy(const struct tap *tap, uint32_t offset, void *to, uint32_t bytes);
void tap_done(struct tap *tap, const struct tap_frame *frame);

/* Frames lost since this was last asked. */
uint64_t tap_lost(struct tap *tap);

/* The service has ended, or was started anew, since tap_start: nothing more will come. */
bool tap_dead(const struct tap *tap);

enum network_outcome tap_stop(struct tap *tap);
