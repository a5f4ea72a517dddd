/* start.h: what the kernel does once the machine is up. */
#pragma once
#include <boot/boot_info.h>
#include "cpu.h"

/*
 * On the boot CPU, when all CPUs are up, clock, log and interrupts work: builds what the
 * configuration asks for. `info` stays mapped for good.
 */
void machine_start(const struct boot_info *info);

/* Each CPU's life, with interrupts off, on the stack cpu->arch.stack_top; the boot CPU comes last.
 */
_Noreturn void cpu_main(struct cpu *cpu);

/* What the loader told; read-only. */
extern const struct boot_info *start_boot_info;
