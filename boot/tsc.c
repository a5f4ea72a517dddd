/*
 * The frequencies of the TSC and of the local APIC's timer. They are measured when boot services are left, with
 * interrupts off: nobody disturbs it.
 */
#include "tsc.h"
#include <stddef.h>
#include <guests/lib/bh_format.h>
#include "apic.h"
#include "firmware.h"
#include "instructions.h"
#include "io.h"
#include "msr.h"

#define TRIES	   8
#define PER_SECOND 50	     /* a measurement takes 20 ms: the PIT's 16 bits last for 55 */
#define AGREEMENT  500	     /* two measurements agree within 1/500 */
#define POLLS_MAX  10000000u /* by then a timer that does not move has shown it */

#define PM_TIMER_HZ 3579545u /* ACPI 6.5, 4.8.3.3 */
#define PIT_HZ	    1193182u

#define HPET_PERIOD  1 /* in 32-bit words: femtoseconds (IA-PC HPET 1.0a, 2.3) */
#define HPET_CONFIG  4
#define HPET_COUNTER 60 /* its low half */

#define PIT_CHANNEL_2 0x42u
#define PIT_COMMAND   0x43u
#define PIT_GATE      0x61u /* bit 0: gate of channel 2; bit 1: speaker */

#define DIVIDE_BY_1 0xbu

/* A timer whose frequency is known. */
struct reference {
	const char *name;
	uint64_t (*read)(void);
	uint64_t mask; /* the counter counts up modulo mask + 1 */
	uint64_t hz;
};

static const struct acpi *acpi;
static volatile uint32_t *hpet;

static uint64_t read_pm_timer(void) { return inl(acpi->pm_timer_port); }

static uint64_t read_hpet(void) { return hpet[HPET_COUNTER]; }

/* Counts down, 16 bits. */
static uint64_t read_pit(void)
{
	uint8_t low, high;

	outb(PIT_COMMAND, 0x80); /* latch channel 2 */
	low = inb(PIT_CHANNEL_2);
	high = inb(PIT_CHANNEL_2);
	return 0x10000u - (low | high << 8);
}

static struct reference start_hpet(void)
{
	uint32_t period;

	hpet = firmware_at(acpi->hpet, 0x400);
	period = hpet ? hpet[HPET_PERIOD] : 0;
	if (period == 0 || period > 100000000) /* the specification's limit */
		return (struct reference){ 0 };
	hpet[HPET_CONFIG] |= 1;
	return (struct reference){ "HPET", read_hpet, 0xffffffff, 1000000000000000ull / period };
}

static struct reference start_pit(void)
{
	outb(PIT_GATE, (uint8_t)((inb(PIT_GATE) & ~2) | 1));
	outb(PIT_COMMAND, 0xb4); /* channel 2, low and high byte, mode 2 */
	outb(PIT_CHANNEL_2, 0);
	outb(PIT_CHANNEL_2, 0);
	return (struct reference){ "PIT", read_pit, 0xffff, PIT_HZ };
}

/* The best one there is. */
static struct reference start_reference(void)
{
	struct reference r = { "ACPI PM timer", read_pm_timer, acpi->pm_timer_32bit ? 0xffffffff : 0xffffff,
			       PM_TIMER_HZ };

	if (!acpi->pm_timer_port)
		r = acpi->hpet ? start_hpet() : (struct reference){ 0 };
	return r.read ? r : start_pit();
}

/* ---- the local APIC, in whichever mode the firmware has it ---------------------------------------- */

static volatile uint32_t *apic; /* NULL: it has MSRs */

static uint32_t read_apic(enum apic_register offset)
{
	return apic ? apic[offset / 4] : (uint32_t)rdmsr(IA32_X2APIC_FIRST + offset / 16);
}

static void write_apic(enum apic_register offset, uint32_t value)
{
	if (apic)
		apic[offset / 4] = value;
	else
		wrmsr(IA32_X2APIC_FIRST + offset / 16, value);
}

/* Its timer, as fast as it can and heard by nobody; false: it cannot be reached. */
static bool start_apic_timer(void)
{
	uint64_t base;

	if (!(cpuid(1, 0).edx & 1u << 9))
		return false;
	base = rdmsr(IA32_APIC_BASE) | APIC_BASE_EN;
	wrmsr(IA32_APIC_BASE, base);
	apic = base & APIC_BASE_EXTD ? NULL : firmware_at(base & 0x000ffffffffff000ull, 0x400);
	if (!apic && !(base & APIC_BASE_EXTD))
		return false;
	write_apic(APIC_SVR, SVR_ENABLE | 0xff); /* the vector of spurious interrupts, which do not come */
	write_apic(APIC_LVT_TIMER, LVT_MASKED);
	write_apic(APIC_DIVIDE, DIVIDE_BY_1);
	return true;
}

/* ---- measuring ------------------------------------------------------------------------------------ */

/* Ticks a second. */
struct rates {
	uint64_t tsc, apic;
};

/* tsc 0: the reference stands still. */
static struct rates measure(const struct reference *r, bool has_apic)
{
	uint64_t first = r->read(), elapsed = 0, start;
	uint32_t polls = 0, left = UINT32_MAX;

	while (elapsed == 0) { /* begin when it has just moved */
		elapsed = (r->read() - first) & r->mask;
		if (++polls == POLLS_MAX)
			return (struct rates){ 0 };
	}
	if (has_apic)
		write_apic(APIC_INITIAL, UINT32_MAX);
	start = rdtsc();
	first += elapsed;
	do {
		elapsed = (r->read() - first) & r->mask;
	} while (elapsed < r->hz / PER_SECOND && ++polls < POLLS_MAX);
	start = rdtsc() - start;
	if (has_apic) {
		left = read_apic(APIC_CURRENT);
		write_apic(APIC_INITIAL, 0);
	}
	if (elapsed < r->hz / PER_SECOND)
		return (struct rates){ 0 };
	return (struct rates){ start * r->hz / elapsed, (UINT32_MAX - left) * r->hz / elapsed };
}

static bool agree(uint64_t a, uint64_t b) { return (a > b ? a - b : b - a) <= a / AGREEMENT; }

/* A measurement that firmware or an emulator has disturbed does not agree with the next one. */
void tsc_measure(struct boot_info *info)
{
	struct reference reference;
	struct rates last, next;
	bool has_apic;

	__asm__ volatile("cli");
	acpi = &info->acpi;
	reference = start_reference();
	has_apic = start_apic_timer();
	bh_snprintf(info->tsc_reference, sizeof(info->tsc_reference), "%s", reference.name);
	next = measure(&reference, has_apic);
	for (int i = 0; i < TRIES && next.tsc && !info->tsc_agreed; i++) {
		last = next;
		next = measure(&reference, has_apic);
		info->tsc_agreed = agree(last.tsc, next.tsc) && agree(last.apic, next.apic);
	}
	info->tsc_hz = next.tsc;
	info->apic_timer_hz = next.apic;
}
