/* vmcb.h: the virtual machine control block (AMD APM vol. 2, appendix B) and its exit codes (appendix C). */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct vmcb_segment {
	uint16_t selector;
	uint16_t attributes; /* bits 47:40 of a descriptor, and 55:52 above them */
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	/* Control area. */
	uint32_t intercept_cr; /* 15:0 reads, 31:16 writes */
	uint32_t intercept_dr; /* likewise */
	uint32_t intercept_exceptions;
	uint32_t intercept_1; /* VMCB_1_* */
	uint32_t intercept_2; /* VMCB_2_* */
	uint32_t intercept_3;
	uint8_t reserved_018[0x40 - 0x18];
	uint64_t iopm_base;
	uint64_t msrpm_base;
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control;	    /* VMCB_TLB_* */
	uint64_t interrupt_control; /* VMCB_V_* */
	uint64_t interrupt_shadow;  /* bit 0 */
	uint64_t exit_code;
	uint64_t exit_info_1;
	uint64_t exit_info_2;
	uint64_t exit_interrupt_info; /* as event_injection */
	uint64_t nested_control;      /* bit 0: nested paging */
	uint64_t reserved_098[2];
	uint64_t event_injection; /* VMCB_EVENT_* */
	uint64_t nested_cr3;
	uint64_t lbr_control;
	uint64_t clean; /* VMCB_CLEAN_*: what has not changed since the last VMRUN */
	uint64_t next_rip;
	uint8_t fetched; /* instruction bytes, with decode assists */
	uint8_t bytes[15];
	uint8_t reserved_0e0[0x400 - 0xe0];
	/* State save area. The first eight are in the order of enum bh_segment_index as far as BH_GS. */
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved_4a0[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t reserved_4cc;
	uint64_t efer;
	uint8_t reserved_4d8[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved_580[0x5d8 - 0x580];
	uint64_t rsp;
	uint64_t reserved_5e0[3];
	uint64_t rax;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2;
	uint8_t reserved_648[0x668 - 0x648];
	uint64_t g_pat;
	uint64_t debugctl;
	uint8_t reserved_678[4096 - 0x678];
};
_Static_assert(sizeof(struct vmcb) == 4096, "APM vol. 2, 15.5");
_Static_assert(offsetof(struct vmcb, event_injection) == 0xa8, "APM vol. 2, table B-1");
_Static_assert(offsetof(struct vmcb, bytes) == 0xd1, "APM vol. 2, table B-1");
_Static_assert(offsetof(struct vmcb, es) == 0x400 && offsetof(struct vmcb, tr) == 0x490, "APM vol. 2, table B-2");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0 && offsetof(struct vmcb, rip) == 0x578, "APM vol. 2, table B-2");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640 && offsetof(struct vmcb, g_pat) == 0x668, "APM vol. 2, table B-2");

#define VMCB_1_INTR	(1u << 0)
#define VMCB_1_NMI	(1u << 1)
#define VMCB_1_INIT	(1u << 3)
#define VMCB_1_RDPMC	(1u << 15)
#define VMCB_1_CPUID	(1u << 18)
#define VMCB_1_RSM	(1u << 19)
#define VMCB_1_SWINT	(1u << 21)
#define VMCB_1_INVD	(1u << 22)
#define VMCB_1_HLT	(1u << 24)
#define VMCB_1_INVLPGA	(1u << 26)
#define VMCB_1_IOIO	(1u << 27)
#define VMCB_1_MSR	(1u << 28)
#define VMCB_1_FREEZE	(1u << 30)
#define VMCB_1_SHUTDOWN (1u << 31)
#define VMCB_2_VMRUN	(1u << 0) /* VMRUN refuses to run without it */
#define VMCB_2_VMMCALL	(1u << 1)
#define VMCB_2_VMLOAD	(1u << 2)
#define VMCB_2_VMSAVE	(1u << 3)
#define VMCB_2_STGI	(1u << 4)
#define VMCB_2_CLGI	(1u << 5)
#define VMCB_2_SKINIT	(1u << 6)
#define VMCB_2_WBINVD	(1u << 9)
#define VMCB_2_MONITOR	(1u << 10)
#define VMCB_2_MWAIT	(1u << 11 | 1u << 12)
#define VMCB_2_XSETBV	(1u << 13)
#define VMCB_2_RDPRU	(1u << 14)

#define VMCB_TLB_NOTHING   0u
#define VMCB_TLB_FLUSH_ALL 1u

#define VMCB_V_TPR	      0xfull /* CR8 */
#define VMCB_V_IRQ	      (1ull << 8)
#define VMCB_V_PRIORITY_SHIFT 16
#define VMCB_V_INTR_MASKING   (1ull << 24)
#define VMCB_V_VECTOR_SHIFT   32

#define VMCB_EVENT_VALID     (1ull << 31)
#define VMCB_EVENT_ERROR     (1ull << 11) /* an error code is pushed: bits 63:32 */
#define VMCB_EVENT_EXCEPTION (3ull << 8)
#define VMCB_EVENT_TYPE	     (7ull << 8)
#define VMCB_EVENT_SOFTWARE  (4ull << 8)

#define VMCB_CLEAN_TPR	   (1ull << 3)
#define VMCB_CLEAN_CONTROL (1ull << 0 | 1ull << 2) /* intercepts, TSC offset; ASID */
#define VMCB_CLEAN_ALL	   0xfffull

#define VMCB_ATTRIBUTE_PRESENT 0x80u
#define VMCB_ATTRIBUTE_LONG    0x200u

/* WRMSR has the exit code of RDMSR; it is counted and traced by a number that no other exit has. */
#define SVM_NUMBER_WRMSR 0xfe

enum svm_exit {
	SVM_EXIT_CR_READ = 0x00, /* + register */
	SVM_EXIT_CR_WRITE = 0x10,
	SVM_EXIT_DR_READ = 0x20,
	SVM_EXIT_DR_WRITE = 0x30,
	SVM_EXIT_EXCEPTION = 0x40, /* + vector */
	SVM_EXIT_INTR = 0x60,
	SVM_EXIT_NMI = 0x61,
	SVM_EXIT_INIT = 0x63,
	SVM_EXIT_RDPMC = 0x6f,
	SVM_EXIT_CPUID = 0x72,
	SVM_EXIT_SWINT = 0x75, /* INT n; with QEMU's emulation INT3 and INTO too */
	SVM_EXIT_INVD = 0x76,
	SVM_EXIT_HLT = 0x78,
	SVM_EXIT_IOIO = 0x7b,
	SVM_EXIT_MSR = 0x7c,
	SVM_EXIT_SHUTDOWN = 0x7f,
	SVM_EXIT_VMMCALL = 0x81,
	SVM_EXIT_WBINVD = 0x89,
	SVM_EXIT_XSETBV = 0x8d,
	SVM_EXIT_NPF = 0x400,
	SVM_EXIT_INVALID = -1, /* in 64 bits, but QEMU 7.2 stores 32 */
};

/* exit_info_1 of IOIO (15.10.2), of NPF (15.25.6), and of moves to and from control registers (15.33.1). */
#define SVM_IOIO_IN	    0x1u
#define SVM_IOIO_STRING	    0x4u
#define SVM_IOIO_SIZE_SHIFT 4 /* bits 6:4: 1, 2 or 4 bytes */
#define SVM_IOIO_PORT_SHIFT 16
#define SVM_NPF_PRESENT	    0x1u
#define SVM_NPF_WRITE	    0x2u
#define SVM_NPF_FETCH	    0x10u
#define SVM_MOV_CR	    (1ull << 63)
