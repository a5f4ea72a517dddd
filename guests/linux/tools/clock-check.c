/*
 * clock-check: sleeps for three seconds and says how far the clocks went meanwhile.
 *
 * The TSC ticks are the outside reference: whoever reads the line knows how many the machine makes
 * in a second, while Linux only believes what it was told.
 */
#include "program.h"

int program(int words, char **word)
{
	struct timespec three_seconds = { 3, 0 };
	uint64_t tsc = ticks();
	uint64_t monotonic = clock_nanoseconds(CLOCK_MONOTONIC);
	uint64_t real = clock_nanoseconds(CLOCK_REALTIME);

	(void)words;
	(void)word;
	call(SYS_NANOSLEEP, (uint64_t)&three_seconds, 0, 0);
	tsc = ticks() - tsc;
	monotonic = clock_nanoseconds(CLOCK_MONOTONIC) - monotonic;
	real = clock_nanoseconds(CLOCK_REALTIME) - real;

	print("clock-check: tsc=");
	print_number(tsc);
	print(" monotonic=");
	print_number(monotonic);
	print(" real=");
	print_number(real);
	print("\n");
	return 0;
}
