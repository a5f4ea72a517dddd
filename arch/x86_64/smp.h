/* smp.h: waking the other CPUs. */
#pragma once
#include <boot/boot_info.h>

/*
 * Wakes every CPU that the MADT names, or where there is none the MP Services list in `info`; each
 * enters cpu_main (kernel/start.h). Fills cpus[] and cpu_count. A CPU that does not answer is named
 * in the log and left out. Boot CPU, once.
 */
void smp_start(const struct boot_info *info);
