#include "network.h"
#include "events.h"
#include "guests/lib/bh.h"
#include "pump.h"
#include "serial.h"

#define PATIENCE_MS 3000
#define STEP_MS	    20 /* a signal that is lost costs so much */

typedef uint64_t __attribute__((may_alias)) word;

static struct bh_network_channel *channel; /* NULL: there is none */
static bh_handle handle;
static uint32_t number; /* of the last request; what stands in the channel anybody may have changed */
static enum bh_network_request last;
static const struct bh_network_records *source;
static bool changed; /* the service is still to be told so of the ports */

/* ---- the channel ---- */

/* By its size as well: a partition could be called "network", and have its terminal under that name. */
static const struct bh_info_handle *find_channel(void)
{
	const struct bh_info *info = bh_info();

	for (uint32_t i = 0; i < info->handles && i < BH_INFO_HANDLES; i++) {
		const struct bh_info_handle *entry = &info->handle[i];

		if (entry->type == BH_HANDLE_CHANNEL && !strcmp(entry->name, "network") &&
		    entry->bytes >= sizeof(struct bh_network_channel))
			return entry;
	}
	return NULL;
}

void network_start(const struct bh_network_records *records)
{
	const struct bh_info_handle *found = find_channel();

	source = records;
	networks_start(records);
	channel = NULL;
	changed = false;
	if (!found)
		return;
	channel = (struct bh_network_channel *)(uintptr_t)found->address;
	handle = found->handle;
	/* A request of the console's former life may be unanswered still. */
	number = atomic_load(&channel->request);

	int64_t error = bh_call3(BH_CHANNEL_BIND, handle, 0, EVENT_NETWORK);

	if (error)
		bh_printf("console: cannot listen to the net service: error %d\n", (int)error);
}

int64_t network_life(void) { return channel ? bh_call1(BH_CHANNEL_STAT, handle) : -BH_EBADF; }

enum network_state network_state(void)
{
	int64_t life = network_life();

	if (!channel)
		return NETWORK_NO_CHANNEL;
	return life >= 0 && life & 1 ? NETWORK_RUNS : NETWORK_STOPPED;
}

/* Copies words, each of them whole: a number that is being counted up is never seen half. */
static void copy(void *to, const void *from, size_t bytes)
{
	word *private = to;
	const word *shared = from;

	for (size_t i = 0; i < bytes / sizeof(word); i++)
	private[i] = __atomic_load_n(&shared[i], __ATOMIC_RELAXED);
}

bool network_port_stat(unsigned port_number, struct bh_port_stat *stat)
{
	_Static_assert(sizeof(*stat) % sizeof(word) == 0, "copied by words");

	if (!channel)
		return false;
	copy(stat, &channel->port[port_number], sizeof(*stat));
	stat->words[sizeof(stat->words) - 1] = 0;
	return true;
}

bool network_look(struct network_snapshot *snapshot)
{
	_Static_assert(sizeof(snapshot->tap_on) % sizeof(word) == 0, "copied by words");

	if (!channel)
		return false;
	snapshot->life = network_life();
	snapshot->tsc = bh_rdtsc();
	snapshot->tap_lost = network_tap_lost();
	copy(snapshot->tap_on, channel->tap_on, sizeof(snapshot->tap_on));
	for (unsigned i = 0; i < BH_PORT_NUMBERS; i++)
		network_port_stat(i, &snapshot->port[i]);
	return true;
}

/* ---- requests ---- */

bool network_answered(int32_t *result)
{
	if (!channel || atomic_load(&channel->answered) != number)
		return false;
	*result = __atomic_load_n(&channel->result, __ATOMIC_RELAXED);
	return true;
}

bool network_send(enum bh_network_request operation, uint32_t a, uint32_t b)
{
	int32_t ignored;

	if (!network_answered(&ignored))
		return false;
	last = operation;
	channel->operation = operation;
	channel->a = a;
	channel->b = b;
	atomic_store(&channel->request, ++number);
	bh_call1(BH_CHANNEL_SIGNAL, handle);
	return true;
}

void network_refresh(void)
{
	networks_start(source);
	changed = true;
	network_tell();
}

/* One request at a time: if another is still unanswered it is told later. */
void network_tell(void)
{
	if (changed && network_state() == NETWORK_RUNS && network_send(BH_NETWORK_PORTS, 0, 0))
		changed = false;
}

static enum network_outcome await(uint64_t deadline, int32_t *result)
{
	while (!network_answered(result)) {
		uint64_t now = bh_rdtsc(), step = now + bh_ticks_ms(STEP_MS);

		if (serial_interrupted())
			return NETWORK_INTERRUPTED;
		if (now >= deadline)
			return network_state() == NETWORK_RUNS ? NETWORK_SILENT : NETWORK_GONE;
		/* Again: if it was started anew meanwhile, it did not hear the signal that came with the request. */
		bh_call1(BH_CHANNEL_SIGNAL, handle);
		pump_wait(step < deadline ? step : deadline);
	}
	return NETWORK_DONE;
}

enum network_outcome network_request(enum bh_network_request operation, uint32_t a, uint32_t b)
{
	uint64_t deadline = bh_rdtsc() + bh_ticks_ms(PATIENCE_MS);
	enum network_outcome outcome;
	int32_t result;

	if (network_state() != NETWORK_RUNS)
		return NETWORK_GONE;
	outcome = await(deadline, &result);
	if (outcome != NETWORK_DONE)
		return outcome;
	network_send(operation, a, b);
	outcome = await(deadline, &result);
	return outcome == NETWORK_DONE && result ? NETWORK_REFUSED : outcome;
}

void network_amend(enum bh_network_request operation, uint32_t b)
{
	int32_t ignored;

	if (channel && operation == last && !network_answered(&ignored))
		__atomic_store_n(&channel->b, b, __ATOMIC_RELAXED);
}

/* ---- table, tap ---- */

unsigned network_table(struct bh_mac_entry *to, unsigned first, unsigned max)
{
	uint32_t count = channel ? __atomic_load_n(&channel->macs, __ATOMIC_RELAXED) : 0;

	if (count > BH_NETWORK_MACS)
		count = BH_NETWORK_MACS;
	if (first >= count)
		return 0;
	count = count - first < max ? count - first : max;
	copy(to, &channel->mac[first], count * sizeof(*to));
	return count;
}

uint32_t network_tap_written(void) { return atomic_load(&channel->tap_written); }

uint64_t network_tap_lost(void) { return __atomic_load_n(&channel->tap_lost, __ATOMIC_RELAXED); }

void network_tap_copy(void *to, uint32_t position, uint32_t bytes)
{
	uint32_t at = position % BH_TAP_BYTES;
	uint32_t first = bytes < BH_TAP_BYTES - at ? bytes : BH_TAP_BYTES - at;

	memcpy(to, channel->tap + at, first);
	memcpy((uint8_t *)to + first, channel->tap, bytes - first);
}

void network_tap_release(uint32_t position) { atomic_store(&channel->tap_read, position); }
