/* guest_fakes.h: a partition of vCPUs whose kernel and virtualization back end only take notes. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "guest_apic.h"
#include "clock.h"
#include "instructions.h"
#include "msr.h"
#include "partition.h"
#include "vcpu.h"
#include "virt.h"

#define FAKE_VCPUS 6

extern uint64_t fake_tsc;
extern uint64_t fake_special[16]; /* by enum virt_register */
extern unsigned fake_wakes[FAKE_VCPUS];
extern uint64_t fake_timer[FAKE_VCPUS]; /* as vcpu_set_timer got it */
extern unsigned fake_offset_changes, fake_mode_changes;
extern uint64_t fake_xcr0; /* as XSETBV got it */
extern struct partition fake_partition;
extern struct vcpu fake_vcpu[FAKE_VCPUS];

/* A partition of `vcpus` guest vCPUs, reset; APICs in xAPIC mode, disabled by software. */
void fake_start(unsigned vcpus);
void fake_end(void);

/* The host's CPUID: all 0, then what is set. */
void fake_cpuid_clear(void);
void fake_cpuid_set(uint32_t leaf, uint32_t subleaf, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx);
