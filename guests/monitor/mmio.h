/* mmio.h: what stands at guest-physical addresses without RAM. Elsewhere: all ones, and silence. */
#pragma once
#include <stdint.h>
#include "machine.h"

#define MMIO_APIC_ADDRESS 0xfee00000ull
#define MMIO_APIC_BYTES	  0x1000u

/* One access of 1, 2, 4 or 8 bytes by a vCPU that waits for an answer. */
uint64_t mmio_read(struct machine *machine, unsigned vcpu, uint64_t address, unsigned size);
void mmio_write(struct machine *machine, unsigned vcpu, uint64_t address, unsigned size, uint64_t value);
