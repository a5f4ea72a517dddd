/*
 * port-bench: ticks that one OUT to a port of the virtual PC takes, there and back, the loop
 * subtracted.
 *
 * The port is 0x80, the diagnostic code of PC firmware: the monitor models it as a register that
 * does nothing, so what is measured is the way. The smallest of several rounds is free of
 * interrupts.
 */
#include "program.h"

#define ROUNDS 100
#define TIMES  20

static uint64_t round_ticks(int with_port)
{
	uint64_t start = ticks();

	for (int i = 0; i < TIMES; i++) {
		if (with_port)
			__asm__ volatile("outb %%al, $0x80" : : "a"(0) : "memory");
		else
			__asm__ volatile("" : : "a"(0) : "memory");
	}
	return ticks() - start;
}

static uint64_t smallest(int with_port)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t now = round_ticks(with_port);

		if (now < best)
			best = now;
	}
	return best;
}

int program(int words, char **word)
{
	uint64_t with, without;

	(void)words;
	(void)word;
	if (call(SYS_IOPL, 3, 0, 0) < 0) {
		print("port-bench: iopl is refused\n");
		return 1;
	}
	without = smallest(0);
	with = smallest(1);
	print("port-bench: exit.pio=");
	print_number((with - without) / TIMES);
	print("\n");
	return 0;
}
