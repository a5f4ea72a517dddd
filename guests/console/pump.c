#include "pump.h"
#include "attach.h"
#include "events.h"
#include "guests/lib/bh.h"
#include "network.h"
#include "peers.h"
#include "serial.h"

#define SENDING_MS 20 /* looks after the transmitter this often, should an interrupt be lost */

static bool polls;
static const struct pump_device *attached; /* NULL: none */

void pump_poll(void) { polls = true; }

void pump_attach(const struct pump_device *device) { attached = device; }

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

void pump_wait(uint64_t deadline)
{
	if (serial_sending() || polls)
		deadline = earlier(deadline, bh_rdtsc() + bh_ticks_ms(SENDING_MS));
	if (attached)
		deadline = earlier(deadline, attached->deadline());

	int64_t events = bh_call3(BH_WAIT, EVENT_ALL_MASK, deadline, 0);
	uint64_t all = events > 0 ? (uint64_t)events : 0;

	serial_service();
	/* What was held back for want of room on the line had its signal long ago. */
	if (attach_peer() && attach_peer()->has_channel)
		all |= 1ull << attach_peer()->event;
	peers_receive(all, attach_peer());
	if (attached)
		attached->turn(all);
	network_tell();
}
