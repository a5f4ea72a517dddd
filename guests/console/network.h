/*
 * network.h: the channel "network" to the net service: the ports' numbers, requests and answers, the tap's ring.
 * Nothing here prints.
 *
 * The service may be dead, slow or hostile: what lies in the channel is copied once and checked, and nobody waits for
 * it without a deadline.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>
#include "networks.h"

/*
 * Takes over the kernel's records, and the channel, whose signals become EVENT_NETWORK. Once; allocates nothing.
 */
void network_start(const struct bh_network_records *records);

/* Ports have come or gone: the records anew, and the service is told, if it runs. */
void network_refresh(void);
/* Tells it when it could not be told at once; costs nothing otherwise. */
void network_tell(void);

/* ---- the service ---- */

enum network_state { NETWORK_NO_CHANNEL, NETWORK_STOPPED, NETWORK_RUNS };
enum network_state network_state(void);

/* A number that changes with each start of the service; negative: an error. */
int64_t network_life(void);

/* ---- numbers ---- */

struct network_snapshot {
	uint64_t tsc;
	int64_t life;
	uint64_t tap_lost;
	uint8_t tap_on[BH_NETWORKS];
	struct bh_port_stat port[BH_PORT_NUMBERS]; /* by number; `words` ends with 0, and may hold any other byte */
};

/* Copies one port's numbers, as above; false if there is no channel. */
bool network_port_stat(unsigned number, struct bh_port_stat *stat);
/* Copies all numbers; false if there is no channel. They stay as they were when the service stops. */
bool network_look(struct network_snapshot *snapshot);

/* ---- requests ---- */

enum network_outcome {
	NETWORK_DONE,
	NETWORK_REFUSED,     /* the service says that an argument is wrong */
	NETWORK_GONE,	     /* it does not run; nothing was asked, or it ended before it answered */
	NETWORK_SILENT,	     /* it runs, and did not answer in time */
	NETWORK_INTERRUPTED, /* Ctrl-C came before the answer */
};

/*
 * Sends a request (network.h of the ABI says what a and b are) and does not wait. False while an earlier one has not
 * been answered: what is being read is not changed.
 */
bool network_send(enum bh_network_request operation, uint32_t a, uint32_t b);
/* The last request has its answer, and `*result` is that. */
bool network_answered(int32_t *result);

/* Sends a request when the one before is answered, and waits for the answer: three seconds for all at most. One that is
 * not answered stays: the service takes it when it comes to it, or comes back. */
enum network_outcome network_request(enum bh_network_request operation, uint32_t a, uint32_t b);

/* If the last request was this operation and is not answered, it asks for `b` from now on. A service that is just
 * reading it may still do what was asked before. */
void network_amend(enum bh_network_request operation, uint32_t b);

/* ---- the learned addresses ---- */

/* Up to `max` of what the last BH_NETWORK_TABLE gave, from entry `first` on; returns how many. Entries may name ports
 * and networks that are not there. */
unsigned network_table(struct bh_mac_entry *to, unsigned first, unsigned max);

/* ---- the tap's ring (tap.c) ---- */

uint32_t network_tap_written(void);
uint64_t network_tap_lost(void);
/* Bytes of the ring at `position`, around its end. */
void network_tap_copy(void *to, uint32_t position, uint32_t bytes);
/* All up to `position` has been read. */
void network_tap_release(uint32_t position);
