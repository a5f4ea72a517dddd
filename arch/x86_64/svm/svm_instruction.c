/*
 * svm_instruction.c: the instruction at which a vCPU has left, read through its own page tables, for CPUs without
 * next-RIP save or decode assists.
 *
 * Most exits come from few places. Each CPU keeps the last walks: the entries that they read, as pointers through
 * windows that stay, and their values. While all of them still say the same, the code is where it was, and its bytes
 * are looked at again (svm_place_stands); so neither new code at the same address nor new page tables go unnoticed. The
 * vCPU's last place is at hand in the first stage.
 */
#include <guests/lib/bh_string.h>
#include <guests/lib/guest_paging.h>
#include "instructions.h"
#include "msr.h"
#include "partition.h"
#include "svm.h"
#include "vcpu.h"
#include "window.h"

#define SLOT_OTHER 1u
#define SLOT_KEPT  2u /* the first */
#define KEPT_SLOTS 5u /* of each: four entries, and the code */

_Static_assert(SLOT_KEPT + KEPT_SLOTS * SVM_PLACES <= WINDOW_SLOTS, "each has windows of its own");

/* One way through the guest's tables. */
struct walk {
	struct vcpu *vcpu;
	struct svm_kept *kept; /* whose windows it takes */
	unsigned slot;	       /* the first of these */
	struct svm_place place;
	unsigned entries; /* read so far */
};

/* RAM of the partition only, in one piece within a frame; false: there is none. */
static bool find_physical(const struct partition *partition, uint64_t address, uint64_t bytes, uint64_t *physical)
{
	for (unsigned i = 0; i < partition->extents; i++) {
		const struct extent *extent = &partition->extent[i];

		if (address >= extent->address && address - extent->address < extent->bytes &&
		    address % WINDOW_BYTES + bytes <= WINDOW_BYTES) {
			*physical = extent->physical + (address - extent->address);
			return true;
		}
	}
	return false;
}

static bool read_entry(void *context, uint64_t address, void *to, uint64_t bytes)
{
	struct walk *walk = context;
	unsigned n = walk->entries++;
	uint64_t physical;
	const void *entry;

	if (!find_physical(walk->vcpu->partition, address, bytes, &physical))
		return false;
	entry = window_map_slot(n < 4 ? walk->slot + n : SLOT_OTHER, physical);
	memcpy(to, entry, bytes);
	if (n < 4 && bytes == 8) {
		walk->place.at[n] = entry;
		walk->place.value[n] = *(uint64_t *)to;
	}
	return true;
}

/* Up to the end of the page. `at[4]` is where it begins. */
static unsigned read_code(struct walk *walk, const struct bh_vcpu_state *state, uint64_t linear, unsigned slot,
			  uint8_t *to, unsigned bytes)
{
	struct guest_reader reader = { read_entry, walk };
	unsigned rest = (unsigned)(PAGING_4K - linear % PAGING_4K);
	uint64_t address, physical;
	const void *code;

	bytes = bytes < rest ? bytes : rest;
	if (!guest_paging_translate(&reader, state, linear, GUEST_FETCH, &address) ||
	    !find_physical(walk->vcpu->partition, address, bytes, &physical))
		return 0;
	code = window_map_slot(slot, physical);
	memcpy(to, code, bytes);
	walk->place.at[4] = code;
	return bytes;
}

/* Whatever a guest loads into CR3 and RIP, the word and the value differ. */
void svm_place_forget(struct vcpu *vcpu)
{
	static const struct svm_word never;

	vcpu->arch.svm.place.at[0] = &never;
	vcpu->arch.svm.place.value[0] = 1;
}

static bool is_for(const struct svm_kept *kept, const struct vcpu *vcpu)
{
	const struct vmcb *vmcb = vcpu->arch.svm.vmcb;

	return kept->vcpu == vcpu && kept->place.rip == vmcb->rip && kept->place.cr3 == vmcb->cr3;
}

/* What is kept for the place where the vCPU is, of whatever life; otherwise the one that is given up for it. */
static struct svm_kept *find_kept(struct svm_cpu *cpu, const struct vcpu *vcpu)
{
	for (unsigned i = 0; i < SVM_PLACES; i++)
		if (is_for(&cpu->kept[i], vcpu))
			return &cpu->kept[i];
	cpu->next_kept = (cpu->next_kept + 1) % SVM_PLACES;
	return &cpu->kept[cpu->next_kept];
}

/* Its windows will lead elsewhere. */
static void give_up(struct svm_kept *kept)
{
	if (kept->vcpu && kept->vcpu->arch.svm.place.at[4] == kept->place.at[4])
		svm_place_forget(kept->vcpu);
	kept->vcpu = NULL;
}

static void keep(struct walk *walk, uint32_t code, const uint8_t *bytes, const struct svm_instruction *instruction)
{
	struct vcpu *vcpu = walk->vcpu;
	const struct vmcb *vmcb = vcpu->arch.svm.vmcb;
	struct svm_kept *kept = walk->kept;

	/* A large page ends the walk early: the rest compares with itself. */
	for (unsigned n = walk->entries; n < 4; n++) {
		walk->place.at[n] = (const struct svm_word *)&kept->place.value[n];
		walk->place.value[n] = 0;
	}
	memcpy(&walk->place.value[4], bytes, sizeof(walk->place.value[4]));
	walk->place.rip = vmcb->rip;
	walk->place.cr3 = vmcb->cr3;
	walk->place.next_rip = vmcb->rip + instruction->length;
	*kept = (struct svm_kept){ vcpu, vcpu->arch.svm.life, code, instruction->operand, walk->place };
	vcpu->arch.svm.place = walk->place;
}

static uint64_t linear_rip(const struct vmcb *vmcb)
{
	return svm_code64(vmcb) ? vmcb->rip : (uint32_t)(vmcb->cs.base + vmcb->rip);
}

/* Windows and state for a walk. */
static struct walk begin(struct vcpu *vcpu, struct svm_kept *kept, struct bh_vcpu_state *state)
{
	const struct svm_cpu *cpu = &vcpu->arch.svm.cpu->arch.svm;
	unsigned slot = SLOT_KEPT + KEPT_SLOTS * (unsigned)(kept - cpu->kept);

	svm_get_state(vcpu, BH_STATE_CONTROL | BH_STATE_SEGMENTS, state);
	svm_place_forget(vcpu);
	give_up(kept);
	return (struct walk){ .vcpu = vcpu, .kept = kept, .slot = slot };
}

bool svm_rewrite_code(struct vcpu *vcpu)
{
	struct bh_vcpu_state state;
	struct walk walk = begin(vcpu, find_kept(&vcpu->arch.svm.cpu->arch.svm, vcpu), &state);
	uint8_t byte;

	if (!read_code(&walk, &state, linear_rip(vcpu->arch.svm.vmcb), walk.slot + 4, &byte, 1))
		return false;
	/* The guest may be changing it at this moment. */
	__asm__ volatile("lock orb $0, %0" : "+m"(*(uint8_t *)(uintptr_t)walk.place.at[4]));
	return true;
}

/* Walks and looks; what is found may be kept. */
static bool look(struct vcpu *vcpu, struct svm_kept *kept, uint32_t code, struct svm_instruction *instruction)
{
	const struct vmcb *vmcb = vcpu->arch.svm.vmcb;
	bool code64 = svm_code64(vmcb);
	uint64_t linear = linear_rip(vmcb);
	struct bh_vcpu_state state;
	struct walk walk = begin(vcpu, kept, &state);
	uint8_t bytes[SVM_INSTRUCTION_BYTES];
	unsigned count = read_code(&walk, &state, linear, walk.slot + 4, bytes, sizeof(bytes));

	if (count == sizeof(bytes)) {
		if (!svm_decode(bytes, count, code64, code, instruction))
			return false;
		/* Only the bytes that are kept are looked at again. */
		if (code64 && code != SVM_EXIT_SWINT && walk.entries <= 4 &&
		    instruction->length <= sizeof(walk.place.value[4]))
			keep(&walk, code, bytes, instruction);
		return true;
	}
	if (count) /* it may go on in the next page */
		count += read_code(&walk, &state, linear + count, SLOT_OTHER, bytes + count,
				   (unsigned)sizeof(bytes) - count);
	return svm_decode(bytes, count, code64, code, instruction);
}

bool svm_instruction(struct vcpu *vcpu, uint32_t code, struct svm_instruction *instruction)
{
	struct svm_vcpu *svm = &vcpu->arch.svm;
	struct svm_kept *kept = find_kept(&svm->cpu->arch.svm, vcpu);

	if (!is_for(kept, vcpu) || kept->life != svm->life || kept->code != code ||
	    !svm_place_stands(&kept->place, svm->vmcb))
		return look(vcpu, kept, code, instruction);
	svm->place = kept->place;
	instruction->length = (uint8_t)(kept->place.next_rip - kept->place.rip);
	instruction->operand = kept->operand;
	return true;
}
