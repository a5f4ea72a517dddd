/* legacy.c: keyboard controller's remains, port 92h, and the test hook. */
#include "legacy.h"
#include "machine.h"

#define KEYBOARD_COMMAND 0x64
#define SYSTEM_CONTROL	 0x61
#define COMMAND_RESET	 0xfe

#define NOBODYS_ADDRESS 0x0000500000000000ull /* above all that abi.h maps */

uint32_t legacy_read(void *device, uint16_t port, unsigned size)
{
	struct machine *machine = device;

	(void)size;
	return port == SYSTEM_CONTROL ? pit_read_61(&machine->pit) : 0xff;
}

void legacy_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct machine *machine = device;

	(void)size;
	if (port == SYSTEM_CONTROL)
		pit_write_61(&machine->pit, (uint8_t)value);
	else if (port == KEYBOARD_COMMAND && value == COMMAND_RESET)
		machine_end(machine, BH_END_RESET);
}

uint32_t legacy_read_80(void *device, uint16_t port, unsigned size)
{
	struct machine *machine = device;

	(void)port;
	(void)size;
	return atomic_load_explicit(&machine->diagnostic_code, memory_order_relaxed);
}

void legacy_write_80(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct machine *machine = device;

	(void)port;
	(void)size;
	atomic_store_explicit(&machine->diagnostic_code, (uint8_t)value, memory_order_relaxed);
}

uint32_t legacy_read_92(void *device, uint16_t port, unsigned size)
{
	(void)device;
	(void)port;
	(void)size;
	return 0x02;
}

void legacy_write_92(void *device, uint16_t port, unsigned size, uint32_t value)
{
	(void)port;
	(void)size;
	if (value & 1)
		machine_end(device, BH_END_RESET);
}

uint32_t legacy_read_hook(void *device, uint16_t port, unsigned size)
{
	(void)device;
	(void)port;
	(void)size;
	return UINT32_MAX;
}

void legacy_write_hook(void *device, uint16_t port, unsigned size, uint32_t value)
{
	const struct machine *machine = device;

	(void)port;
	if (machine->test_hooks && size == 4 && value == LEGACY_CRASH)
		*(volatile uint32_t *)NOBODYS_ADDRESS = value;
}
