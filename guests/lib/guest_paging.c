/* guest_paging.c: one loop for all modes; they differ in levels, bits per level and the size of an
 * entry. */
#include "guest_paging.h"
#include "control_registers.h"

#define ENTRY_PRESENT  (1ull << 0)
#define ENTRY_WRITABLE (1ull << 1)
#define ENTRY_USER     (1ull << 2)
#define ENTRY_LARGE    (1ull << 7)
#define ENTRY_NX       (1ull << 63)
#define ENTRY_ADDRESS  0x000ffffffffff000ull

struct mode {
	unsigned levels, index_bits, entry_bytes;
	bool large_pages; /* bit 7 of the lowest directory counts */
};

static struct mode paging_mode(const struct bh_vcpu_state *state)
{
	if (state->efer & EFER_LMA)
		return (struct mode){ state->cr4 & CR4_LA57 ? 5 : 4, 9, 8, true };
	if (state->cr4 & CR4_PAE)
		return (struct mode){ 3, 9, 8, true };
	return (struct mode){ 2, 10, 4, state->cr4 & CR4_PSE };
}

static bool is_canonical(uint64_t linear, unsigned levels)
{
	unsigned shift = 64 - (12 + 9 * levels);

	return (uint64_t)((int64_t)(linear << shift) >> shift) == linear;
}

static bool read_entry(const struct guest_reader *memory, uint64_t address, unsigned bytes, uint64_t *entry)
{
	*entry = 0;
	return memory->read(memory->context, address, entry, bytes);
}

/* The rights of all levels together (SDM vol. 3, 4.6): `rights` is the AND of all entries, `nx` the
 * OR. */
static bool is_allowed(const struct bh_vcpu_state *state, uint64_t rights, bool nx, unsigned access)
{
	bool user = (state->segment[BH_SS].access >> 5 & 3) == 3;

	if (user && !(rights & ENTRY_USER))
		return false;
	if (access & GUEST_WRITE && !(rights & ENTRY_WRITABLE) && (user || state->cr0 & CR0_WP))
		return false;
	return !(access & GUEST_FETCH && nx && state->efer & EFER_NXE);
}

/* The page that a leaf at `level` names, with the offset within it. */
static uint64_t leaf_address(const struct mode *mode, uint64_t entry, unsigned level, uint64_t linear)
{
	uint64_t offset_mask = (1ull << (12 + mode->index_bits * level)) - 1;
	uint64_t base = entry & ENTRY_ADDRESS & ~offset_mask;

	/* PSE-36: bits 20:13 of a 4 MiB page's entry are bits 39:32 of its address (SDM vol. 3,
	 * table 4-4). */
	if (mode->entry_bytes == 4 && level == 1)
		base |= (entry >> 13 & 0xff) << 32;
	return base | (linear & offset_mask);
}

static bool is_leaf(const struct mode *mode, uint64_t entry, unsigned level)
{
	if (level == 0)
		return true;
	return level <= (mode->levels > 3 ? 2u : 1u) && mode->large_pages && entry & ENTRY_LARGE;
}

static bool walk(const struct guest_reader *memory, const struct bh_vcpu_state *state, uint64_t linear, unsigned access,
		 uint64_t *address)
{
	struct mode mode = paging_mode(state);
	uint64_t table = state->cr3 & ENTRY_ADDRESS, entry, rights = UINT64_MAX;
	bool nx = false;

	if (mode.levels == 3)
		table = state->cr3 & 0xffffffe0ull;
	for (unsigned level = mode.levels; level-- > 0;) {
		uint64_t index = linear >> (12 + mode.index_bits * level);

		index &= mode.levels == 3 && level == 2 ? 3 : (1u << mode.index_bits) - 1;
		if (!read_entry(memory, table + index * mode.entry_bytes, mode.entry_bytes, &entry) ||
		    !(entry & ENTRY_PRESENT))
			return false;
		/* PAE's top entries have no rights: these bits are reserved there. */
		if (!(mode.levels == 3 && level == 2)) {
			rights &= entry;
			nx |= entry >> 63;
		}
		if (is_leaf(&mode, entry, level)) {
			*address = leaf_address(&mode, entry, level, linear);
			return is_allowed(state, rights, nx, access);
		}
		table = entry & ENTRY_ADDRESS;
	}
	return false;
}

bool guest_paging_translate(const struct guest_reader *memory, const struct bh_vcpu_state *state, uint64_t linear,
			    unsigned access, uint64_t *address)
{
	if (!(state->efer & EFER_LMA))
		linear &= UINT32_MAX;
	else if (!is_canonical(linear, state->cr4 & CR4_LA57 ? 5 : 4))
		return false;

	if (!(state->cr0 & CR0_PG)) {
		*address = linear;
		return true;
	}
	return walk(memory, state, linear, access, address);
}

unsigned guest_paging_fetch(const struct guest_reader *memory, const struct bh_vcpu_state *state, uint64_t linear,
			    uint8_t *to, unsigned bytes)
{
	unsigned done = 0;

	while (done < bytes) {
		uint64_t address;
		unsigned rest = 4096 - ((linear + done) & 4095);
		unsigned now = bytes - done < rest ? bytes - done : rest;

		if (!guest_paging_translate(memory, state, linear + done, GUEST_FETCH, &address) ||
		    !memory->read(memory->context, address, to + done, now))
			break;
		done += now;
	}
	return done;
}
