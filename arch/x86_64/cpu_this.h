/* cpu_this.h: the calling CPU. */
#pragma once
#include "cpu.h"

static inline struct cpu *cpu_this(void)
{
	struct cpu *cpu;

	__asm__("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}
