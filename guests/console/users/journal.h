/*
 * journal.h: the audit log: who did what, from where, when, and what came of it. A ring in private memory; the oldest
 * entries go first. Texts are ours but for names, which may hold any byte. Each entry is also written to memory of the
 * caller, which may outlive this service: an entry that was being written when it ended is not there for the next.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define JOURNAL_ENTRIES 512

struct journal_entry {
	uint64_t number;  /* grows by one, from 1 */
	uint64_t seconds; /* since 1970 */
	char who[32];	  /* a token's name; "serial line" */
	char source[48];  /* an address; "" */
	char what[80];
	char result[48];
};

struct journal_kept {
	struct journal_entry entry;
	uint64_t check;
};

struct journal_store {
	struct journal_kept kept[JOURNAL_ENTRIES];
};

/*
 * Goes on behind what `store` holds of a former life; NULL: nothing is kept. The clock: without one all times are 0.
 */
void journal_start(struct journal_store *store, uint64_t (*seconds)(void));

/* Who acts from now on, until the next call: what journal_add writes. */
void journal_actor(const char *who, const char *source);
void journal_add(const char *result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Numbers of the oldest entry that is kept, and of the one that comes next. */
uint64_t journal_first(void);
uint64_t journal_next(void);
/* NULL: it is not kept, or not yet written. Valid until the next is added. */
const struct journal_entry *journal_entry(uint64_t number);
