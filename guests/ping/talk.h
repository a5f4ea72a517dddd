/*
 * talk.h: what ping and pong write into their channel "talk".
 *
 * Each side has one slot, which only it writes: ping's request, pong's reply. A slot is complete
 * when its check fits, so a reader copies it and then looks; what does not fit is as good as not
 * there. A reply bears the sequence number of its request. Who restarts finds the other's slot and
 * goes on from there.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct talk_slot {
	uint64_t sequence; /* 0: nothing yet */
	uint64_t value;
	uint64_t check; /* talk_check of the two */
	uint64_t pad[5];
};

struct talk {
	struct talk_slot request; /* written by ping */
	struct talk_slot reply;	  /* written by pong */
};

#define TALK_EVENT_TERMINAL 0 /* events of both programs */
#define TALK_EVENT_TALK	    1

static inline uint64_t talk_check(uint64_t sequence, uint64_t value)
{
	return (sequence * 0x9e3779b97f4a7c15ull ^ value) * 0xbf58476d1ce4e5b9ull + 1;
}

/* What pong makes of a value. */
static inline uint64_t talk_answer(uint64_t value) { return value * value + 1; }

/* Copies a complete slot; false if it is empty, half written, or nonsense. */
static inline bool talk_read(const struct talk_slot *slot, uint64_t *sequence, uint64_t *value)
{
	*sequence = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
	*value = __atomic_load_n(&slot->value, __ATOMIC_ACQUIRE);
	return *sequence && __atomic_load_n(&slot->check, __ATOMIC_ACQUIRE) == talk_check(*sequence, *value);
}

/* The check last: it makes the slot whole. */
static inline void talk_write(struct talk_slot *slot, uint64_t sequence, uint64_t value)
{
	__atomic_store_n(&slot->check, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->sequence, sequence, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->value, value, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->check, talk_check(sequence, value), __ATOMIC_RELEASE);
}
