/* vmx_offsets.h: what the assembly knows of C's structures; vmx_entry.c asserts each. */
#pragma once
#define CPU_STACK_TOP 160
#define VCPU_LAUNCHED 128
