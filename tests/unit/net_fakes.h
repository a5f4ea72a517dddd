/*
 * net_fakes.h: the net service on the host: guests' ends of the ports, a NIC, the console's end, and a clock.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>
#include "guests/lib/frames.h"

#define FAKE_HZ	    1000000000ull
#define FAKE_FRAMES 4096 /* that the NIC keeps */

extern struct bh_network_records fake_records;
extern struct bh_port_channel fake_channel[BH_PORTS];
extern struct bh_network_channel fake_console;
extern uint64_t fake_now;
extern unsigned fake_signals[BH_PORTS]; /* of each port's peer */
extern unsigned fake_console_signals;
extern uint64_t fake_events; /* that the next BH_WAIT gives */
extern char fake_log[8192];

/* The guests' ends: what they send and receive. */
extern struct frames fake_out[BH_PORTS], fake_in[BH_PORTS];

/* The wire of network 0's NIC. */
extern struct fake_nic {
	bool runs, link;
	unsigned room; /* frames that it still takes to send */
	unsigned sent, come, taken;
	struct fake_frame {
		uint32_t bytes;
		uint8_t data[9100];
	} out[FAKE_FRAMES], in[64];
} fake_nic;

/* Forgets everything; then a test fills the records with these. */
void fake_reset(void);
unsigned fake_network(const char *name, bool uplink); /* MTU 1500 */
/* `last` is the last byte of its address 02:00:00:00:00:last. With a driver that takes nothing special. */
struct bh_port *fake_port(unsigned network, uint8_t last);

/* service_start. Fresh: the channels as the kernel makes them; otherwise as a predecessor left them. */
void fake_start(bool fresh);

/* Turns until nothing is left to do now; time stands still. */
void fake_run(void);
void fake_pass(uint64_t microseconds); /* and runs */

/* A guest sends; false: its ring is full. The event follows by the rules. */
bool fake_send_record(unsigned port, const struct bh_frame *record, const void *data);
bool fake_send(unsigned port, const void *data, uint32_t bytes);
/* The next frame that came to the port; 0: none, otherwise its bytes. */
uint32_t fake_receive_record(unsigned port, struct bh_frame *record, void *data);
uint32_t fake_receive(unsigned port, void *data);
/* Drops what came; the result is the number of frames. */
unsigned fake_drain(unsigned port);

/* A frame to `destination` from `source` (last bytes; 0xff: broadcast), with `tag` unless 0, of `bytes` in all. */
uint8_t *fake_frame(uint8_t destination, uint8_t source, unsigned tag, uint32_t bytes);

void fake_wire(const void *data, uint32_t bytes); /* comes to the NIC */

struct bh_port_stat *fake_stat(unsigned port);
int fake_request(uint32_t operation, uint32_t a, uint32_t b);
