/* pump.h: the one place where the console waits. */
#pragma once
#include <stdint.h>

/*
 * Waits until something happens or the TSC reaches `deadline`, and sees to the serial line and the
 * channels. Typed bytes stay queued (serial.h).
 */
void pump_wait(uint64_t deadline);

/* Something else that waits there: until when at the latest, and what to do afterwards. It may be called within itself.
 */
struct pump_device {
	uint64_t (*deadline)(void);
	void (*turn)(uint64_t events);
};
void pump_attach(const struct pump_device *device);

/* There is no interrupt of the serial line: look after it every few milliseconds. */
void pump_poll(void);
