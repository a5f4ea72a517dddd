/*
 * guest_exit.h: how the kernel answers exits, whichever back end took them.
 *
 * The back end knows why the vCPU left and where its registers are; what follows from that is the same for both
 * vendors. All functions: the vCPU's own CPU, its general registers in vcpu->arch.gpr.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "clock.h"
#include "cpu.h"
#include "guest_cpuid.h"
#include "message.h"
#include "sched.h"
#include "trace.h"
#include "vcpu.h"

/* What the first stage of an exit has come to; the assembly of the back ends knows the values. */
enum exit_stage {
	EXIT_RESUME,	 /* the vCPU goes on at once */
	EXIT_RESIDENT,	 /* another one does: cpu->resident */
	EXIT_UNANSWERED, /* the exit must still be answered */
	EXIT_ANSWERED,	 /* it is, but somebody else may have to go first */
};

/* What the back end has left to do for an exit that was answered. */
enum guest_answer {
	ANSWER_DONE, /* nothing: RIP is where the vCPU goes on */
	ANSWER_SKIP, /* RIP goes past the instruction */
	ANSWER_GP,   /* #GP(0) */
	ANSWER_UD,   /* #UD */
};

/* ---- accounts: in every exit's way ------------------------------------------------------------ */

/*
 * Opens the trace record of an exit at `tsc`, the guest's RAX being `rax`; the low byte of `number` is the back end's
 * for the reason. Counted it is by exit_count.
 */
static inline struct trace_record *exit_begin(struct cpu *cpu, struct vcpu *vcpu, uint32_t number, uint64_t tsc,
					      uint64_t rax)
{
	struct trace_record *record = trace_next(cpu);

	record->tsc = tsc;
	record->detail = rax;
	record->who = vcpu->trace_id;
	trace_number(record, (uint8_t)number);
	vcpu->ran += tsc - cpu->entered;
	return record;
}

/* Apart from exit_begin, since where the number is a constant this is one instruction. */
static inline void exit_count(struct vcpu *vcpu, uint32_t number) { vcpu->exits[number & 0xff]++; }

/* Closes it: the kernel's part ends now. */
static inline void exit_end(struct vcpu *vcpu, struct trace_record *record, uint64_t now)
{
	uint64_t ticks = now - record->tsc;

	record->duration = (uint32_t)ticks;
	vcpu->kernel += ticks;
}

/* May `next` go on at once, with nobody else wanting the CPU? If not, the scheduler must choose. */
static inline bool exit_may_enter(const struct cpu *cpu, const struct vcpu *next, uint64_t now)
{
	return !(cpu->sched.look | next->state) && now < sched_deadline(&cpu->sched);
}

/* ---- ports ------------------------------------------------------------------------------------ */

/* `detail` of trace records of ports: as VT-x' exit qualification (SDM vol. 3, table 27-5). */
#define EXIT_PORT_IN	 0x08u
#define EXIT_PORT_STRING 0x10u
#define EXIT_PORT_SHIFT	 16

/* OUT to a doorbell's port: true if somebody heard it, otherwise it goes to the monitor as any other. */
bool guest_exit_doorbell(struct vcpu *vcpu, uint16_t port, unsigned size);

/*
 * IN or OUT of `size` bytes, RIP is past it: a guest's is its monitor's; a native's, all ones and silence. True: there
 * is no answer to wait for.
 */
static inline bool guest_exit_port(struct vcpu *vcpu, uint16_t port, unsigned size, bool write)
{
	if (vcpu->is_guest) {
		if (write && port / BH_DOORBELL_PORTS == BH_DOORBELL_PORT / BH_DOORBELL_PORTS)
			return guest_exit_doorbell(vcpu, port, size);
		message_pio(vcpu, port, size, write);
		return false;
	}
	if (!write)
		message_finish_in(vcpu, size, UINT64_MAX);
	return true;
}

/* Fills `bitmap` with a bit for each port, in both vendors' format: 1: it exits; the partition's own do not. */
void guest_port_bitmap(const struct partition *partition, uint8_t *bitmap, size_t bytes);

/* INS or OUTS. */
void guest_exit_string(struct vcpu *vcpu, uint16_t port, bool write);

/* ---- the rest --------------------------------------------------------------------------------- */

/* HLT, with the guest's RFLAGS.IF. */
enum guest_answer guest_exit_hlt(struct vcpu *vcpu, bool interrupts);
enum guest_answer guest_exit_xsetbv(struct vcpu *vcpu);
enum guest_answer guest_exit_rdmsr(struct vcpu *vcpu);
enum guest_answer guest_exit_wrmsr(struct vcpu *vcpu);

/*
 * An access (MAP_*) that the nested tables do not allow; `mapped`: something is there, without that right. With
 * `delivering` the CPU was about to deliver an event, which nobody can finish.
 */
void guest_exit_memory(struct vcpu *vcpu, uint64_t address, unsigned access, bool mapped, bool delivering);

/* The level-triggered vector of an EOI goes to the monitor; -1: none. */
void guest_exit_eoi(struct vcpu *vcpu, int vector);

/* Ends of partitions in the words of both back ends. */
void guest_exit_triple_fault(struct vcpu *vcpu);

/* The CPU refused to enter the vCPU, and does not say why; `svm`: by SVM's rules. A guest's monitor finds out. */
void guest_exit_refused(struct vcpu *vcpu, bool svm);

void guest_exit_native_control(struct vcpu *vcpu, unsigned number);
void guest_exit_native_debug(struct vcpu *vcpu);
void guest_exit_native_fpu(struct vcpu *vcpu);
