/*
 * state.h: what outlives a restart of the console: its layout in the channel that the kernel keeps for it
 * (bulkhead/state.h). It ends with the machine's power.
 *
 * Each part says itself whether what lies there is whole; it is copied first, and then looked at.
 */
#pragma once
#include <bulkhead/state.h>
#include "creation_text.h"
#include "ip/clock.h"
#include "tls/certificate_store.h"
#include "users/journal.h"
#include "users/users.h"

enum state_seed { STATE_SEED_NEW, STATE_SEED_WEAK, STATE_SEED_GOOD };

struct state {
	uint8_t seed[BH_SEED_BYTES]; /* the firmware's, and after a first start our own */
	uint32_t seed_is;	     /* enum state_seed */
	uint32_t pad;
	struct clock_store clock;
	struct certificate_store certificate;
	struct users_store users;
	struct journal_store journal;
	char sections[CREATION_ROOM]; /* of what was made at run time; ends with 0 */
};
_Static_assert(sizeof(struct state) <= BH_STATE_BYTES, "there is room for it");

/* The channel; without one, memory of our own. */
struct state *state_open(void);

/* Gives the seed to entropy.h; before anything random is made. */
void state_seed(struct state *state);

/* Puts another one there, for the next life; when random numbers are made. */
void state_reseed(struct state *state);
