/*
 * fake_system.h: partitions on the machine of kernel_fakes.h, built by the kernel itself from a configuration:
 *
 *   console		CPU 0
 *   linux, its monitor	vCPU 0 on CPU 1, vCPU 1 on CPU 2; the monitor's third one on CPU 0. 8 MiB, restart never
 *   ping		CPU 0 (60 percent at most) and CPU 3; 4 MiB, restart on failure, twice at most
 *   pong		CPU 3; 4 MiB, restart always; a channel "talk" with ping; may control ping, inspect linux, and
 * has irq 5 broken		an error in the configuration
 *
 * Programs: 0x100000 RX (its bytes are 0x11), 0x200000 RW (0x22, twice as long in memory).
 */
#pragma once
#include "kernel_fakes.h"

extern struct boot_info fake_boot;
extern struct partition *the_console, *the_linux, *the_monitor, *the_ping, *the_pong, *the_broken;

/* Called before building, to add to the configuration. */
extern void (*fake_configure)(struct config *config);
/* A further native of one vCPU, for that. */
struct config_partition *fake_native(const char *name);

/* Builds it all; once in a program, since the kernel's records of frames and entities are made once. */
int fake_system(void **state);
int fake_system_end(void **state);

/* All partitions as after boot, whatever has become of them; idle CPUs, nothing noted. */
int fake_system_reset(void **state);

/* BH_... of `caller`, on its CPU: what ends up in RAX. */
int64_t fake_call(struct vcpu *caller, uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);

/* The handle that `holder` has for `name` and of this type. */
uint64_t fake_handle(const struct partition *holder, enum bh_handle_type type, const char *name);

/* Lets all CPUs do what they want to, until each of them idles or has a vCPU to enter. */
void fake_settle(void);

/* Starts the partition, and settles: it runs then. */
void fake_start(struct partition *partition);
