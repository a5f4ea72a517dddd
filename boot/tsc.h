/* tsc.h: how fast the TSC and the local APIC's timer count, by a timer whose frequency is known. */
#pragma once
#include "boot_info.h"

/* Fills tsc_hz, apic_timer_hz, tsc_agreed and tsc_reference. After boot services are left; interrupts are off from then
 * on. */
void tsc_measure(struct boot_info *info);
