/* wire.h: an interrupt line, as a device sees it. */
#pragma once
#include <stdbool.h>

struct wire {
	void (*set)(void *context, unsigned irq, bool level);
	void *context;
	unsigned irq; /* ISA interrupt number */
};

/* The line's new level. Called with the device's lock held; the receiver takes its own lock, never
 * a device's. */
static inline void wire_set(const struct wire *wire, bool level) { wire->set(wire->context, wire->irq, level); }
