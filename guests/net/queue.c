/* queue.c: turns. */
#include "queue.h"
#include "bytes.h"
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
	uint64_t awaited; /* ports for whose room others wait */
	unsigned first;	  /* whose turn begins the next round */
	uint8_t excess[BH_PORT_NUMBERS];
	struct frame frame;
} queue;

void queue_start(void)
{
	queue.active = queue.resting = queue.awaited = 0;
	queue.first = 0;
}

static void wake(uint64_t ports)
{
	queue.resting &= ~ports;
	queue.active |= ports;
}

void queue_event(uint64_t ports)
{
	queue.active |= ports & ~queue.resting;
	for (uint64_t left = ports & queue.awaited; left; left &= left - 1) {
		struct port *port = &net.port[__builtin_ctzll(left)];

		wake(port->waiters);
		port->waiters = 0;
	}
	queue.awaited &= ~ports;
}

void queue_wait(struct port *port, struct port *to, uint64_t until)
{
	to->waiters |= port->bit;
	queue.awaited |= to->bit;
	queue_rest(port, until);
}

void queue_rest(struct port *port, uint64_t until)
{
	port->rests = until;
	queue.active &= ~port->bit;
	queue.resting |= port->bit;
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
			wake(port->bit);
	}
}

static void sleep(struct port *port)
{
	queue.active &= ~port->bit;
	if (port->credit > 0)
		port->credit = 0;
}

SELDOM static uint32_t count_broken(struct port *port)
{
	port->stat->drops[BH_DROP_MALFORMED] += port->broken;
	port->broken = 0;
	net.took |= port->bit;
	queue_excess(port);
	return DELIVER_COST;
}

/* The ring is empty, or was emptied since it could not be. The result is what that cost; 0: the port sleeps. */
static uint32_t none_left(struct port *port)
{
	if (port->broken)
		return count_broken(port);
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
	net.took |= port->bit;
	return cost;
}

__attribute__((noinline)) static uint32_t step_nic(struct port *port)
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
	net.took |= port->bit;
	return cost;
}

/* A port that is out of credit goes on in its next turn; one that rests or sleeps has left `active`. */
static void serve(struct port *port)
{
	port->credit = port->credit < 0 ? port->credit + QUANTUM : QUANTUM;
	while (port->credit > 0 && queue.active & port->bit) {
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

/* Each turn begins with the port behind the one that was the first in the turn before. */
static void serve_round(void)
{
	uint64_t later = queue.active & ((1ull << queue.first) - 1), now = queue.active ^ later;

	queue.first = ((unsigned)__builtin_ctzll(now ? now : later) + 1) % 64;
	serve_all(now);
	if (later)
		serve_all(later);
}

void queue_turn(void)
{
	if (queue.resting)
		wake_rested();
	/* A NIC that is active has its interrupts off: who waits for room there looks again in each turn. */
	if (queue.active & queue.awaited & net.nics)
		queue_event(queue.active & queue.awaited & net.nics);
	if (queue.active)
		serve_round();
	port_flush();
	if (net.nics)
		queue_event(uplink_settle(queue.active));
}
