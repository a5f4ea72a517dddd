/* svm_vcpu.h: the SVM part of a vCPU and of a CPU. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct vmcb;
struct vcpu;

/* Code may stand anywhere. */
struct svm_word {
	uint64_t value;
} __attribute__((packed, may_alias));

/*
 * Where an instruction stands that has left the guest, for a CPU without next-RIP save: its first bytes, and what the
 * guest's page tables said on the way to them (svm_instruction.c), as pointers through windows of this CPU.
 */
struct svm_place {
	uint64_t rip, cr3; /* of 64-bit mode */
	uint64_t next_rip;
	const struct svm_word
		*at[5]; /* four page-table entries, and the code; svm_place_forget: what never has its value */
	uint64_t value[5];
};

struct svm_vcpu {
	uint64_t vmcb_physical; /* the assembly knows this and the next two */
	struct vmcb *vmcb;
	struct cpu *cpu;	    /* its CPU, for good */
	struct svm_place place;	    /* the last one */
	uint64_t generation;	    /* of the ASID; 0: it has none */
	uint64_t next_rip;	    /* behind the instruction that exited */
	uint32_t life;		    /* rises when it is released */
	uint8_t *iopm;		    /* natives with ports of their own; NULL: everything exits */
	uint8_t virtual_interrupt;  /* the vector that V_IRQ offers; 0: none */
	uint8_t unreadable;	    /* exits in a row whose instruction was not to be found */
	bool machine_check_enabled; /* CR4.MCE as the guest wrote it; in the VMCB it is set */
};

#define SVM_PLACES 12u

/* A place that is kept, in windows of its own. */
struct svm_kept {
	struct vcpu *vcpu; /* whose; NULL: nobody's */
	uint32_t life, code;
	uint8_t operand;
	struct svm_place place;
};

struct svm_cpu {
	uint64_t host_vmcb;  /* physical: what VMLOAD brings back of the kernel's */
	uint64_t generation; /* of ASIDs */
	uint32_t next_asid;  /* to be given away; 0 is the host's */
	uint32_t next_kept;  /* the next one to be given up */
	struct svm_kept kept[SVM_PLACES];
};
