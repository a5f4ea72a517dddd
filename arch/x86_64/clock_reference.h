/* clock_reference.h: timers whose frequency is known, to measure the TSC against. */
#pragma once
#include <stdint.h>

struct clock_reference {
	const char *name;
	uint64_t (*read)(void);
	uint64_t mask; /* the counter counts up modulo mask + 1 */
	uint64_t hz;
};

/* The best one there is: ACPI PM timer, HPET, PIT channel 2. Boot CPU, after acpi_parse; starts it.
 */
const struct clock_reference *clock_reference_find(void);
