#include "guests/lib/bh_string.h"
#include "e1000_common.h"

#define RING_BYTES (E1000_DESCRIPTORS * sizeof(struct e1000_descriptor))
#define FRAME_MIN  14u
#define FRAME_SENT 60u /* IEEE 802.3, 3.2.8: with FCS 64 */
#define TX_ALIGN   64u

static uint32_t frame_max(const struct nic *nic) { return nic->mtu + NIC_HEADERS; }

static uint32_t index_of(uint32_t position) { return position % E1000_DESCRIPTORS; }

bool e1000_rings_allocate(struct nic *nic)
{
	struct e1000 *e = e1000_of(nic);
	uint32_t longest = (frame_max(nic) + TX_ALIGN - 1) / TX_ALIGN * TX_ALIGN;

	/* The rest of a frame that goes round the end: never more than the frame. */
	uint32_t slack = (frame_max(nic) + E1000_RX_BYTES - 1) / E1000_RX_BYTES * E1000_RX_BYTES;

	e->rx = nic_memory(nic, RING_BYTES, 4096, &e->rx_dma);
	e->tx = e->rx ? nic_memory(nic, RING_BYTES, 4096, &e->tx_dma) : NULL;
	return e->tx &&
	       nic_buffers(nic, &e->rx_buffers, E1000_RX_BYTES, E1000_DESCRIPTORS, E1000_DESCRIPTORS * E1000_RX_BYTES,
			   slack) &&
	       nic_buffers(nic, &e->tx_buffers, longest, E1000_DESCRIPTORS - 1, E1000_TX_TOTAL, 0);
}

/* A descriptor without DD, with its own address: the NIC may have written anything there. */
static void give(struct e1000 *e, uint32_t position)
{
	struct e1000_descriptor *d = &e->rx[index_of(position)];

	atomic_store_explicit(&d->address, e->rx_buffers.dma + (uint64_t)index_of(position) * E1000_RX_BYTES,
			      memory_order_relaxed);
	atomic_store_explicit(&d->word, 0, memory_order_relaxed);
}

static void set_ring(struct nic *nic, uint32_t first, uint64_t dma)
{
	/* RDBAL, RDBAH, RDLEN, RDH and RDT, and TDBAL and so on, stand in the same order. */
	e1000_set(nic, first, (uint32_t)dma);
	e1000_set(nic, first + E1000_RDBAH - E1000_RDBAL, (uint32_t)(dma >> 32));
	e1000_set(nic, first + E1000_RDLEN - E1000_RDBAL, RING_BYTES);
	e1000_set(nic, first + E1000_RDH - E1000_RDBAL, 0);
	e1000_set(nic, first + E1000_RDT - E1000_RDBAL, 0);
}

void e1000_rings_start(struct nic *nic)
{
	struct e1000 *e = e1000_of(nic);

	e->rx_next = e->rx_pieces = e->rx_bytes = e->rx_kept = 0;
	e->rx_whole = e->rx_spoilt = e->tx_waits = false;
	e->tx_free = e->tx_told = e->tx_clean = e->tx_clean_seen = e->tx_buffer = e->stuck = 0;
	memset(e->tx, 0, RING_BYTES);
	for (uint32_t i = 0; i < E1000_DESCRIPTORS; i++)
		give(e, i);
	set_ring(nic, E1000_RDBAL, e->rx_dma);
	set_ring(nic, E1000_TDBAL, e->tx_dma);
}

/* ---- receiving --------------------------------------------------------------------------------- */

/* All but one: RDH == RDT would say none. Stores before it are seen before it: x86 keeps their order. */
static void move_tail(struct nic *nic, struct e1000 *e)
{
	e->rx_kept = 0;
	atomic_thread_fence(memory_order_release);
	e1000_set(nic, E1000_RDT, index_of(e->rx_next - 1));
}

void e1000_rings_fill(struct nic *nic) { move_tail(nic, e1000_of(nic)); }

bool e1000_pending(struct e1000 *e)
{
	struct e1000_descriptor *d = &e->rx[index_of(e->rx_next + e->rx_pieces)];

	return e->rx_whole || atomic_load_explicit(&d->word, memory_order_acquire) & E1000_RXD_DD;
}

/* A piece behind the ring's end follows the last buffer, as if the memory went on there. */
static void keep_together(struct e1000 *e, uint32_t piece, uint32_t bytes)
{
	uint32_t index = index_of(e->rx_next) + piece;
	uint8_t *data = e->rx_buffers.data;

	if (index >= E1000_DESCRIPTORS)
		memcpy(data + (size_t)index * E1000_RX_BYTES, data + (size_t)index_of(index) * E1000_RX_BYTES, bytes);
}

/* Counts the piece of `word` to the frame: bytes, its end, and whether the frame is still worth anything. */
static void take_piece(struct nic *nic, struct e1000 *e, uint64_t word)
{
	uint32_t bytes = word & 0xffff, piece = e->rx_pieces++;

	e->rx_whole = word & E1000_RXD_EOP;
	if (e->rx_spoilt)
		return;
	if (word & E1000_RXD_ERRORS || bytes > E1000_RX_BYTES || (!e->rx_whole && bytes != E1000_RX_BYTES) ||
	    e->rx_bytes + bytes < FRAME_MIN) {
		e->rx_spoilt = true;
		nic->counters.rx_errors++;
	} else if (e->rx_bytes + bytes > frame_max(nic)) {
		e->rx_spoilt = true;
		nic->counters.rx_oversize++;
	} else {
		keep_together(e, piece, bytes);
		e->rx_bytes += bytes;
	}
}

static void release(struct nic *nic, struct e1000 *e)
{
	for (uint32_t i = 0; i < e->rx_pieces; i++)
		give(e, e->rx_next + i);
	e->rx_next += e->rx_pieces;
	e->rx_kept += e->rx_pieces;
	e->rx_pieces = e->rx_bytes = 0;
	e->rx_whole = e->rx_spoilt = false;
	if (e->rx_kept >= E1000_RX_RELEASE)
		move_tail(nic, e);
}

/* What nearly every frame is: one descriptor, without errors. */
static bool take_single(struct nic *nic, struct e1000 *e)
{
	uint32_t longest = frame_max(nic) < E1000_RX_BYTES ? frame_max(nic) : E1000_RX_BYTES, bytes;
	uint64_t word;

	if (e->rx_pieces || e->rx_spoilt)
		return false;
	word = atomic_load_explicit(&e->rx[index_of(e->rx_next)].word, memory_order_acquire);
	bytes = word & 0xffff;
	if ((word & (E1000_RXD_DD | E1000_RXD_EOP | E1000_RXD_ERRORS)) != (E1000_RXD_DD | E1000_RXD_EOP) ||
	    bytes < FRAME_MIN || bytes > longest)
		return false;
	e->rx_pieces = 1;
	e->rx_bytes = bytes;
	e->rx_whole = true;
	return true;
}

/* Goes on with the frame that has begun. Pieces of a frame that is dropped are given back at once. */
static bool gather(struct nic *nic, struct e1000 *e)
{
	for (uint32_t i = 0; i < E1000_DESCRIPTORS && !e->rx_whole; i++) {
		struct e1000_descriptor *d = &e->rx[index_of(e->rx_next + e->rx_pieces)];
		uint64_t word = atomic_load_explicit(&d->word, memory_order_acquire);
		bool spoilt;

		if (!(word & E1000_RXD_DD))
			return false;
		take_piece(nic, e, word);
		if (!e->rx_spoilt)
			continue;
		spoilt = !e->rx_whole;
		release(nic, e);
		e->rx_spoilt = spoilt; /* until its end has come */
	}
	return e->rx_whole;
}

bool e1000_next(struct nic *nic, const uint8_t **data, uint32_t *bytes)
{
	struct e1000 *e = e1000_of(nic);

	if (!e->rx_whole && !take_single(nic, e) && !gather(nic, e))
		return false;
	*data = e->rx_buffers.data + (size_t)index_of(e->rx_next) * E1000_RX_BYTES;
	*bytes = e->rx_bytes;
	return true;
}

void e1000_done(struct nic *nic)
{
	struct e1000 *e = e1000_of(nic);

	if (!e->rx_whole)
		return;
	nic->counters.rx_frames++;
	nic->counters.rx_bytes += e->rx_bytes;
	release(nic, e);
}

/* ---- sending ----------------------------------------------------------------------------------- */

void e1000_reclaim(struct e1000 *e)
{
	while (e->tx_clean != e->tx_told) {
		uint32_t first = index_of(e->tx_clean), last = e->tx_batch_end[first];
		uint64_t word = atomic_load_explicit(&e->tx[last].word, memory_order_acquire);

		if (!(word & E1000_TXD_DD))
			return;
		e->tx_clean += index_of(last - first) + 1;
	}
}

bool e1000_room(struct e1000 *e)
{
	if (e->tx_free - e->tx_clean >= e->tx_buffers.count)
		e1000_reclaim(e);
	return e->tx_free - e->tx_clean < e->tx_buffers.count;
}

static uint32_t buffer_of(const struct e1000 *e) { return e->tx_buffer * e->tx_buffers.bytes; }

void *e1000_reserve(struct nic *nic, uint32_t bytes)
{
	struct e1000 *e = e1000_of(nic);

	(void)bytes; /* every buffer takes the longest frame */
	if (!e1000_room(e)) {
		e1000_flush(nic);
		if (!e1000_room(e)) {
			e->tx_waits = true;
			nic->counters.tx_full++;
			return NULL;
		}
	}
	return e->tx_buffers.data + buffer_of(e);
}

/* Short frames are padded with zeros here: not each model does what TCTL.PSP says. */
void e1000_commit(struct nic *nic, uint32_t bytes)
{
	struct e1000 *e = e1000_of(nic);
	struct e1000_descriptor *d = &e->tx[index_of(e->tx_free)];

	if (e->tx_free - e->tx_clean >= e->tx_buffers.count || bytes > frame_max(nic))
		return;
	if (bytes < FRAME_SENT) {
		memset(e->tx_buffers.data + buffer_of(e) + bytes, 0, FRAME_SENT - bytes);
		bytes = FRAME_SENT;
	}
	atomic_store_explicit(&d->address, e->tx_buffers.dma + buffer_of(e), memory_order_relaxed);
	atomic_store_explicit(&d->word, bytes | E1000_TXD_EOP | E1000_TXD_IFCS, memory_order_relaxed);
	e->tx_free++;
	e->tx_buffer = e->tx_buffer + 1 < e->tx_buffers.count ? e->tx_buffer + 1 : 0;
	nic->counters.tx_frames++;
	nic->counters.tx_bytes += bytes;
}

/* Only the last of a batch is reported: one write-back for all of them. */
void e1000_flush(struct nic *nic)
{
	struct e1000 *e = e1000_of(nic);
	struct e1000_descriptor *last;

	if (e->rx_kept)
		move_tail(nic, e);
	if (e->tx_told == e->tx_free)
		return;
	last = &e->tx[index_of(e->tx_free - 1)];
	e->tx_batch_end[index_of(e->tx_told)] = (uint8_t)index_of(e->tx_free - 1);
	atomic_store_explicit(&last->word, atomic_load_explicit(&last->word, memory_order_relaxed) | E1000_TXD_RS,
			      memory_order_relaxed);
	e->tx_told = e->tx_free;
	atomic_thread_fence(memory_order_release);
	e1000_set(nic, E1000_TDT, index_of(e->tx_free));
}
