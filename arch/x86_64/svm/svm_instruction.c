/*
 * svm_instruction.c: the instruction at which a vCPU has left, read through its own page tables, for CPUs without
 * next-RIP save or decode assists.
 *
 * Most exits come from few places. The last walk is kept: the entries that it read, as pointers through windows that
 * stay, and their values. While all of them still say the same, the code is where it was, and its bytes are looked at
 * again (svm_place_stands, in the first stage); so neither new code at the same address nor new page tables go
 * unnoticed.
 */
#include <guests/lib/bh_string.h>
#include <guests/lib/guest_paging.h>
#include "instructions.h"
#include "msr.h"
#include "partition.h"
#include "svm.h"
#include "vcpu.h"
#include "window.h"

#define SLOT_ENTRIES 2u /* four of them */
#define SLOT_CODE    6u
#define SLOT_OTHER   1u

/* One way through the guest's tables. */
struct walk {
	const struct vcpu *vcpu;
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
	entry = window_map_slot(n < 4 ? SLOT_ENTRIES + n : SLOT_OTHER, physical);
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

/* The windows lead to this vCPU's places from now on. */
static void take_windows(struct vcpu *vcpu)
{
	struct svm_cpu *cpu = &vcpu->arch.svm.cpu->arch.svm;

	if (cpu->at_place)
		svm_place_forget(cpu->at_place);
	cpu->at_place = vcpu;
	svm_place_forget(vcpu);
}

static void keep(struct vcpu *vcpu, struct walk *walk, unsigned entries, const uint8_t *bytes, uint64_t next_rip)
{
	const struct vmcb *vmcb = vcpu->arch.svm.vmcb;
	struct svm_place *place = &vcpu->arch.svm.place;

	/* A large page ends the walk early: the rest compares with itself. */
	for (unsigned n = entries; n < 4; n++) {
		walk->place.at[n] = (const struct svm_word *)&place->value[n];
		walk->place.value[n] = 0;
	}
	memcpy(&walk->place.value[4], bytes, sizeof(walk->place.value[4]));
	*place = walk->place;
	place->rip = vmcb->rip;
	place->cr3 = vmcb->cr3;
	place->next_rip = next_rip;
}

static uint64_t linear_rip(const struct vmcb *vmcb)
{
	return svm_code64(vmcb) ? vmcb->rip : (uint32_t)(vmcb->cs.base + vmcb->rip);
}

/* Windows and state for a walk. */
static void begin(struct vcpu *vcpu, struct bh_vcpu_state *state)
{
	svm_get_state(vcpu, BH_STATE_CONTROL | BH_STATE_SEGMENTS, state);
	take_windows(vcpu);
}

bool svm_rewrite_code(struct vcpu *vcpu)
{
	struct walk walk = { .vcpu = vcpu };
	struct bh_vcpu_state state;
	uint8_t byte;

	begin(vcpu, &state);
	if (!read_code(&walk, &state, linear_rip(vcpu->arch.svm.vmcb), SLOT_CODE, &byte, 1))
		return false;
	/* The guest may be changing it at this moment. */
	__asm__ volatile("lock orb $0, %0" : "+m"(*(uint8_t *)(uintptr_t)walk.place.at[4]));
	return true;
}

bool svm_instruction(struct vcpu *vcpu, uint32_t code, struct svm_instruction *instruction)
{
	const struct vmcb *vmcb = vcpu->arch.svm.vmcb;
	bool code64 = svm_code64(vmcb);
	uint64_t linear = linear_rip(vmcb);
	struct walk walk = { .vcpu = vcpu };
	uint8_t bytes[SVM_INSTRUCTION_BYTES];
	struct bh_vcpu_state state;
	unsigned count, entries;

	begin(vcpu, &state);
	count = read_code(&walk, &state, linear, SLOT_CODE, bytes, sizeof(bytes));
	entries = walk.entries;
	if (count == sizeof(bytes)) {
		if (!svm_decode(bytes, count, code64, code, instruction))
			return false;
		/* Only the bytes that are kept are looked at again. */
		if (code64 && code != SVM_EXIT_SWINT && entries <= 4 &&
		    instruction->length <= sizeof(walk.place.value[4]))
			keep(vcpu, &walk, entries, bytes, vmcb->rip + instruction->length);
		return true;
	}
	if (count) /* it may go on in the next page */
		count += read_code(&walk, &state, linear + count, SLOT_OTHER, bytes + count,
				   (unsigned)sizeof(bytes) - count);
	return svm_decode(bytes, count, code64, code, instruction);
}
