/*
 * guest_paging.h: the guest's own page tables (SDM vol. 3, chapter 4), walked as the CPU would,
 * without setting accessed and dirty bits. The tables are the guest's and may hold anything. For monitors, and for the
 * kernel where a CPU does not tell the length of instructions.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/abi.h>

#define GUEST_WRITE 0x1u
#define GUEST_FETCH 0x2u

/* How whoever asks reads the guest's memory. `read`: false, unless all of the bytes at the guest-physical address are
 * RAM. */
struct guest_reader {
	bool (*read)(void *context, uint64_t address, void *to, uint64_t bytes);
	void *context;
};

/*
 * Guest-physical address of `linear`, for a vCPU with that state (control registers; CPL from SS's
 * access) and that kind of access. The answer holds up to the end of the 4 KiB page, and need not
 * be RAM. False if the CPU would raise a page fault (or #GP for a non-canonical address), or if the
 * tables do not lie in RAM. Protection keys and SMAP are not looked at: the CPU's own access, which
 * comes next, does.
 */
bool guest_paging_translate(const struct guest_reader *memory, const struct bh_vcpu_state *state, uint64_t linear,
			    unsigned access, uint64_t *address);

/* Up to `bytes` of instruction bytes at `linear` into `to`. Returns how many there were. */
unsigned guest_paging_fetch(const struct guest_reader *memory, const struct bh_vcpu_state *state, uint64_t linear,
			    uint8_t *to, unsigned bytes);
