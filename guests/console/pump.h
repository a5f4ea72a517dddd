/* pump.h: the one place where the console waits. */
#pragma once
#include <stdint.h>

/*
 * Waits until something happens or the TSC reaches `deadline`, and sees to the serial line and the
 * channels. Typed bytes stay queued (serial.h).
 */
void pump_wait(uint64_t deadline);

/* There is no interrupt of the serial line: look after it every few milliseconds. */
void pump_poll(void);
