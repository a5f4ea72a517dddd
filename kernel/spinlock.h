/*
 * spinlock.h: ticket locks. Root mode runs with interrupts off except in cpu_idle, so a holder is
 * never interrupted on its own CPU (but by NMI, whose handler takes no lock). README.md has the
 * order of locks.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct spinlock {
	_Atomic uint32_t next, serving;
};

#define SPINLOCK_INIT \
	{             \
		0, 0  \
	}

static inline void spin_pause(void) { __builtin_ia32_pause(); }

static inline void spin_lock(struct spinlock *lock)
{
	uint32_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

	while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
		spin_pause();
}

static inline void spin_unlock(struct spinlock *lock)
{
	uint32_t serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);

	atomic_store_explicit(&lock->serving, serving + 1, memory_order_release);
}
