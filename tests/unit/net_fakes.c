/* net_fakes.c: see net_fakes.h. */
#include "net_fakes.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "drivers/nic.h"
#include "guests/lib/bh.h"
#include "guests/net/events.h"
#include "guests/net/queue.h"
#include "guests/net/service.h"

#define HANDLE_CONSOLE 100u
#define HANDLE_NIC     200u

struct bh_network_records fake_records;
struct bh_port_channel fake_channel[BH_PORTS];
struct bh_network_channel fake_console;
uint64_t fake_now;
unsigned fake_signals[BH_PORTS], fake_console_signals;
uint64_t fake_events;
char fake_log[8192];
struct frames fake_out[BH_PORTS], fake_in[BH_PORTS];
struct fake_nic fake_nic;

static struct bh_info info;
static uint64_t bound;

/* ---- hypercalls ---------------------------------------------------------------------------------- */

static int64_t wait_for_events(uint64_t mask, uint64_t deadline)
{
	uint64_t events = fake_events & mask;

	fake_events &= ~mask;
	(void)deadline;
	return (int64_t)events;
}

static int64_t signal_peer(uint64_t handle)
{
	if (handle == HANDLE_CONSOLE)
		fake_console_signals++;
	else
		fake_signals[handle]++;
	return 0;
}

static int64_t bind(uint64_t handle, uint64_t bit)
{
	if (bit >= 47 || bit != (handle == HANDLE_CONSOLE ? EVENT_CONSOLE : handle))
		abort();
	bound |= 1ull << bit;
	return 0;
}

static void log_text(const uint64_t *words) { strncat(fake_log, (const char *)words, 40); }

int64_t bh_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	uint64_t words[6] = { a, b, c, d, e, 0 };

	switch (number) {
	case BH_WAIT:
		if (c & BH_WAIT_SIGNAL)
			signal_peer(d);
		return wait_for_events(a, b);
	case BH_CHANNEL_BIND: return bind(a, c);
	case BH_CHANNEL_SIGNAL: return signal_peer(a);
	case BH_LOG: log_text(words); return 0;
	case BH_DEVICE_STAT: return -BH_EINVAL;
	default: abort();
	}
}

const struct bh_info *bh_info(void) { return &info; }

uint64_t bh_rdtsc(void) { return fake_now; }

unsigned bh_vcpu(void) { return 0; }

bool bh_map(uint64_t gpa, uint64_t bytes) { return gpa && bytes; }

void *bh_alloc(size_t bytes, size_t align)
{
	(void)bytes, (void)align;
	return NULL;
}

/* ---- the NIC ------------------------------------------------------------------------------------- */

static void *nic_room(struct nic *nic, uint32_t bytes)
{
	(void)nic, (void)bytes;
	return fake_nic.room && fake_nic.sent < FAKE_FRAMES ? fake_nic.out[fake_nic.sent].data : NULL;
}

static void nic_sent(struct nic *nic, uint32_t bytes)
{
	(void)nic;
	fake_nic.out[fake_nic.sent++].bytes = bytes;
	fake_nic.room--;
}

static bool nic_came(struct nic *nic, const uint8_t **data, uint32_t *bytes)
{
	(void)nic;
	if (fake_nic.taken == fake_nic.come)
		return false;
	*data = fake_nic.in[fake_nic.taken % 64].data;
	*bytes = fake_nic.in[fake_nic.taken % 64].bytes;
	return true;
}

static void nic_took(struct nic *nic) { (void)nic, fake_nic.taken++; }

static void nothing(struct nic *nic) { (void)nic; }

static bool nic_empty(struct nic *nic)
{
	(void)nic;
	return fake_nic.taken == fake_nic.come;
}

static const struct nic_driver driver = {
	.name = "fake",
	.reserve = nic_room,
	.commit = nic_sent,
	.flush = nothing,
	.next = nic_came,
	.done = nic_took,
	.interrupt = nothing,
	.may_sleep = nic_empty,
};

bool nic_start(struct nic *nic, const struct nic_access *access, uint32_t id, uint32_t class_code, uint32_t mtu)
{
	(void)id, (void)class_code;
	nic->access = *access;
	nic->access.irqs = 1;
	nic->driver = &driver;
	nic->mtu = mtu;
	nic_check(nic);
	return fake_nic.runs;
}

void nic_check(struct nic *nic)
{
	nic->state = fake_nic.runs ? NIC_RUNS : NIC_FAILED;
	nic->link = fake_nic.link;
	nic->mac[5] = fake_nic.runs ? 0x63 : nic->mac[5];
	strcpy(nic->words, fake_nic.runs ? "fake" : "fake: does not answer");
}

void fake_wire(const void *data, uint32_t bytes)
{
	struct fake_frame *frame = &fake_nic.in[fake_nic.come++ % 64];

	memcpy(frame->data, data, bytes);
	frame->bytes = bytes;
	fake_events |= 1ull << EVENT_NIC;
}

/* ---- setting up ---------------------------------------------------------------------------------- */

void fake_reset(void)
{
	memset(&fake_records, 0, sizeof(fake_records));
	fake_nic.sent = fake_nic.come = fake_nic.taken = 0;
	memset(&info, 0, sizeof(info));
	fake_nic.runs = fake_nic.link = true;
	fake_nic.room = FAKE_FRAMES;
	info.tsc_hz = FAKE_HZ;
	fake_now = 1000 * FAKE_HZ;
	fake_log[0] = 0;
}

static void grant(const char *name, enum bh_handle_type type, bh_handle handle, void *address, uint64_t bytes)
{
	struct bh_info_handle *entry = &info.handle[info.handles++];

	bh_strlcpy(entry->name, name, sizeof(entry->name));
	entry->type = type;
	entry->handle = handle;
	entry->address = (uintptr_t)address;
	entry->bytes = bytes;
}

unsigned fake_network(const char *name, bool uplink)
{
	struct bh_network *network = &fake_records.network[fake_records.networks];

	bh_strlcpy(network->name, name, sizeof(network->name));
	network->mtu = BH_MTU_USUAL;
	network->uplink = uplink;
	return fake_records.networks++;
}

struct bh_port *fake_port(unsigned network, uint8_t last)
{
	struct bh_port *port = &fake_records.port[fake_records.ports++];

	snprintf(port->name, sizeof(port->name), "guest%u.0", fake_records.ports - 1);
	port->network = network;
	port->mac[0] = 2;
	port->mac[5] = last;
	port->queues = 1;
	return port;
}

static void start_guest(unsigned i, bool fresh)
{
	struct bh_port_channel *channel = &fake_channel[i];

	if (fresh) {
		memset(channel, 0, sizeof(*channel));
		channel->driver = 1;
		channel->in_reader.sleeps = 1;
	}
	frames_open_writer(&fake_out[i], &channel->out_writer, &channel->out_reader, channel->out);
	frames_open_reader(&fake_in[i], &channel->in_writer, &channel->in_reader, channel->in);
	grant(fake_records.port[i].name, BH_HANDLE_CHANNEL, i, channel, sizeof(*channel));
}

void fake_start(bool fresh)
{
	if (fresh)
		memset(&fake_console, 0, sizeof(fake_console));
	memset(fake_signals, 0, sizeof(fake_signals));
	fake_console_signals = 0;
	bound = 0;
	fake_events = 0;
	info.handles = 0;
	for (unsigned i = 0; i < fake_records.ports; i++)
		start_guest(i, fresh);
	grant("network", BH_HANDLE_CHANNEL, HANDLE_CONSOLE, &fake_console, sizeof(fake_console));
	for (unsigned i = 0; i < fake_records.networks; i++)
		if (fake_records.network[i].uplink)
			grant(fake_records.network[i].name, BH_HANDLE_DEVICE, HANDLE_NIC, NULL, 0);
	service_start(&fake_records);
	fake_run();
}

void fake_run(void)
{
	unsigned turns = 0;

	do {
		service_turn();
		if (++turns > 1000000)
			abort(); /* it never comes to rest */
	} while (fake_events || queue_is_busy());
	bh_signals_wait(&net.signals, 0, 0); /* what would go with the next turn's wait */
}

void fake_pass(uint64_t microseconds)
{
	fake_now += microseconds * (FAKE_HZ / 1000000);
	fake_run();
}

/* ---- guests and the console ---------------------------------------------------------------------- */

bool fake_send_record(unsigned port, const struct bh_frame *record, const void *data)
{
	if (!frames_room(&fake_out[port], record->bytes))
		return false;
	frames_put(&fake_out[port], 0, data, record->bytes);
	frames_commit(&fake_out[port], record);
	if (frames_must_signal_reader(&fake_out[port]))
		fake_events |= 1ull << port;
	return true;
}

bool fake_send(unsigned port, const void *data, uint32_t bytes)
{
	struct bh_frame record = { .bytes = bytes };

	return fake_send_record(port, &record, data);
}

uint32_t fake_receive_record(unsigned port, struct bh_frame *record, void *data)
{
	uint32_t broken = 0;

	if (!frames_next(&fake_in[port], record, &broken)) {
		if (broken)
			abort();
		frames_may_sleep(&fake_in[port]);
		return 0;
	}
	if (data)
		frames_get(&fake_in[port], 0, data, record->bytes);
	frames_done(&fake_in[port], record);
	if (frames_must_signal_writer(&fake_in[port]))
		fake_events |= 1ull << port;
	return record->bytes;
}

uint32_t fake_receive(unsigned port, void *data)
{
	struct bh_frame record;

	return fake_receive_record(port, &record, data);
}

unsigned fake_drain(unsigned port)
{
	unsigned frames = 0;

	while (fake_receive(port, NULL))
		frames++;
	return frames;
}

uint8_t *fake_frame(uint8_t destination, uint8_t source, unsigned tag, uint32_t bytes)
{
	static uint8_t frame[BH_FRAME_MAX];
	uint8_t *at = frame + 12;

	memset(frame, 0, bytes);
	frame[0] = frame[6] = 2;
	frame[5] = destination;
	frame[11] = source;
	if (destination == 0xff)
		memset(frame, 0xff, 6);
	if (tag) {
		*at++ = 0x81;
		*at++ = 0;
		*at++ = (uint8_t)(tag >> 8);
		*at++ = (uint8_t)tag;
	}
	*at++ = 0x88; /* for experiments (IEEE 802, 9.2.3) */
	*at++ = 0xb5;
	for (uint32_t i = (uint32_t)(at - frame); i < bytes; i++)
		frame[i] = (uint8_t)(i * 7 + (i >> 8));
	return frame;
}

struct bh_port_stat *fake_stat(unsigned port) { return &fake_console.port[port]; }

int fake_request(uint32_t operation, uint32_t a, uint32_t b)
{
	fake_console.operation = operation;
	fake_console.a = a;
	fake_console.b = b;
	fake_console.request++;
	fake_events |= 1ull << EVENT_CONSOLE;
	fake_run();
	if (fake_console.answered != fake_console.request)
		abort();
	return fake_console.result;
}
