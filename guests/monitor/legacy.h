/* legacy.h: single ports that are no device of their own. Port handlers (port.h); the device is the
 * machine. Any vCPU. */
#pragma once
#include <stdint.h>

/*
 * 0x60 to 0x64: port 61h is the PIT's; the keyboard controller is absent and reads as all ones, but
 * its command FEh resets the machine, since that is how a PC has always been reset.
 */
uint32_t legacy_read(void *machine, uint16_t port, unsigned size);
void legacy_write(void *machine, uint16_t port, unsigned size, uint32_t value);

/* 0x80: the diagnostic code, a register that only remembers. Writing it is a PC's customary short delay. */
uint32_t legacy_read_80(void *machine, uint16_t port, unsigned size);
void legacy_write_80(void *machine, uint16_t port, unsigned size, uint32_t value);

/* 0x92: bit 1, A20, is always set; bit 0 resets. */
uint32_t legacy_read_92(void *machine, uint16_t port, unsigned size);
void legacy_write_92(void *machine, uint16_t port, unsigned size, uint32_t value);

/*
 * 0x4242: for tests of what happens when a monitor crashes. With the word "bulkhead.testhooks" on
 * the guest's command line, the 32-bit value LEGACY_CRASH makes the monitor touch an address where
 * it has no memory. Without that word it is an empty port.
 */
#define LEGACY_CRASH 0x68737263u /* "crsh" */
uint32_t legacy_read_hook(void *machine, uint16_t port, unsigned size);
void legacy_write_hook(void *machine, uint16_t port, unsigned size, uint32_t value);
