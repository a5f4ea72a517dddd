/* machine.h: the machine as a whole. */
#pragma once
#include <boot/boot_info.h>
#include "boot/acpi.h"

extern struct acpi
	machine_acpi; /* what the firmware's tables say; read-only after machine_init, but for ioapic.c's `isa` */

/* Brings the boot CPU's part up: tables, address space, APIC, clock, interrupts; logs a line each.
 * Once. */
void machine_init(const struct boot_info *info);

/*
 * The end, by EFI's ResetSystem, then (reset) FADT's reset register, port 0xCF9, the keyboard
 * controller. Stops all other CPUs first. Any CPU, interrupts off.
 */
_Noreturn void machine_poweroff(void);
_Noreturn void machine_reset(void);

/* For machine_init: where EFI's system table is, 0: none. */
void machine_efi_init(uint64_t table);

/* Stops all other CPUs for good, by NMI. */
void machine_stop_others(void);

/* True for a CPU that is to stop: asked by its NMI handler. */
bool machine_stopping(void);

/* For exceptions: goes on to the next way if the machine is being ended and the firmware has
 * crashed. */
void machine_end_failed(void);
