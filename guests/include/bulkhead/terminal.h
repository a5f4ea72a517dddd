/*
 * terminal.h: the content of a "console" channel: two byte rings, one each way.
 *
 * Each ring has one writer and one reader. Positions count bytes and only grow (modulo 2^32); the byte at
 * position p stands at data[p % size]. A reader or writer checks the other end's position against the ring's
 * size each time: the other end may be hostile.
 */
#pragma once
#include <stdint.h>

#define BH_TERMINAL_OUT_BYTES 32768u /* partition to console */
#define BH_TERMINAL_IN_BYTES  4096u  /* console to partition */

struct bh_ring_position {
	uint32_t written; /* by the writer: bytes ever written */
	uint32_t pad0[15];
	uint32_t read; /* by the reader: bytes ever read */
	uint32_t pad1[15];
	uint32_t writer_waits; /* by the writer: 1 = signal me when there is room; the reader clears it */
	uint32_t pad2[15];
};

struct bh_terminal {
	struct bh_ring_position out_position;
	struct bh_ring_position in_position;
	uint8_t pad[4096 - 2 * sizeof(struct bh_ring_position)];
	uint8_t in[BH_TERMINAL_IN_BYTES];
	uint8_t out[BH_TERMINAL_OUT_BYTES];
};
#define BH_TERMINAL_BYTES 0xA000u
_Static_assert(sizeof(struct bh_terminal) == BH_TERMINAL_BYTES, "layout");
