/* tsc.h: how fast the TSC counts, by a timer whose frequency is known. */
#pragma once
#include "boot_info.h"

/* Fills tsc_hz, tsc_agreed and tsc_reference. After boot services are left; interrupts are off from then on. */
void tsc_measure(struct boot_info *info);
