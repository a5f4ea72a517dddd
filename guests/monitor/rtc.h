/*
 * rtc.h: an MC146818 (Motorola's data sheet) with 128 bytes at ports 70h and 71h.
 *
 * The time is UTC. It can be set; the setting lasts until the guest is started again. No
 * interrupts: alarm, periodic and update flags stay clear.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/lib/bh.h"

struct rtc_outside {
	uint64_t (*now)(void *context); /* TSC */
	void *context;
	uint64_t tsc_hz;       /* not 0 */
	uint64_t wall_seconds; /* since 1970, at wall_tsc */
	uint64_t wall_tsc;
};

struct rtc {
	struct bh_lock lock;
	struct rtc_outside outside;
	int64_t offset; /* seconds that the guest has set it ahead */
	uint8_t index;
	uint8_t ram[128]; /* all but the time; the time too while SET stops it */
};

void rtc_init(struct rtc *rtc, const struct rtc_outside *outside);

/* Port handlers (port.h), byte-wide: 0x70, 0x71. Any vCPU. */
uint32_t rtc_read(void *rtc, uint16_t port, unsigned size);
void rtc_write(void *rtc, uint16_t port, unsigned size, uint32_t value);
