/*
 * lock.c: a lock whose waiters sleep in the kernel.
 *
 * One word says whether the lock is taken and who waits for it, so both change in one step. Who
 * unlocks takes one waiter out of the word and signals it; the signal is a sticky event, so it does
 * not matter whether that vCPU waits already. A woken vCPU has no claim: if another was faster it
 * writes itself in again, and the faster one's unlock finds it there. Events of the runtime that
 * mean nothing (from a lock that was got without waiting) only make the loop go round once more.
 */
#include "bh.h"

#define TAKEN BH_LOCK_TAKEN

void bh_lock_waits(struct bh_lock *lock)
{
	uint32_t self = 1u << bh_vcpu();
	uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);

	for (;;) {
		if (!(word & TAKEN)) {
			if (atomic_compare_exchange_weak_explicit(&lock->word, &word, (word & ~self) | TAKEN,
								  memory_order_acquire, memory_order_relaxed))
				return;
			continue;
		}
		if (!atomic_compare_exchange_weak_explicit(&lock->word, &word, word | self, memory_order_relaxed,
							   memory_order_relaxed))
			continue;

		bh_call3(BH_WAIT, 1ull << BH_EVENT_RUNTIME, BH_FOREVER, 0);
		word = atomic_load_explicit(&lock->word, memory_order_relaxed);
	}
}

/* The waiter after `self`, in a circle, so that none is passed over for ever. */
static unsigned next_waiter(uint32_t waiters, unsigned self)
{
	uint32_t after = waiters & ~((2u << self) - 1);

	return (unsigned)__builtin_ctz(after ? after : waiters);
}

void bh_unlock_wakes(struct bh_lock *lock)
{
	uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
	uint32_t waiters;
	unsigned woken = 0;

	do {
		waiters = word & ~TAKEN;
		if (waiters)
			woken = next_waiter(waiters, bh_vcpu());
	} while (!atomic_compare_exchange_weak_explicit(&lock->word, &word, waiters & ~(waiters ? 1u << woken : 0),
							memory_order_release, memory_order_relaxed));

	if (waiters)
		bh_call2(BH_EVENT_SIGNAL, woken, 1ull << BH_EVENT_RUNTIME);
}
