/*
 * pit.h: an 8254 (Intel's data sheet), driven by the TSC, and port 61h.
 *
 * Channel 0 interrupts (IRQ 0), channel 2 has a gate and an output in port 61h. Counts in BCD are
 * taken as binary: no system uses them. Reads and outputs follow from the time since the count was
 * loaded; nothing ticks.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/lib/bh.h"
#include "wire.h"

#define PIT_HZ 1193182ull

struct pit_outside {
	uint64_t (*now)(void *context);		 /* TSC */
	void (*deadline_changed)(void *context); /* pit_deadline has a new answer; called with the lock held */
	void *context;
	uint64_t tsc_hz; /* not 0 */
};

struct pit_channel {
	uint8_t mode;	/* 0 to 5 */
	uint8_t access; /* 1 low byte, 2 high byte, 3 both */
	bool gate, running;
	bool write_high, read_high; /* the next byte of two is the high one */
	uint8_t low;		    /* of a count that is half written */
	uint32_t reload;	    /* 1 to 65536 */
	uint64_t start;		    /* TSC when the count began */
	uint64_t before;	    /* PIT ticks counted until then (the gate was closed meanwhile) */
	uint64_t fired;		    /* channel 0: interrupts so far, of this count */
	bool count_latched, status_latched;
	uint16_t latched_count;
	uint8_t latched_status;
};

struct pit {
	struct bh_lock lock;
	struct pit_outside outside;
	struct wire wire;
	struct pit_channel channel[3];
	uint8_t speaker; /* port 61h, bit 1 */
};

void pit_init(struct pit *pit, const struct pit_outside *outside, const struct wire *wire);

/* TSC at which pit_service has something to do; BH_FOREVER: nothing to come. Any vCPU. */
uint64_t pit_deadline(struct pit *pit);

/* Raises IRQ 0 if it is due: once, however many periods have passed. Any vCPU. */
void pit_service(struct pit *pit);

/* Port handlers (port.h), byte-wide: 0x40 to 0x43. Any vCPU. */
uint32_t pit_read(void *pit, uint16_t port, unsigned size);
void pit_write(void *pit, uint16_t port, unsigned size, uint32_t value);

/* Port 61h: bit 0 gate of channel 2, 1 speaker, 4 toggles with refresh, 5 output of channel 2. */
uint8_t pit_read_61(struct pit *pit);
void pit_write_61(struct pit *pit, uint8_t value);
