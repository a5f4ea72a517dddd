/*
 * peers.h: the partitions that the console looks after, each with its handle, its channel and what
 * it printed.
 *
 * The table follows from the information page: a peer for each handle of a partition, in the
 * kernel's order, and the channel of the same name, if there is one.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/lib/bh.h"
#include "guests/lib/terminal.h"
#include "scrollback.h"

#define PEERS_MAX BH_INFO_HANDLES

struct peer {
	char name[BH_NAME_BYTES]; /* "": it was removed, and another may take its place */
	enum bh_kind kind;
	bool runtime; /* made at run time */
	bh_handle partition;
	bool has_channel;
	unsigned event; /* bit that the channel's signals set; others may share it */
	struct terminal terminal;
	struct scrollback scrollback;
	struct peer *monitor; /* a guest's; NULL: none */
	struct peer *guest;   /* a monitor's; NULL: none */
	/* As it was when somebody last looked (watch.c). */
	uint64_t seen_state, seen_cause, seen_started;
};

extern struct peer peers[PEERS_MAX];
extern unsigned peer_count;

/* Fills the table and binds the channels to events of vCPU 0. Once. */
void peers_start(void);

/* After partitions were made or removed: who is there keeps his place. */
void peers_refresh(void);

/* The peer of that name; NULL if there is none. */
struct peer *peers_find(const char *name);

/*
 * Moves what the partitions have printed into their scrollback, for those whose event bit is in
 * `events`. What `attached` (or NULL) prints goes to the screen too, as long as there is room for
 * it.
 */
void peers_receive(uint64_t events, const struct peer *attached);

/* BH_PARTITION_STAT; negative: an error. */
int64_t peer_stat(const struct peer *peer, enum bh_stat field, uint64_t index);

/* The state in words: "running", "stopped: powered off", ... */
const char *peer_state_words(uint64_t state, uint64_t cause);
const char *peer_kind_words(enum bh_kind kind);

/* It is in no state but stopped or failed. */
bool peer_alive(const struct peer *peer);
