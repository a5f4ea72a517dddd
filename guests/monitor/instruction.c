/* instruction.c: registers, memory and repetition. */
#include "instruction.h"
#include "guests/lib/control_registers.h"
#include "guests/lib/guest_paging.h"
#include "mmio.h"

#define RFLAGS_DF    (1ull << 10)
#define SEGMENT_LONG (1u << 13)
#define SEGMENT_BIG  (1u << 14)

static unsigned code_mode(const struct bh_vcpu_state *state)
{
	uint16_t access = state->segment[BH_CS].access;

	if (state->efer & EFER_LMA && access & SEGMENT_LONG)
		return 64;
	return access & SEGMENT_BIG ? 32 : 16;
}

/* Segments other than FS and GS have no base in 64-bit mode (SDM vol. 1, 3.4.2.1). */
static uint64_t linear_address(const struct bh_vcpu_state *state, enum bh_segment_index segment, uint64_t offset)
{
	if (code_mode(state) == 64 && segment != BH_FS && segment != BH_GS)
		return offset;
	offset += state->segment[segment].base;
	return code_mode(state) == 64 ? offset : (uint32_t)offset;
}

static uint64_t mask_of(unsigned bytes) { return UINT64_MAX >> (64 - 8 * bytes); }

static void fail_with_bytes(const struct machine *machine, const struct bh_message *message, const uint8_t *bytes,
			    unsigned count)
{
	char text[3 * DECODE_BYTES_MAX + 1] = "";

	for (unsigned i = 0; i < count; i++)
		bh_snprintf(text + 3 * i, 4, " %02x", bytes[i]);
	machine_fail(machine,
		     "vCPU %u: the instruction at RIP %#lx that %s %#lx is none that the monitor can "
		     "carry out; its bytes:%s",
		     message->vcpu, (unsigned long)message->state.rip,
		     message->reason == BH_MSG_MMIO ? "touches address" : "works on port",
		     message->reason == BH_MSG_MMIO ? (unsigned long)message->address : message->port, text);
}

bool instruction_get(struct machine *machine, const struct bh_message *message, struct decode *to)
{
	const struct bh_vcpu_state *state = &message->state;
	uint64_t address, linear = linear_address(state, BH_CS, state->rip);
	uint8_t bytes[DECODE_BYTES_MAX];
	unsigned count = guest_paging_fetch(&machine->memory.reader, state, linear, bytes, sizeof(bytes));

	if (!count) {
		if (!guest_paging_translate(&machine->memory.reader, state, linear, GUEST_FETCH, &address))
			return false;
		machine_fail(machine, "vCPU %u: RIP %#lx is at guest-physical %#lx, where no memory is", message->vcpu,
			     (unsigned long)state->rip, (unsigned long)address);
	}
	if (!decode(bytes, count, code_mode(state), to))
		fail_with_bytes(machine, message, bytes, count);
	return true;
}

uint64_t instruction_register(const struct bh_vcpu_state *state, const struct decode *decode)
{
	uint64_t value = state->gpr[decode->reg] >> (decode->high_byte ? 8 : 0);

	return value & mask_of(decode->register_size);
}

static void set_part(uint64_t *reg, unsigned size, uint64_t value)
{
	if (size >= 4)
		*reg = value & mask_of(size);
	else
		*reg = (*reg & ~mask_of(size)) | (value & mask_of(size));
}

void instruction_set_register(struct bh_vcpu_state *state, const struct decode *decode, uint64_t value)
{
	uint64_t *reg = &state->gpr[decode->reg];

	if (decode->high_byte)
		*reg = (*reg & ~0xff00ull) | (value & 0xff) << 8;
	else
		set_part(reg, decode->register_size, value);
}

void instruction_finish(struct bh_message *message, const struct decode *decode)
{
	struct bh_vcpu_state *state = &message->state;

	state->rip += decode->length;
	if (code_mode(state) != 64)
		state->rip = (uint32_t)state->rip;
	message->state_out = BH_STATE_GPR | BH_STATE_RIP;
}

/* `size` bytes within one page. */
static void access_piece(struct machine *machine, unsigned vcpu, uint64_t address, uint8_t *bytes, unsigned size,
			 bool write)
{
	uint8_t *ram = guest_memory_at(&machine->memory, address, size);
	uint64_t value = 0;

	if (ram && write) {
		memcpy(ram, bytes, size);
	} else if (ram) {
		memcpy(bytes, ram, size);
	} else if (write) {
		memcpy(&value, bytes, size);
		mmio_write(machine, vcpu, address, size, value);
	} else {
		value = mmio_read(machine, vcpu, address, size);
		memcpy(bytes, &value, size);
	}
}

/* Where an element of memory is: two pieces, if it crosses a page. */
struct place {
	uint64_t first, second;
	unsigned first_bytes;
};

static bool locate(const struct machine *machine, const struct bh_message *message, const struct decode *decode,
		   enum bh_segment_index segment, enum bh_register pointer, bool write, struct place *place)
{
	const struct bh_vcpu_state *state = &message->state;
	uint64_t offset = state->gpr[pointer] & mask_of(decode->address_size);
	uint64_t linear = linear_address(state, segment, offset);
	unsigned rest = 4096 - (linear & 4095), access = write ? GUEST_WRITE : 0;

	place->first_bytes = decode->size < rest ? decode->size : rest;
	if (!guest_paging_translate(&machine->memory.reader, state, linear, access, &place->first))
		return false;
	return place->first_bytes == decode->size ||
	       guest_paging_translate(&machine->memory.reader, state, linear + place->first_bytes, access,
				      &place->second);
}

bool instruction_can_write(const struct machine *machine, const struct bh_message *message, const struct decode *decode,
			   enum bh_segment_index segment, enum bh_register pointer)
{
	struct place place;

	return locate(machine, message, decode, segment, pointer, true, &place);
}

bool instruction_access(struct machine *machine, const struct bh_message *message, const struct decode *decode,
			enum bh_segment_index segment, enum bh_register pointer, uint64_t *value, bool write)
{
	uint8_t *bytes = (uint8_t *)value;
	struct place place;

	/* Both pages first, so that an element is done in full or not at all. */
	if (!locate(machine, message, decode, segment, pointer, write, &place))
		return false;
	if (!write)
		*value = 0;
	access_piece(machine, message->vcpu, place.first, bytes, place.first_bytes, write);
	if (place.first_bytes < decode->size)
		access_piece(machine, message->vcpu, place.second, bytes + place.first_bytes,
			     decode->size - place.first_bytes, write);
	return true;
}

void instruction_step(struct bh_vcpu_state *state, const struct decode *decode, enum bh_register pointer)
{
	uint64_t step = state->rflags & RFLAGS_DF ? -(uint64_t)decode->size : decode->size;

	set_part(&state->gpr[pointer], decode->address_size, state->gpr[pointer] + step);
}

void instruction_repeat(struct machine *machine, struct bh_message *message, const struct decode *decode,
			instruction_element element)
{
	struct bh_vcpu_state *state = &message->state;
	uint64_t count = decode->repeat ? state->gpr[BH_RCX] & mask_of(decode->address_size) : 1;
	uint64_t done = 0;

	while (done < count && done < INSTRUCTION_ELEMENTS && element(machine, message, decode))
		done++;

	if (decode->repeat)
		set_part(&state->gpr[BH_RCX], decode->address_size, count - done);
	if (done == count)
		instruction_finish(message, decode);
	else if (!done)
		message->reply = BH_REPLY_GP;
	else
		message->state_out = BH_STATE_GPR | BH_STATE_RIP;
}
