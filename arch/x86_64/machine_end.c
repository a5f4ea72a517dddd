/* Power-off and reset: one way after the other, until one works. */
#include <stddef.h>
#include "address_space.h"
#include "clock.h"
#include "instructions.h"
#include "io.h"
#include "log.h"
#include "machine.h"

/* UEFI 2.10, 4.3 and 4.5: offsets in the tables, and 8.5.1. */
#define SYSTEM_TABLE_RUNTIME 88u
#define RUNTIME_RESET_SYSTEM 104u
/*
 * Warm: the firmware begins again, which is all that is wanted. After a cold reset that sets devices back
 * only in part, firmware has been seen to wait for them for ever.
 */
#define EFI_RESET_WARM	   1
#define EFI_RESET_SHUTDOWN 2

#define WAIT_MICROSECONDS 500000u

typedef void(__attribute__((ms_abi)) * efi_reset_system)(uint32_t type, uint64_t status, uint64_t bytes, void *data);

enum end { END_NONE, END_POWEROFF, END_RESET };

static uint64_t system_table;
static enum end ending;
static unsigned next_way;

void machine_efi_init(uint64_t table) { system_table = table; }

static void end_by_efi(void)
{
	const uint8_t *table = (const uint8_t *)system_table;
	const uint8_t *runtime;
	efi_reset_system reset_system;

	if (!table)
		return;
	write_cr3(address_space_identity());
	runtime = *(const uint8_t *const *)(table + SYSTEM_TABLE_RUNTIME);
	reset_system = *(const efi_reset_system *)(runtime + RUNTIME_RESET_SYSTEM);
	reset_system(ending == END_RESET ? EFI_RESET_WARM : EFI_RESET_SHUTDOWN, 0, 0, NULL);
}

/* ACPI 6.5, 4.8.3.6. */
static void reset_by_acpi(void)
{
	volatile uint8_t *memory;

	switch (machine_acpi.reset_space) {
	case 0:
		memory = mmio_map(machine_acpi.reset_address, 1, PAGING_UC);
		if (memory)
			*memory = machine_acpi.reset_value;
		break;
	case 1: outb((uint16_t)machine_acpi.reset_address, machine_acpi.reset_value); break;
	}
}

static void reset_by_chipset(void)
{
	outb(0xcf9, 2);
	outb(0xcf9, 6);
}

static void reset_by_keyboard(void) { outb(0x64, 0xfe); }

/* Also from the exception of a way that crashed: each is tried once. */
_Noreturn static void try_all(void)
{
	static void (*const ways[])(void) = { end_by_efi, reset_by_acpi, reset_by_chipset, reset_by_keyboard };
	unsigned count = ending == END_RESET ? sizeof(ways) / sizeof(ways[0]) : 1;

	while (next_way < count) {
		ways[next_way++]();
		clock_wait(WAIT_MICROSECONDS);
	}
	write_cr3(kernel_paging.root);
	log_printf("the machine does not %s; switch it off by hand", ending == END_RESET ? "reset" : "power off");
	cpu_halt();
}

_Noreturn static void end(enum end how)
{
	interrupts_off();
	machine_stop_others();
	if (ending == END_NONE)
		ending = how;
	try_all();
}

void machine_poweroff(void) { end(END_POWEROFF); }

void machine_reset(void) { end(END_RESET); }

void machine_end_failed(void)
{
	if (ending != END_NONE)
		try_all();
}
