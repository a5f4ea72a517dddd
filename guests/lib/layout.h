/* layout.h: numbers that crt0.S and C share. */
#pragma once

#define BH_VCPUS_MAX   17 /* a monitor's: 16 paired vCPUs and the I/O vCPU */
#define BH_STACK_SHIFT 14
#define BH_STACK_BYTES (1 << BH_STACK_SHIFT)

#define BH_SELECTOR_CODE 0x08
#define BH_SELECTOR_DATA 0x10
