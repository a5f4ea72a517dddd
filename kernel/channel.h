/*
 * channel.h: declared shared memory between two partitions, with a signal each way.
 *
 * A channel owns its pages: either end can be restarted, and the other one sees it by the epoch.
 */
#pragma once
#include <stdint.h>
#include <stdatomic.h>
#include <bulkhead/abi.h>
#include "handle.h"
#include "partition.h"

struct vcpu;

struct channel_end {
	struct partition *partition; /* of the first; NULL: it was removed, and another can have the channel */
	uint64_t address;	     /* guest-physical; 0: not mapped */
	_Atomic uint64_t bound;	     /* vCPU | bit << 8 | 1 << 16; 0: not bound */
};

struct channel {
	char name[BH_NAME_BYTES];
	uint64_t physical, bytes;
	struct channel_end end[2];
};

#define CHANNEL_MAX (CONFIG_CHANNELS + 2 * CONFIG_PARTITIONS + BH_PORTS + 3)

/* Takes zeroed memory for a channel and maps it for both ends; a message of what is missing, or
 * NULL. With `a` at both ends it is memory that outlives a restart of `a`. */
const char *channel_create(const char *name, uint64_t bytes, struct partition *a, struct partition *b,
			   const char *name_for_a, const char *name_for_b);

/* `partition` is removed: its channels stay where they are mapped for their other ends, without handles. */
void channel_leave(const struct partition *partition);

/* Tells every peer of `partition` that it has started or ended. */
void channel_announce(struct partition *partition);

extern struct channel channels[];
extern uint32_t channel_count;

/* BH_CHANNEL_*, on a handle of the caller's. */
int64_t channel_hypercall_bind(struct vcpu *caller, const struct handle *handle, uint64_t vcpu, uint64_t bit);
int64_t channel_hypercall_signal(const struct handle *handle);
int64_t channel_hypercall_stat(const struct handle *handle);

static inline struct channel_end *channel_other_end(const struct handle *handle)
{
	return &((struct channel *)handle->object)->end[!handle->number];
}

/* Who hears of signals to this end, and its event; NULL: nobody. */
static inline struct vcpu *channel_listener(const struct channel_end *end, uint64_t *mask)
{
	uint64_t bound = atomic_load(&end->bound);

	*mask = 1ull << (bound >> 8 & 0x3f);
	return bound ? end->partition->vcpu[bound & 0xff] : NULL;
}
