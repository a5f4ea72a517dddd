/*
 * table.h: which address is behind which port (IEEE 802.1Q, 8.8: the filtering database). One table for each network
 * and VLAN, all in one bounded hash.
 *
 * Fixed entries are the ports' own addresses from the configuration; nothing learned takes their place. The rest of the
 * table is divided among the ports that learn, once and for all: a port with more addresses than its part forgets its
 * own oldest, and never another's.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>

#define TABLE_VLAN_ANY 0xfffu /* of a fixed entry: in all VLANs of the network */
#define TABLE_AGE_S    300u   /* an address that was not seen for so long is forgotten */
#define TABLE_NOBODY   0xffu

/* Empty. `seed`: anything that nobody can guess; `age`: TABLE_AGE_S in ticks. */
void table_start(uint64_t seed, uint64_t age);

/* A fixed entry. False: some port has it already. Only before table_divide, for at most BH_PORT_NUMBERS ports. */
bool table_fix(unsigned network, unsigned vlan, uint64_t mac, unsigned port);

/* What is left is divided among the ports of the mask. */
void table_divide(uint64_t ports);

/* The port behind `mac`, or TABLE_NOBODY. `now` in ticks. */
unsigned table_find(unsigned network, unsigned vlan, uint64_t mac, uint64_t now);

/* `mac` was seen as a source at `port`. False: it is the fixed address of another port. */
bool table_learn(unsigned network, unsigned vlan, uint64_t mac, unsigned port, uint64_t now);

/* Forgets what was learned at `port`. */
void table_forget(unsigned port);

/* Copies at most BH_NETWORK_MACS entries that are not too old; the result is their number. Ages by `hz`. */
uint32_t table_list(struct bh_mac_entry *to, uint64_t now, uint64_t hz);
