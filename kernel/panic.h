/* panic.h: the kernel's own end. */
#pragma once
#include <stdbool.h>

/*
 * Says why and on which CPU, on every output there is, with the addresses found on the stack; stops
 * all other CPUs by NMI; then halts, or resets the machine if panic_set_reset(true) was called. Any
 * CPU, any state. Of two CPUs that panic at once the second one is stopped silently.
 */
__attribute__((format(printf, 1, 2))) _Noreturn void panic(const char *fmt, ...);

/*
 * The beginning of a panic, for callers that have more to say: stops the other CPUs and makes the
 * log write to every output without waiting for anybody. Then log_printf at will, the stack too,
 * then panic(). False when this CPU has begun one before.
 */
bool panic_begin(void);

/* config machine.panic: reset in place of halting. */
void panic_set_reset(bool reset);

#define panic_unless(condition)                                                     \
	do {                                                                        \
		if (!(condition))                                                   \
			panic("%s:%d: not so: %s", __FILE__, __LINE__, #condition); \
	} while (0)
