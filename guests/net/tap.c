/* tap.c: the ring of copies. */
#include "tap.h"
#include "guests/lib/bh.h"

#define PADDING 16u

static struct {
	uint32_t position; /* own */
	bool signal;
	uint8_t copy[BH_FRAME_MAX + VLAN_TAG];
} tap;

static uint32_t padded(uint32_t bytes) { return (bytes + PADDING - 1) & ~(PADDING - 1); }

void tap_start(void)
{
	tap.signal = false;
	if (!net.channel)
		return;
	tap.position = padded(atomic_load(&net.channel->tap_written));
	memset(net.channel->tap_on, 0, sizeof(net.channel->tap_on));
}

void tap_set(unsigned network, bool on)
{
	if (net.network[network].tap == on)
		return;
	net.network[network].tap = on;
	net.channel->tap_on[network] = on;
	bh_printf("net: tap of %s is %s\n", net.network[network].name, on ? "on" : "off");
}

static void put(const void *from, uint32_t bytes)
{
	uint32_t at = tap.position % BH_TAP_BYTES;
	uint32_t first = bytes < BH_TAP_BYTES - at ? bytes : BH_TAP_BYTES - at;

	memcpy(net.channel->tap + at, from, first);
	if (bytes != first)
		memcpy(net.channel->tap, (const uint8_t *)from + first, bytes - first);
	tap.position += bytes;
}

static void write(const struct bh_tap_record *record)
{
	uint32_t before = tap.position, behind;

	put(record, sizeof(*record));
	put(tap.copy, record->kept);
	tap.position = padded(tap.position);
	atomic_store_explicit(&net.channel->tap_written, tap.position, memory_order_release);
	/* As in terminal.c: either the reader saw this, or `tap_read` shows that it had seen all before. */
	atomic_thread_fence(memory_order_seq_cst);
	behind = tap.position - atomic_load(&net.channel->tap_read);
	tap.signal = tap.signal || behind > BH_TAP_BYTES || behind <= tap.position - before;
}

void tap_frame(const struct port *from, const struct frame *frame)
{
	bool tag = frame->vlan;
	uint32_t bytes = frame_bytes(frame, tag);
	uint32_t used = tap.position - atomic_load_explicit(&net.channel->tap_read, memory_order_acquire);
	struct bh_tap_record record = {
		.tsc = net.now,
		.bytes = bytes,
		.kept = (uint16_t)(bytes < BH_TAP_SNAPSHOT_MAX ? bytes : BH_TAP_SNAPSHOT_MAX),
		.port = from->number,
		.network = from->network,
	};

	if (used > BH_TAP_BYTES || padded(sizeof(record) + record.kept) > BH_TAP_BYTES - used) {
		net.channel->tap_lost++;
		return;
	}
	frame_copy(frame, tag, tap.copy, record.kept);
	write(&record);
}

void tap_flush(void)
{
	if (!tap.signal)
		return;
	tap.signal = false;
	bh_call1(BH_CHANNEL_SIGNAL, net.handle);
}
