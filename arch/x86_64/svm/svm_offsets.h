/* svm_offsets.h: what the assembly knows of C's structures; svm_run.c asserts each. */
#pragma once
#define CPU_RESIDENT	   8
#define CPU_STACK_TOP	   168
#define VCPU_VMCB_PHYSICAL 136
#define VCPU_VMCB	   144
#define VCPU_CPU	   152
#define VMCB_GS_BASE	   0x458
#define VMCB_RAX	   0x5f8
