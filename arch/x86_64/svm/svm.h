/*
 * svm.h: AMD SVM behind the table of operations (kernel/virt.h).
 *
 * svm_caps: what the CPU has. svm_vcpu: VMCB of a vCPU. svm_state: its registers. svm_run: what is done before each
 * entry. svm_exit: what is done after each exit. svm_instruction: lengths, where the CPU does not tell. svm_switch.S:
 * the instructions between.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guest_exit.h"
#include "msr.h"
#include "svm_decode.h"
#include "virt.h"
#include "vmcb.h"

struct vcpu;
struct cpu;

/* ---- svm_caps.c -------------------------------------------------------------------------------- */

struct svm_caps {
	uint32_t asids; /* 1 to asids - 1 are guests' */
	uint64_t clean; /* VMCB_CLEAN_*: what this CPU need not read again; 0: all is read at each entry */
	bool next_rip, decode_assists, flush_by_asid, clean_bits, vgif, virtual_vmload, page_1g;
	bool stale_code; /* QEMU's own emulation: see svm_rewrite_code */
};

extern struct svm_caps svm_caps;

void svm_require(void);
void svm_describe(void (*line)(const char *text));
void svm_cpu_enable(struct cpu *cpu);

/* ---- svm_vcpu.c -------------------------------------------------------------------------------- */

bool svm_vcpu_create(struct vcpu *vcpu);
void svm_vcpu_reset(struct vcpu *vcpu);
void svm_vcpu_release(struct vcpu *vcpu);

/* ---- svm_state.c ------------------------------------------------------------------------------- */

uint64_t svm_read_special(struct vcpu *vcpu, enum virt_register reg);
void svm_write_special(struct vcpu *vcpu, enum virt_register reg, uint64_t value);
void svm_get_state(struct vcpu *vcpu, uint32_t groups, struct bh_vcpu_state *state);
void svm_set_state(struct vcpu *vcpu, uint32_t groups, const struct bh_vcpu_state *state);
void svm_tsc_offset_changed(struct vcpu *vcpu);

/* MOV to CR4. False: #GP(0), nothing has changed. */
bool svm_write_cr4(struct vcpu *vcpu, uint64_t value);

/* Is the code that it runs 64-bit code? */
static inline bool svm_code64(const struct vmcb *vmcb)
{
	return vmcb->efer & EFER_LMA && vmcb->cs.attributes & VMCB_ATTRIBUTE_LONG;
}

/* ---- svm_instruction.c ------------------------------------------------------------------------- */

/*
 * Reads the instruction at which the vCPU has left by `code`, through its page tables and nested ones. False: there is
 * no such instruction (any more); as the code can change under it, the guest may try again. Second stage of an exit.
 */
bool svm_instruction(struct vcpu *vcpu, uint32_t code, struct svm_instruction *instruction);

/*
 * QEMU's own emulation (seen in 7.2) may have translated code while another CPU changed it, and then never hears of the
 * change: its INT3 is executed for ever where memory has none, and a guest that changes its code by INT3, as Linux
 * does, hangs without an exit. Writing the byte at RIP again, as it is, makes it translate anew. False: it is not to be
 * found. Second stage of an exit.
 */
bool svm_rewrite_code(struct vcpu *vcpu);

/* From now on the vCPU has left at no known place. */
void svm_place_forget(struct vcpu *vcpu);

/*
 * Has the vCPU left at the same place as before, in 64-bit mode again, through the same page tables, and is the same
 * code still there?
 */
static inline bool svm_place_stands(const struct svm_place *place, const struct vmcb *vmcb)
{
	return place->rip == vmcb->rip && place->cr3 == vmcb->cr3 && vmcb->cs.attributes & VMCB_ATTRIBUTE_LONG &&
	       place->at[0]->value == place->value[0] && place->at[1]->value == place->value[1] &&
	       place->at[2]->value == place->value[2] && place->at[3]->value == place->value[3] &&
	       place->at[4]->value == place->value[4];
}

/* ---- svm_run.c --------------------------------------------------------------------------------- */

/* Boot CPU, once svm_caps are known. */
void svm_run_init(void);

/* Both stages of an exit, from svm_switch.S, on the CPU's stack; the first with GIF clear. */
extern enum exit_stage (*svm_quick)(struct vcpu *vcpu, struct vmcb *vmcb, uint64_t tsc, struct cpu *cpu, uint64_t rax);
_Noreturn void svm_exit(struct vcpu *vcpu, enum exit_stage stage);

/* The first entry of a CPU. */
_Noreturn void svm_first_entry(struct vcpu *vcpu);

/* For the next entry: an exception; `error` is pushed where it has an error code. */
void svm_inject(struct vcpu *vcpu, unsigned vector, bool has_error, uint32_t error);

/* RIP goes to `next_rip`, where the instruction ends, and the shadow of an STI or MOV SS with it. */
static inline void svm_skip_to(struct vmcb *vmcb, uint64_t next_rip)
{
	vmcb->rip = next_rip;
	vmcb->interrupt_shadow = 0;
}

/* ---- svm_exit.c -------------------------------------------------------------------------------- */

/* The public name of an exit's number: the exit code's low 8 bits, which no two of those that come share. */
unsigned svm_exit_reason(unsigned number);

/* Answers the exit, or makes it a message, or ends the partition. */
void svm_dispatch(struct cpu *cpu, struct vcpu *vcpu, struct trace_record *record);

/* ---- svm_switch.S ------------------------------------------------------------------------------ */

_Noreturn void svm_enter(struct vcpu *vcpu);

/* ---- instructions ------------------------------------------------------------------------------ */

/* The state that VMRUN does not switch: FS, GS, TR, LDTR and the MSRs of system calls (15.5.2). */
static inline void vmload(uint64_t vmcb) { __asm__ volatile("vmload %0" : : "a"(vmcb) : "memory"); }

static inline void vmsave(uint64_t vmcb) { __asm__ volatile("vmsave %0" : : "a"(vmcb) : "memory"); }

static inline void stgi(void) { __asm__ volatile("stgi" : : : "memory"); }
