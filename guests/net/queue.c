/* queue.c: turns. */
#include "queue.h"
#include "deliver.h"
#include "guests/lib/bh.h"
#include "switch.h"
#include "uplink.h"

/* A little more than the largest frame costs: so everybody sends at least one frame in two turns. */
#define QUANTUM (BH_FRAME_MAX + 2 * (int64_t)DELIVER_COST)

#define EXCESS_MAX 32 /* drops, after which a port rests */
#define EXCESS_MS  1

static struct {
	uint64_t active, resting;
	unsigned first; /* whose turn begins the next round */
	uint8_t excess[BH_PORT_NUMBERS];
	struct frame frame;
} queue;

void queue_start(void)
{
	queue.active = queue.resting = 0;
	queue.first = 0;
}

static void wake(uint64_t ports)
{
	queue.resting &= ~ports;
	queue.active |= ports;
}

void queue_event(uint64_t ports)
{
	uint64_t waiters = 0;

	queue.active |= ports & ~queue.resting;
	for (; ports; ports &= ports - 1) {
		struct port *port = &net.port[__builtin_ctzll(ports)];

		waiters |= port->waiters;
		port->waiters = 0;
	}
	wake(waiters);
}

void queue_rest(struct port *port, uint64_t until)
{
	port->rests = until;
	queue.active &= ~port_bit(port);
	queue.resting |= port_bit(port);
}

void queue_excess(struct port *port)
{
	if (++queue.excess[port->number] < EXCESS_MAX)
		return;
	queue.excess[port->number] = 0;
	queue_rest(port, net.now + bh_ticks_ms(EXCESS_MS));
}

bool queue_is_busy(void) { return queue.active; }

uint64_t queue_deadline(void)
{
	uint64_t deadline = BH_FOREVER;

	for (uint64_t left = queue.resting; left; left &= left - 1) {
		uint64_t rests = net.port[__builtin_ctzll(left)].rests;

		if (rests < deadline)
			deadline = rests;
	}
	return deadline;
}

static void wake_rested(void)
{
	for (uint64_t left = queue.resting; left; left &= left - 1) {
		const struct port *port = &net.port[__builtin_ctzll(left)];

		if (port->rests <= net.now)
			wake(port_bit(port));
	}
}

static void sleep(struct port *port)
{
	queue.active &= ~port_bit(port);
	if (port->credit > 0)
		port->credit = 0;
}

/* The ring is empty, or was emptied since it could not be. The result is what that cost; 0: the port sleeps. */
static uint32_t none_left(struct port *port)
{
	if (port->broken) {
		port->stat->drops[BH_DROP_MALFORMED] += port->broken;
		port->broken = 0;
		net.touched |= port_bit(port);
		queue_excess(port);
		return DELIVER_COST;
	}
	if (!frames_may_sleep(&port->out))
		return DELIVER_COST;
	sleep(port);
	return 0;
}

static uint32_t step_ring(struct port *port)
{
	struct frame *frame = &queue.frame;
	uint32_t cost;

	if (!frames_next(&port->out, &frame->record, &port->broken))
		return none_left(port);
	frame->ring = &port->out;
	cost = switch_frame(port, frame);
	if (!cost)
		return 0;
	frames_done(&port->out, &frame->record);
	net.touched |= port_bit(port);
	return cost;
}

static uint32_t step_nic(struct port *port)
{
	struct frame *frame = &queue.frame;
	uint32_t bytes, cost;

	if (!nic_next(port->nic, &frame->data, &bytes)) {
		sleep(port);
		return 0;
	}
	frame->ring = NULL;
	frame->record = (struct bh_frame){ .bytes = bytes };
	cost = switch_frame(port, frame);
	nic_done(port->nic);
	net.touched |= port_bit(port);
	return cost;
}

/* A port that is out of credit goes on in its next turn; one that rests or sleeps has left `active`. */
static void serve(struct port *port)
{
	port->credit = port->credit < 0 ? port->credit + QUANTUM : QUANTUM;
	while (port->credit > 0 && queue.active & port_bit(port)) {
		uint64_t wait = bucket_wait(&port->rate, net.now);

		if (wait) {
			queue_rest(port, net.now + wait);
			return;
		}
		port->credit -= port->nic ? step_nic(port) : step_ring(port);
	}
}

static void serve_all(uint64_t ports)
{
	for (; ports; ports &= ports - 1)
		serve(&net.port[__builtin_ctzll(ports)]);
}

void queue_turn(void)
{
	uint64_t later;

	if (queue.resting)
		wake_rested();
	later = queue.active & ((1ull << queue.first) - 1);
	if (queue.active) {
		uint64_t now = queue.active ^ later;

		queue.first = ((unsigned)__builtin_ctzll(now ? now : later) + 1) % 64;
		serve_all(now);
		serve_all(later);
	}
	port_flush();
	queue_event(uplink_settle(queue.active));
}
