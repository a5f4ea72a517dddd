/* pm.c: ACPI fixed hardware. Registers are independent of each other, so there is no lock. */
#include "pm.h"
#include "clock.h"

#define CONTROL_SCI_EN	 0x0001u /* always set: there is no SMM to leave */
#define CONTROL_TYPE(c)	 ((c) >> 10 & 7)
#define CONTROL_SLP_EN	 0x2000u
#define CONTROL_WRITABLE 0x1c02u /* SLP_TYP, BM_RLD */

static uint32_t timer(const struct pm *pm)
{
	return (uint32_t)clock_muldiv(pm->outside.now(pm->outside.context), PM_TIMER_HZ, pm->outside.tsc_hz);
}

/* The aligned 32 bits that hold the port. */
static uint32_t read_block(struct pm *pm, uint16_t port)
{
	switch (port & ~3) {
	case PM_EVENT: return (uint32_t)pm->enable << 16;
	case PM_CONTROL: return pm->control | CONTROL_SCI_EN;
	case PM_TIMER: return timer(pm);
	}
	return UINT32_MAX;
}

uint32_t pm_read(void *device, uint16_t port, unsigned size)
{
	(void)size;
	return read_block(device, port) >> (port & 3) * 8;
}

static void write_control(struct pm *pm, uint16_t value)
{
	pm->control = value & CONTROL_WRITABLE;
	if (value & CONTROL_SLP_EN && CONTROL_TYPE(value) == PM_SLEEP_S5)
		pm->outside.power_off(pm->outside.context);
}

void pm_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct pm *pm = device;

	if (port == PM_EVENT && size == 4)
		pm->enable = (uint16_t)(value >> 16);
	else if (port == PM_EVENT + 2 && size == 2)
		pm->enable = (uint16_t)value;
	else if (port == PM_CONTROL && size >= 2)
		write_control(pm, (uint16_t)value);
}

void pm_init(struct pm *pm, const struct pm_outside *outside) { *pm = (struct pm){ .outside = *outside }; }
