/* service.c: the one place that waits. */
#include "service.h"
#include "bytes.h"
#include "control.h"
#include "events.h"
#include "guests/lib/bh.h"
#include "port.h"
#include "queue.h"
#include "table.h"
#include "tap.h"
#include "uplink.h"

#define CHECK_MS 1000
#define POLL_MS	 1 /* NICs without interrupts */

static uint64_t next_check;
static bool polled; /* a NIC has no interrupts */

static const struct bh_network_records *source;

/* Ports came or went. NICs stay as they are; what was learned is learned again. */
void service_ports(void)
{
	uint64_t before = net.guests;

	port_flush();
	port_forget();
	queue_start();
	table_start(net.now, (uint64_t)TABLE_AGE_S * bh_info()->tsc_hz);
	port_start(source);
	port_start_table();
	port_gone(before & ~net.guests);
	queue_event(net.guests | net.nics);
	bh_printf("net: %u ports now\n", bits_count(net.guests));
}

void service_start(const struct bh_network_records *records)
{
	source = records;
	memset(&net, 0, sizeof(net));
	net.now = bh_rdtsc();
	queue_start();
	table_start(net.now, (uint64_t)TABLE_AGE_S * bh_info()->tsc_hz);
	control_start();
	tap_start();
	port_start(records);
	uplink_start(records);
	port_start_table();
	/* What came before the channels were bound had no signal for us. */
	queue_event(net.guests | net.nics);
	/* A request that the former life left unanswered. */
	control_event();
	next_check = net.now;
	polled = false;
	bh_printf("net: %u networks, %u ports, %u NICs\n", net.networks, bits_count(net.guests), bits_count(net.nics));
}

/* Once a second, and if somebody asks. */
static void check(void)
{
	next_check = net.now + bh_ticks_ms(CHECK_MS);
	uplink_check();
	polled = uplink_is_polled();
	for (uint64_t left = net.guests | net.nics; left; left &= left - 1)
		port_refresh(&net.port[__builtin_ctzll(left)]);
}

static uint64_t deadline(void)
{
	uint64_t deadline;

	if (queue_is_busy())
		return 0;
	deadline = queue_deadline();
	if (deadline > next_check)
		deadline = next_check;
	if (polled && deadline > net.now + bh_ticks_ms(POLL_MS))
		deadline = net.now + bh_ticks_ms(POLL_MS);
	return deadline;
}

void service_turn(void)
{
	uint64_t events = (uint64_t)bh_signals_wait(&net.signals, EVENT_ALL, deadline());
	uint64_t nics = polled ? net.nics : events & net.nics;

	net.now = bh_rdtsc();
	if (nics)
		uplink_event(nics);
	queue_event((events & net.guests) | nics);
	if (events >> EVENT_CONSOLE & 1)
		control_event();
	queue_turn();
	tap_flush();
	if (net.now >= next_check)
		check();
}
