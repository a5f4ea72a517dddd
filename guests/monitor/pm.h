/*
 * pm.h: ACPI's fixed hardware (ACPI 6.4, 4.8): PM1a event and control block, PM timer. No events
 * ever come, so the SCI is never raised.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/lib/bh.h"

#define PM_PORT	    0x600
#define PM_EVENT    (PM_PORT + 0) /* status, enable: 16 bits each */
#define PM_CONTROL  (PM_PORT + 4) /* 16 bits */
#define PM_TIMER    (PM_PORT + 8) /* 32 bits */
#define PM_LAST	    (PM_PORT + 11)
#define PM_TIMER_HZ 3579545ull
#define PM_SLEEP_S5 5 /* SLP_TYP of \_S5 in dsdt.asl */

struct pm_outside {
	uint64_t (*now)(void *context);	  /* TSC */
	void (*power_off)(void *context); /* does not return */
	void *context;
	uint64_t tsc_hz; /* not 0 */
};

struct pm {
	struct pm_outside outside;
	_Atomic uint16_t enable, control;
};

void pm_init(struct pm *pm, const struct pm_outside *outside);

/* Port handlers (port.h). Any vCPU. */
uint32_t pm_read(void *pm, uint16_t port, unsigned size);
void pm_write(void *pm, uint16_t port, unsigned size, uint32_t value);
