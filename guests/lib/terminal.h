/*
 * terminal.h (runtime): both ends of a "console" channel's rings (bulkhead/terminal.h).
 *
 * The peer may write anything into the shared page at any time. What this side needs to remember it
 * keeps in private memory; the peer's position is read once per step and believed only if it fits
 * the ring. One that does not fit means that the peer is broken or was restarted badly: a reader
 * then skips to the peer's position, a writer starts over with an empty ring. Either way the worst
 * is lost or strange text, never a stuck or damaged program.
 *
 * Each direction of a terminal has one vCPU (or one lock) on each side.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <bulkhead/abi.h>
#include <bulkhead/terminal.h>

struct terminal_ring {
	struct bh_ring_position *shared;
	uint8_t *data;
	uint32_t size;	   /* power of two */
	uint32_t position; /* own: bytes ever written or read */
};

struct terminal {
	struct terminal_ring writer, reader;
	bh_handle channel;
};

enum terminal_side { TERMINAL_PARTITION, TERMINAL_CONSOLE };

/*
 * Starts `side` of the terminal at `shared`. Goes on where the shared positions stand, so what was
 * not read before a restart of either side is still there. Signals go to `channel`.
 */
void terminal_open(struct terminal *terminal, struct bh_terminal *shared, bh_handle channel, enum terminal_side side);

/*
 * The partition's side of its channel "console", with the peer's signals as event `bit` of `vcpu`.
 * False if there is no such channel or it is too small.
 */
bool terminal_open_console(struct terminal *terminal, unsigned vcpu, unsigned bit);

/*
 * Writes as much of `from` as there is room for; signals the peer if it may be asleep. Returns the
 * bytes written; if that is less than `bytes` the peer was asked for a signal when there is room
 * again.
 */
size_t terminal_write(struct terminal *terminal, const void *from, size_t bytes);

/*
 * Reads at most `bytes` into `to`; 0 when nothing is there. The peer signals only a ring that it
 * found empty: read until 0 before waiting for its signal.
 */
size_t terminal_read(struct terminal *terminal, void *to, size_t bytes);

/* Bytes that terminal_write would take now. */
size_t terminal_room(const struct terminal *terminal);

/* bh_vsnprintf into the terminal, at most 255 bytes; what finds no room is dropped. */
void terminal_printf(struct terminal *terminal, const char *format, ...) __attribute__((format(printf, 2, 3)));
