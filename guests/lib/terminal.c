/* terminal.c: hostile-proof ends of two byte rings. */
#include "terminal.h"
#include "bh.h"

static uint32_t load(const uint32_t *shared) { return __atomic_load_n(shared, __ATOMIC_ACQUIRE); }

static void store(uint32_t *shared, uint32_t value) { __atomic_store_n(shared, value, __ATOMIC_RELEASE); }

void terminal_open(struct terminal *terminal, struct bh_terminal *shared, bh_handle channel, enum terminal_side side)
{
	struct terminal_ring out = { &shared->out_position, shared->out, BH_TERMINAL_OUT_BYTES, 0 };
	struct terminal_ring in = { &shared->in_position, shared->in, BH_TERMINAL_IN_BYTES, 0 };

	terminal->writer = side == TERMINAL_PARTITION ? out : in;
	terminal->reader = side == TERMINAL_PARTITION ? in : out;
	terminal->writer.position = load(&terminal->writer.shared->written);
	terminal->reader.position = load(&terminal->reader.shared->read);
	terminal->channel = channel;
}

bool terminal_open_console(struct terminal *terminal, unsigned vcpu, unsigned bit)
{
	const struct bh_info_handle *handle = bh_find("console", BH_HANDLE_CHANNEL);

	if (!handle || handle->bytes < BH_TERMINAL_BYTES)
		return false;
	/* What is above 4 GiB is not mapped from the start; channels lie below. */
	terminal_open(terminal, (struct bh_terminal *)(uintptr_t)handle->address, handle->handle, TERMINAL_PARTITION);
	return bh_call3(BH_CHANNEL_BIND, handle->handle, vcpu, bit) == 0;
}

/* Copies between the ring at `position` and private memory, around the ring's end. */
static void copy_in(struct terminal_ring *ring, const uint8_t *from, uint32_t bytes)
{
	uint32_t at = ring->position & (ring->size - 1);
	uint32_t first = bytes < ring->size - at ? bytes : ring->size - at;

	memcpy(ring->data + at, from, first);
	memcpy(ring->data, from + first, bytes - first);
}

static void copy_out(const struct terminal_ring *ring, uint8_t *to, uint32_t bytes)
{
	uint32_t at = ring->position & (ring->size - 1);
	uint32_t first = bytes < ring->size - at ? bytes : ring->size - at;

	memcpy(to, ring->data + at, first);
	memcpy(to + first, ring->data, bytes - first);
}

/* Bytes in the ring, from the writer's side. A position that does not fit: an empty ring. */
static uint32_t writer_used(const struct terminal_ring *ring)
{
	uint32_t used = ring->position - load(&ring->shared->read);

	return used > ring->size ? 0 : used;
}

size_t terminal_room(const struct terminal *terminal) { return terminal->writer.size - writer_used(&terminal->writer); }

static size_t write_some(struct terminal *terminal, const uint8_t *from, size_t bytes)
{
	struct terminal_ring *ring = &terminal->writer;
	uint32_t room = ring->size - writer_used(ring);
	uint32_t count = bytes < room ? (uint32_t)bytes : room;
	uint32_t before = ring->position;

	if (!count)
		return 0;
	copy_in(ring, from, count);
	ring->position += count;
	store(&ring->shared->written, ring->position);

	/*
	 * The reader publishes `read`, then looks at `written`, then sleeps; here it is the other
	 * way round, with a barrier on both sides. So either it saw these bytes, or `read` here
	 * shows that it had seen all before.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	uint32_t behind = ring->position - load(&ring->shared->read);

	if (behind > ring->size || behind <= ring->position - before)
		bh_call1(BH_CHANNEL_SIGNAL, terminal->channel);
	return count;
}

size_t terminal_write(struct terminal *terminal, const void *from, size_t bytes)
{
	size_t done = write_some(terminal, from, bytes);

	if (done == bytes)
		return done;

	/* Ask, and look again: the reader may have made room before it could see the question. */
	store(&terminal->writer.shared->writer_waits, 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return done + write_some(terminal, (const uint8_t *)from + done, bytes - done);
}

static uint32_t reader_available(struct terminal_ring *ring)
{
	uint32_t written = load(&ring->shared->written);

	if (written - ring->position > ring->size)
		ring->position = written;
	return written - ring->position;
}

size_t terminal_read(struct terminal *terminal, void *to, size_t bytes)
{
	struct terminal_ring *ring = &terminal->reader;
	uint32_t available = reader_available(ring);
	uint32_t count = bytes < available ? (uint32_t)bytes : available;

	copy_out(ring, to, count);
	ring->position += count;
	store(&ring->shared->read, ring->position);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);

	if (count && load(&ring->shared->writer_waits)) {
		store(&ring->shared->writer_waits, 0);
		bh_call1(BH_CHANNEL_SIGNAL, terminal->channel);
	}
	return count;
}

void terminal_printf(struct terminal *terminal, const char *format, ...)
{
	char text[256];
	va_list list;

	va_start(list, format);
	bh_vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	terminal_write(terminal, text, strlen(text));
}
