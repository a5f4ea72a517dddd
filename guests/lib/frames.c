/* frames.c: hostile-proof ends of a ring of frames. */
#include "frames.h"
#include "bh_string.h"

#define HEADER ((uint32_t)sizeof(struct bh_frame))

static uint32_t load(const _Atomic uint32_t *shared) { return atomic_load_explicit(shared, memory_order_acquire); }

static void store(_Atomic uint32_t *shared, uint32_t value)
{
	atomic_store_explicit(shared, value, memory_order_release);
}

/* Bytes from ring position `at` to the ring's end, at most `bytes`. */
static uint32_t until_end(uint32_t at, uint32_t bytes)
{
	uint32_t left = BH_FRAMES_BYTES - at % BH_FRAMES_BYTES;

	return bytes < left ? bytes : left;
}

/* What seldom happens stays out of the way of the rest, which then needs no registers saved. */
#define SELDOM __attribute__((noinline, cold))

SELDOM void frames_put_around(struct frames *ring, uint32_t at, const void *from, uint32_t bytes)
{
	uint32_t first = until_end(at, bytes);

	memcpy(ring->data + at % BH_FRAMES_BYTES, from, first);
	memcpy(ring->data, (const uint8_t *)from + first, bytes - first);
}

SELDOM void frames_get_around(const struct frames *ring, uint32_t at, void *to, uint32_t bytes)
{
	uint32_t first = until_end(at, bytes);

	memcpy(to, ring->data + at % BH_FRAMES_BYTES, first);
	memcpy((uint8_t *)to + first, ring->data, bytes - first);
}

/* A header wraps around only if somebody has moved a position off its multiple of 16. */
static bool wraps(uint32_t at) { return at % BH_FRAMES_BYTES > BH_FRAMES_BYTES - HEADER; }

/* ---- the writer ---------------------------------------------------------------------------------- */

void frames_open_writer(struct frames *ring, struct bh_frames_writer *writer, struct bh_frames_reader *reader,
			uint8_t *data)
{
	*ring = (struct frames){ writer, reader, data, load(&writer->written) };
}

void frames_ask(struct frames *ring)
{
	store(&ring->writer->waits, 1);
	atomic_thread_fence(memory_order_seq_cst);
}

bool frames_room(struct frames *ring, uint32_t bytes)
{
	if (frames_free(ring) >= frames_record(bytes))
		return true;

	frames_ask(ring);
	return frames_free(ring) >= frames_record(bytes);
}

void frames_fill(struct frames *to, uint32_t offset, const struct frames *from, uint32_t from_offset, uint32_t bytes)
{
	uint32_t at = from->position + HEADER + from_offset;
	uint32_t first = until_end(at, bytes);

	frames_put(to, offset, from->data + at % BH_FRAMES_BYTES, first);
	if (bytes != first)
		frames_put(to, offset + first, from->data, bytes - first);
}

void frames_commit(struct frames *ring, const struct bh_frame *header)
{
	if (wraps(ring->position))
		frames_put_around(ring, ring->position, header, HEADER);
	else
		__builtin_memcpy(ring->data + ring->position % BH_FRAMES_BYTES, header, HEADER);
	ring->position += frames_record(header->bytes);
	store(&ring->writer->written, ring->position);
}

/* ---- the reader ---------------------------------------------------------------------------------- */

void frames_open_reader(struct frames *ring, struct bh_frames_writer *writer, struct bh_frames_reader *reader,
			uint8_t *data)
{
	*ring = (struct frames){ writer, reader, data, load(&reader->read) };
}

SELDOM static bool drop_all(struct frames *ring, uint32_t written, uint32_t *broken)
{
	ring->position = written;
	store(&ring->reader->read, written);
	++*broken;
	return false;
}

bool frames_next(struct frames *ring, struct bh_frame *header, uint32_t *broken)
{
	uint32_t written = load(&ring->writer->written);
	uint32_t available = written - ring->position;

	if (!available)
		return false;
	if (available > BH_FRAMES_BYTES || available < HEADER)
		return drop_all(ring, written, broken);
	if (wraps(ring->position))
		frames_get_around(ring, ring->position, header, HEADER);
	else
		__builtin_memcpy(header, ring->data + ring->position % BH_FRAMES_BYTES, HEADER);
	/* Only the copy is looked at from here on, whatever the compiler knows about memcpy. */
	atomic_signal_fence(memory_order_seq_cst);
	if (header->bytes < BH_FRAME_MIN || header->bytes > BH_FRAME_MAX || frames_record(header->bytes) > available)
		return drop_all(ring, written, broken);
	return true;
}

bool frames_may_sleep(struct frames *ring)
{
	store(&ring->reader->sleeps, 1);
	atomic_thread_fence(memory_order_seq_cst);
	if (load(&ring->writer->written) == ring->position)
		return true;
	store(&ring->reader->sleeps, 0);
	return false;
}
