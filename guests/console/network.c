/* network.c: names and ports, the channel's numbers and requests. */
#include "network.h"
#include "events.h"
#include "guests/lib/bh.h"
#include "pump.h"
#include "serial.h"

#define PATIENCE_MS 3000
#define STEP_MS	    20 /* a signal that is lost costs so much */

typedef uint64_t __attribute__((may_alias)) word;

struct bh_network networks[BH_NETWORKS];
unsigned network_count;
struct network_port network_ports[BH_PORT_NUMBERS];
unsigned network_port_count;

static struct bh_port records[BH_PORTS];
static struct bh_network_channel *channel; /* NULL: there is none */
static bh_handle handle;
static uint32_t number; /* of the last request; what stands in the channel anybody may have changed */
static enum bh_network_request last;

/* ---- names and ports ---- */

static void add_port(unsigned network, unsigned port_number, const struct bh_port *guest, const char *name)
{
	struct network_port *port = &network_ports[network_port_count++];

	*port = (struct network_port){ .number = port_number, .network = network, .guest = guest };
	if (guest)
		bh_strlcpy(port->name, guest->name, sizeof(port->name));
	else
		bh_snprintf(port->name, sizeof(port->name), "%s.%s", networks[network].name, name);
}

static void list_ports(unsigned ports)
{
	network_port_count = 0;
	for (unsigned network = 0; network < network_count; network++) {
		for (unsigned i = 0; i < ports; i++)
			if (records[i].network == network)
				add_port(network, i, &records[i], NULL);
		if (networks[network].uplink)
			add_port(network, BH_PORT_NIC(network), NULL, "nic");
		add_port(network, BH_PORT_CONSOLE(network), NULL, "console");
	}
}

static void take_records(const struct bh_network_records *from)
{
	unsigned ports = from->ports < BH_PORTS ? from->ports : BH_PORTS;

	network_count = from->networks < BH_NETWORKS ? from->networks : BH_NETWORKS;
	memcpy(networks, from->network, sizeof(networks));
	memcpy(records, from->port, sizeof(records));
	for (unsigned i = 0; i < network_count; i++)
		networks[i].name[BH_NAME_BYTES - 1] = 0;
	for (unsigned i = 0; i < ports; i++)
		records[i].name[BH_NAME_BYTES - 1] = 0;
	list_ports(ports);
}

int network_find(const char *name)
{
	for (unsigned i = 0; i < network_count; i++)
		if (!strcmp(networks[i].name, name))
			return (int)i;
	return -1;
}

const struct network_port *network_port_find(const char *name)
{
	for (unsigned i = 0; i < network_port_count; i++)
		if (!strcmp(network_ports[i].name, name))
			return &network_ports[i];
	return NULL;
}

const struct network_port *network_port_numbered(unsigned port_number)
{
	for (unsigned i = 0; i < network_port_count; i++)
		if (network_ports[i].number == port_number)
			return &network_ports[i];
	return NULL;
}

bool network_port_is(const struct network_port *port, const char *name)
{
	const char *dot = strrchr(port->name, '.');
	size_t length = dot ? (size_t)(dot - port->name) : 0;

	if (!strcmp(port->name, name))
		return true;
	return port->guest && strlen(name) == length && !strncmp(port->name, name, length);
}

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

void network_start(const struct bh_network_records *from)
{
	const struct bh_info_handle *found = find_channel();

	take_records(from);
	channel = NULL;
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

bool network_look(struct network_snapshot *snapshot)
{
	_Static_assert(sizeof(struct bh_port_stat) % sizeof(word) == 0, "copied by words");
	_Static_assert(sizeof(snapshot->tap_on) % sizeof(word) == 0, "copied by words");

	if (!channel)
		return false;
	snapshot->life = network_life();
	snapshot->tsc = bh_rdtsc();
	snapshot->tap_lost = network_tap_lost();
	copy(snapshot->tap_on, channel->tap_on, sizeof(snapshot->tap_on));
	copy(snapshot->port, channel->port, sizeof(snapshot->port));
	for (unsigned i = 0; i < BH_PORT_NUMBERS; i++)
		snapshot->port[i].words[sizeof(snapshot->port[i].words) - 1] = 0;
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

static enum network_outcome await(uint64_t deadline, int32_t *result)
{
	while (!network_answered(result)) {
		uint64_t now = bh_rdtsc(), step = now + bh_ticks_ms(STEP_MS);

		if (serial_interrupted())
			return NETWORK_INTERRUPTED;
		if (now >= deadline)
			return network_state() == NETWORK_RUNS ? NETWORK_SILENT : NETWORK_GONE;
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
