/* spin.c: computes for ever and asks nobody for anything. */
#include "bh.h"

int main(unsigned vcpu)
{
	volatile uint64_t x = vcpu + 1;

	for (;;)
		x = x * 6364136223846793005ull + 1442695040888963407ull;
}
