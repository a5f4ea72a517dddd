#include "state.h"
#include "guests/lib/bh.h"
#include "tls/entropy.h"

struct state *state_open(void)
{
	const struct bh_info_handle *channel = bh_find(BH_STATE_NAME, BH_HANDLE_CHANNEL);
	static struct state *own;

	if (channel && channel->bytes >= sizeof(struct state))
		return (struct state *)(uintptr_t)channel->address;
	if (own)
		return own;
	bh_printf("console: it has no channel for its state\n");
	own = bh_alloc(sizeof(*own), _Alignof(struct state));
	if (!own)
		bh_fail("no memory for the console's state");
	return own;
}

static bool is_empty(const uint8_t *seed)
{
	for (unsigned i = 0; i < BH_SEED_BYTES; i++)
		if (seed[i])
			return false;
	return true;
}

/* Our own is as good as what was known when it was made. */
void state_seed(struct state *state)
{
	uint8_t seed[BH_SEED_BYTES];

	memcpy(seed, state->seed, sizeof(seed));
	if (state->seed_is == STATE_SEED_NEW)
		state->seed_is = is_empty(seed) ? STATE_SEED_WEAK : STATE_SEED_GOOD;
	if (state->seed_is == STATE_SEED_GOOD)
		entropy_seed(seed, sizeof(seed));
	else
		entropy_add(seed, sizeof(seed));
}

void state_reseed(struct state *state) { entropy_fill(state->seed, sizeof(state->seed)); }
