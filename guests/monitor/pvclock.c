/* pvclock.c: fills the structures that the guest reads. Layouts are those of Linux's pvclock-abi.
 */
#include "pvclock.h"
#include "clock.h"
#include "guests/lib/bh_string.h"

#define MSR_WALL_CLOCK	(BH_MSR_KVM_FIRST + 0)
#define MSR_SYSTEM_TIME (BH_MSR_KVM_FIRST + 1)

#define SYSTEM_TIME_ENABLE 1ull
#define FLAG_TSC_STABLE	   1u

#define NANO 1000000000ull

struct __attribute__((packed, aligned(4))) vcpu_time {
	uint32_t version; /* odd while it is being written */
	uint32_t pad0;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags;
	uint8_t pad[2];
};
_Static_assert(sizeof(struct vcpu_time) == 32, "pvclock ABI");

struct wall_clock {
	uint32_t version;
	uint32_t seconds;
	uint32_t nanoseconds;
};
_Static_assert(sizeof(struct wall_clock) == 12, "pvclock ABI");

/*
 * Shifts the frequency into (1e9, 2e9], so that the multiplier, nanoseconds per tick times 2^32,
 * uses all of its 32 bits.
 */
void pvclock_scale(uint64_t tsc_hz, uint32_t *multiplier, int8_t *shift)
{
	uint64_t multiple;

	*shift = 0;
	while (tsc_hz > 2 * NANO) {
		tsc_hz >>= 1;
		(*shift)--;
	}
	while (tsc_hz <= NANO) {
		tsc_hz <<= 1;
		(*shift)++;
	}
	multiple = clock_muldiv(NANO, 1ull << 32, tsc_hz);
	*multiplier = (uint32_t)multiple;
}

void pvclock_init(struct pvclock *pvclock, const struct guest_memory *memory, uint64_t tsc_hz, uint64_t base_tsc,
		  uint64_t wall_seconds, uint64_t wall_tsc)
{
	memset(pvclock, 0, sizeof(*pvclock));
	pvclock->memory = memory;
	pvclock->base_tsc = base_tsc;
	pvclock->base_nanoseconds = wall_seconds * NANO + clock_muldiv(base_tsc - wall_tsc, NANO, tsc_hz);
	pvclock_scale(tsc_hz, &pvclock->multiplier, &pvclock->shift);
}

bool pvclock_read(const struct pvclock *pvclock, unsigned vcpu, uint32_t msr, uint64_t *value)
{
	if (vcpu >= PVCLOCK_VCPUS)
		return false;
	if (msr == MSR_WALL_CLOCK)
		*value = pvclock->wall_clock;
	else if (msr == MSR_SYSTEM_TIME)
		*value = pvclock->system_time[vcpu];
	else
		return false;
	return true;
}

/* An even version that differs from the old one; the guest may have left anything there. */
static uint32_t next_version(uint32_t version) { return (version | 1) + 1; }

static bool write_system_time(const struct pvclock *pvclock, uint64_t address, uint64_t tsc_offset)
{
	struct vcpu_time *to = guest_memory_at(pvclock->memory, address, sizeof(*to));

	if (!to || address & 3)
		return false;
	uint32_t version = next_version(__atomic_load_n(&to->version, __ATOMIC_RELAXED));
	struct vcpu_time time = {
		.version = version - 1,
		.tsc_timestamp = pvclock->base_tsc + tsc_offset,
		.tsc_to_system_mul = pvclock->multiplier,
		.tsc_shift = pvclock->shift,
		.flags = FLAG_TSC_STABLE,
	};

	__atomic_store_n(&to->version, version - 1, __ATOMIC_RELEASE);
	memcpy(to, &time, sizeof(time));
	__atomic_store_n(&to->version, version, __ATOMIC_RELEASE);
	return true;
}

static bool write_wall_clock(const struct pvclock *pvclock, uint64_t address)
{
	struct wall_clock *to = guest_memory_at(pvclock->memory, address, sizeof(*to));

	if (!to || address & 3)
		return false;
	uint32_t version = next_version(__atomic_load_n(&to->version, __ATOMIC_RELAXED));

	__atomic_store_n(&to->version, version - 1, __ATOMIC_RELEASE);
	to->seconds = (uint32_t)(pvclock->base_nanoseconds / NANO);
	to->nanoseconds = (uint32_t)(pvclock->base_nanoseconds % NANO);
	__atomic_store_n(&to->version, version, __ATOMIC_RELEASE);
	return true;
}

bool pvclock_write(struct pvclock *pvclock, unsigned vcpu, uint32_t msr, uint64_t value, uint64_t tsc_offset)
{
	if (vcpu >= PVCLOCK_VCPUS)
		return false;
	if (msr == MSR_WALL_CLOCK) {
		if (!write_wall_clock(pvclock, value))
			return false;
		pvclock->wall_clock = value;
		return true;
	}
	if (msr != MSR_SYSTEM_TIME)
		return false;
	if (value & SYSTEM_TIME_ENABLE && !write_system_time(pvclock, value & ~SYSTEM_TIME_ENABLE, tsc_offset))
		return false;
	pvclock->system_time[vcpu] = value;
	return true;
}
