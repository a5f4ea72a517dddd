/* vmx_offsets.h: what the assembly knows of C's structures and values; vmx_run.c asserts each. */
#pragma once
#define CPU_RESIDENT  8
#define CPU_STACK_TOP 168
#define VCPU_LAUNCHED 128
