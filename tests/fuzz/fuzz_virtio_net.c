/*
 * fuzz_virtio_net.c: headers and chains of frames, commands, and records from the network, as the input has them,
 * through a card that is set up properly. Each frame that comes out must keep what network.h promises.
 *
 * Input: two bytes of features, then records: kind, length, content.
 */
#include "virtio_host.h"

#define SIZE	  64
#define QUEUE(i)  (0x1000ull * (i))
#define DRIVER(i) (QUEUE(i) + 0x400)
#define DEVICE(i) (QUEUE(i) + 0x600)
#define BUFFER	  0x4000u
#define RX	  0
#define TX	  1
#define CONTROL	  2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct host host;
static uint16_t available[3];

static void start(uint32_t features)
{
	struct virtio *virtio = &host.net.virtio;

	pci_function_write(&virtio->function, PCI_COMMAND, 2, 7);
	virtio_set_status(virtio, 3);
	virtio_set_features(virtio, 0, features & (uint32_t)virtio->offered);
	virtio_set_features(virtio, 1, 1);
	virtio_set_status(virtio, 11);
	for (unsigned i = 0; i < 3; i++) {
		available[i] = 0;
		virtio->queue[i].size = SIZE;
		virtio->queue[i].address[0] = QUEUE(i);
		virtio->queue[i].address[1] = DRIVER(i);
		virtio->queue[i].address[2] = DEVICE(i);
		virtio_enable_queue(virtio, &virtio->queue[i]);
	}
	virtio_set_status(virtio, 15);
}

/* A chain as the record has it: pairs of bytes, length and flags; content follows in the buffers. */
static void offer(unsigned queue, const uint8_t *data, unsigned bytes)
{
	unsigned count = bytes ? data[0] % 4 + 1u : 1;
	uint32_t at = BUFFER;

	memset(host.ram + BUFFER, 0, 0x1000);
	if (bytes > 10)
		memcpy(host.ram + BUFFER, data + 10, bytes - 10);
	for (unsigned i = 0; i < count; i++) {
		uint16_t flags = queue == RX ? 2 : bytes > 2 + 2 * i ? data[2 + 2 * i] & 2 : 0;
		uint32_t length = bytes > 1 + 2 * i ? data[1 + 2 * i] * (queue == RX ? 8u : 1u) : 1;

		host_describe(&host, QUEUE(queue) + 16 * i, at, length, (uint16_t)(flags | (i + 1 < count)));
		host.ram[QUEUE(queue) + 16 * i + 14] = (uint8_t)(i + 1);
		at += length;
	}
	host.ram[DRIVER(queue) + 4 + 2 * (available[queue] % SIZE)] = 0;
	available[queue]++;
	memcpy(host.ram + DRIVER(queue) + 2, &available[queue], 2);
}

/* A record of the net service's, good or bad. */
static void put_record(const uint8_t *data, unsigned bytes)
{
	struct bh_frame frame = { 0 };

	memcpy(&frame, data, bytes < sizeof(frame) ? bytes : sizeof(frame));
	frame.bytes = frame.bytes % 4 ? frame.bytes % 2048 : frame.bytes;
	if (frame.bytes > BH_FRAME_MAX || !frames_room(&host.to_guest, frame.bytes))
		return;
	frames_commit(&host.to_guest, &frame);
}

/* What the network may rely on (network.h). */
static void check_sent(void)
{
	struct bh_frame frame;
	uint32_t broken = 0;

	while (frames_next(&host.from_guest, &frame, &broken)) {
		uint8_t gso = frame.gso_type & (uint8_t)~BH_GSO_ECN;

		host_check(gso == BH_GSO_NONE || gso == BH_GSO_TCPV4 || gso == BH_GSO_TCPV6);
		host_check(!(frame.flags & ~BH_FRAME_NEEDS_CHECKSUM) && !frame.reserved);
		if (frame.flags)
			host_check(frame.csum_start + frame.csum_offset + 2u <= frame.bytes);
		if (frame.gso_type)
			host_check(gso && frame.gso_size && frame.flags);
		frames_done(&host.from_guest, &frame);
	}
	host_check(!broken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t features[2];

	if (size < sizeof(features))
		return 0;
	memcpy(features, data, sizeof(features));
	data += sizeof(features);
	size -= sizeof(features);
	host_init(&host, 1);
	start(features[0] | (uint32_t)features[1] << 16);
	while (size >= 2 && virtio_is_running(&host.net.virtio)) {
		unsigned bytes = data[1] < size - 2 ? data[1] : (unsigned)(size - 2);

		if (data[0] % 4 < 3)
			offer(data[0] % 4, data + 2, bytes);
		else
			put_record(data + 2, bytes);
		virtio_net_service(&host.net, true, true);
		check_sent();
		data += 2 + bytes;
		size -= 2 + bytes;
	}
	host_end(&host);
	return 0;
}
