#include "clock.h"
#include "apic.h"
#include "cpu_this.h"
#include "interrupt.h"
#include "log.h"
#include "machine.h"
#include "msr.h"
#include "panic.h"
#include "spinlock.h"

#define LVT_DEADLINE (2u << 17) /* timer modes, SDM vol. 3, figure 11-8 */
#define DIVIDE_BY_1  0xbu

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

void clock_init(const struct boot_info *info)
{
	bool invariant = cpuid(0x80000000, 0).eax >= 0x80000007 && cpuid(0x80000007, 0).edx & 1u << 8;

	clock_hz = info->tsc_hz;
	deadline_mode = cpuid(1, 0).ecx & 1u << 24;
	if (!clock_hz)
		panic("the %s does not count: no timer to go by", info->tsc_reference);
	if (!deadline_mode && !info->apic_timer_hz)
		panic("the APIC timer does not count: no timer to go by");
	count_ratio = (info->apic_timer_hz << 32) / clock_hz;
	if (!info->tsc_agreed)
		log_printf("clock: no two measurements against the %s agree; the time will be wrong",
			   info->tsc_reference);
	log_printf("clock: TSC at %lu.%03lu MHz, measured against the %s%s", clock_hz / 1000000, clock_hz / 1000 % 1000,
		   info->tsc_reference, invariant ? ", invariant" : "; NOT invariant: time may run unevenly");
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
