#include "clock_reference.h"
#include <stddef.h>
#include "address_space.h"
#include "io.h"
#include "machine.h"

#define PM_TIMER_HZ 3579545u /* ACPI 6.5, 4.8.3.3 */
#define PIT_HZ	    1193182u

#define HPET_PERIOD  1 /* in 32-bit words: femtoseconds (IA-PC HPET 1.0a, 2.3) */
#define HPET_CONFIG  4
#define HPET_COUNTER 60 /* its low half */

#define PIT_CHANNEL_2 0x42u
#define PIT_COMMAND   0x43u
#define PIT_GATE      0x61u /* bit 0: gate of channel 2; bit 1: speaker */

static volatile uint32_t *hpet;
static struct clock_reference reference;

static uint64_t read_pm_timer(void)
{
	return inl(machine_acpi.pm_timer_port);
}

static uint64_t read_hpet(void)
{
	return hpet[HPET_COUNTER];
}

/* Counts down, 16 bits. */
static uint64_t read_pit(void)
{
	uint8_t low, high;

	outb(PIT_COMMAND, 0x80); /* latch channel 2 */
	low = inb(PIT_CHANNEL_2);
	high = inb(PIT_CHANNEL_2);
	return 0x10000u - (low | high << 8);
}

static const struct clock_reference *use_hpet(void)
{
	uint32_t period;

	hpet = mmio_map(machine_acpi.hpet, 0x400, PAGING_UC);
	if (!hpet)
		return NULL;
	period = hpet[HPET_PERIOD];
	if (period == 0 || period > 100000000) /* the specification's limit */
		return NULL;
	hpet[HPET_CONFIG] |= 1;
	reference = (struct clock_reference){ "HPET", read_hpet, 0xffffffff, 1000000000000000ull / period };
	return &reference;
}

static const struct clock_reference *use_pit(void)
{
	static const struct clock_reference pit = { "PIT", read_pit, 0xffff, PIT_HZ };

	outb(PIT_GATE, (uint8_t)((inb(PIT_GATE) & ~2) | 1));
	outb(PIT_COMMAND, 0xb4); /* channel 2, low and high byte, mode 2 */
	outb(PIT_CHANNEL_2, 0);
	outb(PIT_CHANNEL_2, 0);
	return &pit;
}

const struct clock_reference *clock_reference_find(void)
{
	if (machine_acpi.pm_timer_port) {
		reference =
			(struct clock_reference){ "ACPI PM timer", read_pm_timer,
						  machine_acpi.pm_timer_32bit ? 0xffffffff : 0xffffff, PM_TIMER_HZ };
		return &reference;
	}
	if (machine_acpi.hpet && use_hpet())
		return &reference;
	return use_pit();
}
