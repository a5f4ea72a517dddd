/*
 * frames.h: both ends of a port's rings of frames (bulkhead/network.h).
 *
 * The peer may write anything into the channel at any time. What an end needs to remember is its own `position`; the
 * peer's is read once per step and believed only if it fits the ring. A record's header is read once, checked, and
 * handed out as a private copy; the bytes of a frame stay in the ring, and may change while they are looked at: what is
 * decided upon must be fetched first (frames_get) and written on from there (frames_put).
 *
 * A ring has one vCPU, or one lock, on each side. No function makes a hypercall: frames_must_signal_* say when the peer
 * is to be signalled, once after any number of records.
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <bulkhead/network.h>

/* One end's view of one ring. */
struct frames {
	struct bh_frames_writer *writer;
	struct bh_frames_reader *reader;
	uint8_t *data;	   /* BH_FRAMES_BYTES */
	uint32_t position; /* own: bytes ever written or read */
};

/* What a frame of `bytes` takes in the ring: header, frame, padding. */
static inline uint32_t frames_record(uint32_t bytes)
{
	return (uint32_t)sizeof(struct bh_frame) + ((bytes + BH_FRAME_PADDING - 1) & ~(BH_FRAME_PADDING - 1));
}

/* Do `bytes` from ring position `at` lie before the ring's end? The functions below are for those that do not. */
static inline bool frames_are_together(uint32_t at, uint32_t bytes)
{
	return bytes <= BH_FRAMES_BYTES - at % BH_FRAMES_BYTES;
}

void frames_put_around(struct frames *ring, uint32_t at, const void *from, uint32_t bytes);
void frames_get_around(const struct frames *ring, uint32_t at, void *to, uint32_t bytes);

/* ---- the writer ---------------------------------------------------------------------------------- */

/* Goes on at `written`, so what was not read before a restart of either end is still there. */
void frames_open_writer(struct frames *ring, struct bh_frames_writer *writer, struct bh_frames_reader *reader,
			uint8_t *data);

/*
 * Bytes that are free, of records (frames_record). A position of the reader that cannot be: all; the reader finds the
 * same disagreement at the next record, and goes to where that ends.
 */
static inline uint32_t frames_free(const struct frames *ring)
{
	uint32_t used = ring->position - atomic_load_explicit(&ring->reader->read, memory_order_acquire);

	return used > BH_FRAMES_BYTES ? BH_FRAMES_BYTES : BH_FRAMES_BYTES - used;
}

/* Asks the reader for a signal when it has made room. It may have made some before it could see that: look again. */
void frames_ask(struct frames *ring);

/*
 * Is there room for a frame of `bytes`? If not, the reader is asked for a signal when it has made some; what room there
 * is then need not be enough: ask again.
 */
bool frames_room(struct frames *ring, uint32_t bytes);

/*
 * Copies `bytes` to `offset` of the frame being written. In any order and as often as wanted; nobody sees it before
 * frames_commit. The caller has found room for the whole frame.
 */
static inline void frames_put(struct frames *ring, uint32_t offset, const void *from, uint32_t bytes)
{
	uint32_t at = ring->position + (uint32_t)sizeof(struct bh_frame) + offset;

	if (frames_are_together(at, bytes))
		__builtin_memcpy(ring->data + at % BH_FRAMES_BYTES, from, bytes);
	else
		frames_put_around(ring, at, from, bytes);
}

/* The same from `from_offset` of the frame that frames_next found in `from`: from ring to ring in one copy. */
void frames_fill(struct frames *to, uint32_t offset, const struct frames *from, uint32_t from_offset, uint32_t bytes);

/* Publishes the frame of header->bytes. */
void frames_commit(struct frames *ring, const struct bh_frame *header);

/* Clears and returns what the peer asked for. A peer that asks after this sees all that was published before. */
static inline bool frames_take(_Atomic uint32_t *asked)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(asked, memory_order_acquire))
		return false;
	atomic_store_explicit(asked, 0, memory_order_release);
	return true;
}

/* After frames_commit: is the reader to be signalled? Then it is not asked again before it sleeps again. */
static inline bool frames_must_signal_reader(struct frames *ring) { return frames_take(&ring->reader->sleeps); }

/* ---- the reader ---------------------------------------------------------------------------------- */

/* Goes on at `read`. */
void frames_open_reader(struct frames *ring, struct bh_frames_writer *writer, struct bh_frames_reader *reader,
			uint8_t *data);

/*
 * Copies the next record's header to `header`; false: there is none. The frame is complete and of BH_FRAME_MIN to
 * BH_FRAME_MAX bytes; the other fields are not looked at. A ring that cannot be is emptied and counted in *broken.
 */
bool frames_next(struct frames *ring, struct bh_frame *header, uint32_t *broken);

/* Copies `bytes` from `offset` of the frame that frames_next found; the caller stays within header->bytes. */
static inline void frames_get(const struct frames *ring, uint32_t offset, void *to, uint32_t bytes)
{
	uint32_t at = ring->position + (uint32_t)sizeof(struct bh_frame) + offset;

	if (frames_are_together(at, bytes))
		__builtin_memcpy(to, ring->data + at % BH_FRAMES_BYTES, bytes);
	else
		frames_get_around(ring, at, to, bytes);
	/* Only the copy is looked at from here on, whatever the compiler knows about memcpy. */
	atomic_signal_fence(memory_order_seq_cst);
}

/* Gives the record back to the writer: header->bytes as frames_next gave it. */
static inline void frames_done(struct frames *ring, const struct bh_frame *header)
{
	ring->position += frames_record(header->bytes);
	atomic_store_explicit(&ring->reader->read, ring->position, memory_order_release);
}

/* After frames_done: is the writer to be signalled, since it waits for room? */
static inline bool frames_must_signal_writer(struct frames *ring) { return frames_take(&ring->writer->waits); }

/*
 * Before waiting: asks the writer for a signal when something comes, and looks once more. False: something came
 * meanwhile, go on reading.
 */
bool frames_may_sleep(struct frames *ring);
