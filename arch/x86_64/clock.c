#include "clock.h"
#include "address_space.h"
#include "apic.h"
#include "cpu_this.h"
#include "interrupt.h"
#include "io.h"
#include "log.h"
#include "machine.h"
#include "msr.h"
#include "panic.h"
#include "spinlock.h"

#define LVT_DEADLINE (2u << 17) /* timer modes, SDM vol. 3, figure 11-8 */
#define DIVIDE_BY_1  0xbu

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

uint64_t clock_hz;
uint64_t clock_boot;

static bool deadline_mode;
static uint64_t count_ratio; /* APIC timer's ticks for a TSC tick, times 2^32 */

uint64_t clock_microseconds(void)
{
	uint64_t ticks = clock_now() - clock_boot;

	if (!clock_hz)
		return 0;
	return ticks / clock_hz * 1000000 + ticks % clock_hz * 1000000 / clock_hz;
}

uint64_t clock_ticks(uint64_t microseconds)
{
	return microseconds / 1000000 * clock_hz + microseconds % 1000000 * clock_hz / 1000000;
}

void clock_wait(uint64_t microseconds)
{
	uint64_t end = clock_now() + clock_ticks(microseconds);

	while (clock_now() < end)
		spin_pause();
}

/* ---- measuring ------------------------------------------------------------------------------- */

/* A timer whose frequency is known. */
struct reference {
	const char *name;
	uint64_t (*read)(void);
	uint64_t mask; /* the counter counts up modulo mask + 1 */
	uint64_t hz;
};

static volatile uint32_t *hpet;

static uint64_t read_pm_timer(void) { return inl(machine_acpi.pm_timer_port); }

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

	hpet = mmio_map(machine_acpi.hpet, 0x400, PAGING_UC);
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
	struct reference r = { "ACPI PM timer", read_pm_timer, machine_acpi.pm_timer_32bit ? 0xffffffff : 0xffffff,
			       PM_TIMER_HZ };

	if (!machine_acpi.pm_timer_port)
		r = machine_acpi.hpet ? start_hpet() : (struct reference){ 0 };
	return r.read ? r : start_pit();
}

/* Ticks of the TSC a second; 0: the reference stands still. */
static uint64_t measure(const struct reference *r)
{
	uint64_t first = r->read(), elapsed = 0, start;
	uint32_t polls = 0;

	while (elapsed == 0) { /* begin when it has just moved */
		elapsed = (r->read() - first) & r->mask;
		if (++polls == POLLS_MAX)
			return 0;
	}
	start = clock_now();
	first += elapsed;
	do {
		elapsed = (r->read() - first) & r->mask;
	} while (elapsed < r->hz / PER_SECOND && ++polls < POLLS_MAX);
	return elapsed < r->hz / PER_SECOND ? 0 : (clock_now() - start) * r->hz / elapsed;
}

/* APIC timer's ticks for a TSC tick, times 2^32. */
static uint64_t measure_apic_timer(const struct reference *unused)
{
	uint64_t start;
	uint32_t left;

	(void)unused;
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_INITIAL, UINT32_MAX);
	start = clock_now();
	clock_wait(1000000 / PER_SECOND);
	left = apic_read(APIC_CURRENT);
	start = clock_now() - start;
	apic_write(APIC_INITIAL, 0);
	return ((uint64_t)(UINT32_MAX - left) << 32) / start;
}

/* A measurement that firmware or an emulator has disturbed does not agree with the next one. */
static uint64_t agreed(const char *what, uint64_t (*once)(const struct reference *), const struct reference *r)
{
	uint64_t last = once(r);

	for (int i = 0; i < TRIES; i++) {
		uint64_t next = once(r);

		if (!next)
			panic("the %s does not count: no timer to go by", what);
		if ((last > next ? last - next : next - last) <= last / AGREEMENT)
			return next;
		last = next;
	}
	log_printf("clock: no two of %d measurements of the %s agree; the time will be wrong", TRIES, what);
	return last;
}

void clock_init(void)
{
	struct reference reference = start_reference();
	bool invariant = cpuid(0x80000000, 0).eax >= 0x80000007 && cpuid(0x80000007, 0).edx & 1u << 8;

	clock_hz = agreed(reference.name, measure, &reference);
	log_printf("clock: TSC at %lu.%03lu MHz, measured against the %s%s", clock_hz / 1000000, clock_hz / 1000 % 1000,
		   reference.name, invariant ? ", invariant" : "; NOT invariant: time may run unevenly");
	deadline_mode = cpuid(1, 0).ecx & 1u << 24;
	if (!deadline_mode)
		count_ratio = agreed("APIC timer", measure_apic_timer, NULL);
	log_printf("clock: timers by %s", deadline_mode ? "TSC deadline" : "the APIC timer's count");
}

/* ---- this CPU's timer ------------------------------------------------------------------------ */

void clock_enable(void)
{
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (deadline_mode ? LVT_DEADLINE : 0));
	/* The mode must be set before the first deadline (SDM vol. 3, 11.5.4.1). */
	__asm__ volatile("mfence" : : : "memory");
	clock_set_timer(UINT64_MAX);
}

/* Never short of the time; what is further away than the counter reaches is armed again on the way.
 */
static void start_count(uint64_t tsc)
{
	uint64_t now = clock_now(), count = 1;

	if (tsc > now)
		count = tsc - now > 1ull << 48 ? UINT32_MAX
					       : (uint64_t)((unsigned __int128)(tsc - now) * count_ratio >> 32) + 1;
	apic_write(APIC_INITIAL, count > UINT32_MAX ? UINT32_MAX : (uint32_t)count);
}

void clock_set_timer(uint64_t tsc)
{
	cpu_this()->arch.timer_deadline = tsc;
	if (deadline_mode) /* a deadline of 0 is none */
		wrmsr(IA32_TSC_DEADLINE, tsc == UINT64_MAX ? 0 : tsc ? tsc : 1);
	else if (tsc == UINT64_MAX)
		apic_write(APIC_INITIAL, 0);
	else
		start_count(tsc);
}

bool clock_timer_due(void)
{
	uint64_t deadline = cpu_this()->arch.timer_deadline;

	if (deadline == UINT64_MAX)
		return false;
	if (clock_now() < deadline) {
		clock_set_timer(deadline);
		return false;
	}
	cpu_this()->arch.timer_deadline = UINT64_MAX;
	return true;
}
