/* test_monitor_virtio_net.c: a card between a driver's queues and a net service's rings. */
#include "monitor_host.h"
#include "guests/monitor/virtio_net.h"
#include "virtio_driver.h"

#define QUEUE(i) (0x10000ull + 0x4000 * (i))
#define SIZE	 64
#define BUFFERS	 0x100000ull
#define HEADER	 12u

#define BIT(n)	(1ull << (n))
#define VERSION BIT(32)
#define EVENT	BIT(29)
#define MRG	BIT(VIRTIO_NET_F_MRG_RXBUF)
#define CTRL	BIT(VIRTIO_NET_F_CTRL_VQ)
#define ALL	(UINT64_MAX & net.virtio.offered)

static struct virtio_net net;
static struct bh_port port;
static struct bh_port_channel *channel;
static struct frames from_guest, to_guest;
static struct driver_queue queue[9];
static uint32_t broken;
static uint8_t frame[BH_FRAME_MAX];

static void msi(void *context, uint64_t address, uint32_t data)
{
	(void)context;
	bh_call3(BH_GUEST_MSI, 0, address, data);
}

static void kick(void *context, unsigned index)
{
	(void)context;
	(void)index;
}

static void set_doorbell(void *context, unsigned index, uint32_t at, bool on)
{
	(void)context;
	(void)index;
	(void)at;
	(void)on;
}

static struct bh_signals signals;

/* Signals to the service, those included that go with the next wait. */
static unsigned told(void) { return host_signals + signals.due; }

/* A turn, and the time until the driver hears of what was sent. */
static bool serve(bool notified, bool signalled)
{
	bool more = virtio_net_service(&net, notified, signalled);

	virtio_net_complete(&net);
	return more;
}

static void make(unsigned queues)
{
	struct virtio_net_setup setup = { &port,   channel, 77, 0, &driver_memory, { msi, kick, set_doorbell, NULL },
					  &signals };

	port.queues = (uint8_t)queues;
	virtio_net_init(&net, &setup);
	frames_open_reader(&from_guest, &channel->out_writer, &channel->out_reader, channel->out);
	frames_open_writer(&to_guest, &channel->in_writer, &channel->in_reader, channel->in);
}

static int setup(void **state)
{
	(void)state;
	host_reset();
	host_info.tsc_hz = HOST_HZ;
	driver_reset();
	free(channel);
	channel = aligned_alloc(4096, sizeof(*channel));
	memset(channel, 0, sizeof(*channel));
	atomic_store(&channel->link, 1);
	host_peer = 3;
	port = (struct bh_port){ .name = "alpha.0", .mac = { 2, 0, 0, 0, 0, 1 }, .mtu = 1500 };
	make(1);
	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	memcpy(frame, port.mac, 6);
	return 0;
}

/* What a driver does until the card works, with interrupt i for queue i. */
static void start(uint64_t features)
{
	virtio_set_status(&net.virtio, 0);
	pci_function_write(&net.virtio.function, PCI_COMMAND, 2, 7);
	pci_function_write(&net.virtio.function, 0x42, 2, 0x8000);
	virtio_set_status(&net.virtio, 3);
	virtio_set_features(&net.virtio, 0, (uint32_t)features);
	virtio_set_features(&net.virtio, 1, (uint32_t)(features >> 32) | 1);
	virtio_set_status(&net.virtio, 11);
	assert_int_equal(net.virtio.status, 11);
	for (unsigned i = 0; i < net.virtio.setup.queues; i++) {
		struct virtqueue *to = &net.virtio.queue[i];

		memset(driver_ram + QUEUE(i), 0, 0x4000);
		queue[i] = driver_queue(QUEUE(i), SIZE);
		to->size = SIZE;
		to->address[0] = queue[i].descriptors;
		to->address[1] = queue[i].driver;
		to->address[2] = queue[i].device;
		to->vector = (uint16_t)i;
		virtio_enable_queue(&net.virtio, to);
		msix_write_table(&net.virtio.msix, 16 * i, 8, 0xfee00000);
		msix_write_table(&net.virtio.msix, 16 * i + 8, 8, 0x40 + i);
	}
	net.virtio.config_vector = (uint16_t)net.virtio.setup.queues;
	msix_write_table(&net.virtio.msix, 16 * net.virtio.setup.queues, 8, 0xfee00000);
	msix_write_table(&net.virtio.msix, 16 * net.virtio.setup.queues + 8, 8, 0x60);
	virtio_set_status(&net.virtio, 15);
	serve(true, false);
	host_msis = host_signals = 0;
	signals.due = false;
}

/* ---- the other side ------------------------------------------------------------------------------------ */

/* The next frame that the guest has sent, in `frame`; false: none. */
static bool network_get(struct bh_frame *header)
{
	static uint8_t bytes[BH_FRAME_MAX];

	if (!frames_next(&from_guest, header, &broken))
		return false;
	frames_get(&from_guest, 0, bytes, header->bytes);
	assert_memory_equal(bytes, frame, header->bytes);
	frames_done(&from_guest, header);
	return true;
}

static bool network_put(struct bh_frame header)
{
	if (!frames_room(&to_guest, header.bytes))
		return false;
	frames_put(&to_guest, 0, frame, header.bytes);
	frames_commit(&to_guest, &header);
	frames_must_signal_reader(&to_guest);
	return true;
}

static void put_bytes(uint32_t bytes) { assert_true(network_put((struct bh_frame){ .bytes = bytes })); }

/* ---- the driver's side ------------------------------------------------------------------------------------ */

static void write_header(uint64_t address, struct virtio_net_header header)
{
	memcpy(driver_ram + address, &header, HEADER);
}

/* Offers a frame to send, header and all in one buffer, with descriptor `index` (0 to 63: 16 KiB each). */
static void offer_to_send(unsigned pair, uint16_t index, uint32_t bytes, struct virtio_net_header header)
{
	uint64_t at = BUFFERS + 0x4000ull * index;

	write_header(at, header);
	memcpy(driver_ram + at + HEADER, frame, bytes);
	driver_offer_one(&queue[2 * pair + 1], index, at, bytes + HEADER, false);
}

static void send_plain(uint16_t index, uint32_t bytes)
{
	offer_to_send(0, index, bytes, (struct virtio_net_header){ 0 });
}

static void offer_to_receive(unsigned pair, uint16_t index, uint32_t bytes)
{
	uint64_t at = BUFFERS + 0x4000ull * index;

	memset(driver_ram + at, 0xee, 0x4000);
	driver_offer_one(&queue[2 * pair], index, at, bytes, true);
}

/* The card gave back a buffer to receive, with so many bytes. */
static struct virtio_net_header received(unsigned pair, uint16_t index, uint32_t bytes)
{
	struct virtio_net_header header;
	uint32_t head, used;

	assert_true(driver_take(&queue[2 * pair], &head, &used));
	assert_int_equal(head, index);
	assert_int_equal(used, bytes);
	memcpy(&header, driver_ram + BUFFERS + 0x4000ull * index, HEADER);
	return header;
}

static bool has_sent(unsigned pair, uint16_t index)
{
	uint32_t head, used;

	if (!driver_take(&queue[2 * pair + 1], &head, &used))
		return false;
	assert_int_equal(head, index);
	assert_int_equal(used, 0);
	return true;
}

/* ---- set-up ------------------------------------------------------------------------------------------------ */

static void test_config(void **state)
{
	(void)state;
	assert_memory_equal(net.config.mac, port.mac, 6);
	assert_int_equal(net.config.status, VIRTIO_NET_LINK_UP);
	assert_int_equal(net.config.mtu, 1500);
	assert_int_equal(net.config.pairs, 1);
	assert_false(ALL & BIT(VIRTIO_NET_F_MQ));
	make(4);
	assert_int_equal(net.config.pairs, 4);
	assert_int_equal(net.virtio.setup.queues, 9);
	assert_true(ALL & BIT(VIRTIO_NET_F_MQ));
	make(200);
	assert_int_equal(net.config.pairs, 4);
	make(0);
	assert_int_equal(net.config.pairs, 1);
}

static void test_features(void **state)
{
	static const uint64_t wrong[] = { BIT(7),  BIT(8),	     BIT(9),  BIT(9) | BIT(1), BIT(11), BIT(12),
					  BIT(13), BIT(13) | BIT(0), BIT(18), BIT(21),	       BIT(23) };

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(net.virtio.setup.type->accepts(&net, VERSION | wrong[i]));
	assert_int_equal(atomic_load(&channel->driver), 0);
	start(ALL);
	assert_int_equal(atomic_load(&channel->driver), 1);
	assert_int_equal(atomic_load(&channel->offloads), 7);
	start(BIT(1) | BIT(7) | BIT(8)); /* no ECN: no unsegmented TCP */
	assert_int_equal(atomic_load(&channel->offloads), 1);
	start(0);
	assert_int_equal(atomic_load(&channel->offloads), 0);
	virtio_set_status(&net.virtio, 0);
	assert_int_equal(atomic_load(&channel->driver), 0);
}

/* ---- sending ------------------------------------------------------------------------------------------------ */

static void test_send(void **state)
{
	(void)state;
	struct bh_frame header;

	start(0);
	assert_true(atomic_load(&channel->in_reader.sleeps));
	atomic_store(&channel->out_reader.sleeps, 1);
	for (uint16_t i = 0; i < 3; i++)
		send_plain(i, 60 + i);
	assert_false(serve(true, false));
	assert_int_equal(told(), 1);
	assert_int_equal(host_msis, 1); /* for all three */
	assert_int_equal(host_msi[0].data, 0x41);
	for (uint16_t i = 0; i < 3; i++) {
		assert_true(network_get(&header));
		assert_int_equal(header.bytes, 60 + i);
		assert_int_equal(header.flags | header.gso_type | header.gso_size, 0);
		assert_true(has_sent(0, i));
	}
	assert_false(network_get(&header));
	/* a service that is awake is not signalled */
	send_plain(0, 14);
	serve(true, false);
	assert_int_equal(told(), 1);
	assert_true(network_get(&header));
	assert_int_equal(header.bytes, 14);
}

/* Header and frame in pieces, direct and indirect, also such as end within the header. */
/* The interrupt for what was sent comes later, once for several frames, but before a quarter of the queue is missing.
 */
static void test_sent_together(void **state)
{
	(void)state;
	struct bh_frame header;

	start(0);
	send_plain(0, 60);
	virtio_net_service(&net, true, false);
	assert_int_equal(host_msis, 0);
	assert_false(has_sent(0, 0));
	assert_true(net.complete == host_tsc + bh_ticks_us(50));
	assert_true(network_get(&header));
	send_plain(1, 61);
	host_tsc += 5;
	virtio_net_service(&net, true, false);
	assert_true(net.complete == host_tsc - 5 + bh_ticks_us(50)); /* the first one's */
	virtio_net_complete(&net);
	assert_int_equal(host_msis, 1);
	assert_true(has_sent(0, 0) && has_sent(0, 1));
	assert_true(net.complete == BH_FOREVER);
	/* Nothing is left to say after a reset. */
	send_plain(2, 60);
	virtio_net_service(&net, true, false);
	virtio_set_status(&net.virtio, 0);
	assert_true(net.complete == BH_FOREVER);
}

static void test_send_pieces(void **state)
{
	static const uint32_t cuts[][4] = { { 12, 60, 0 }, { 5, 20, 47 }, { 1, 11, 60 }, { 12, 14, 46 }, { 71, 1, 0 } };
	struct bh_frame header;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		struct driver_queue table = { .descriptors = 0x80000 };
		const struct driver_queue *in = i & 1 ? &table : &queue[1];
		const uint32_t *cut = cuts[i / 2];
		uint64_t at = BUFFERS;
		unsigned count = 0, first = i & 1 ? 0 : 3;

		start(BIT(28));
		write_header(at, (struct virtio_net_header){ 0 });
		memcpy(driver_ram + at + HEADER, frame, 60);
		for (; cut[count]; at += cut[count++])
			driver_describe(in, first + count, at, cut[count], cut[count + 1] ? DRIVER_NEXT : 0,
					(uint16_t)(first + count + 1));
		if (i & 1)
			driver_describe(&queue[1], 3, table.descriptors, 16 * count, DRIVER_INDIRECT, 0);
		driver_offer(&queue[1], 3);
		serve(true, false);
		assert_true(network_get(&header));
		assert_int_equal(header.bytes, 60);
		assert_true(has_sent(0, 3));
	}
}

static void test_send_offloads(void **state)
{
	(void)state;
	struct virtio_net_header tcp = {
		.flags = 1, .gso_type = 1, .header_bytes = 54, .gso_size = 1460, .csum_start = 34, .csum_offset = 16
	};
	struct bh_frame header;

	start(ALL & ~EVENT);
	offer_to_send(0, 0, 9000, tcp);
	tcp.gso_type = 4 | BH_GSO_ECN;
	offer_to_send(0, 1, 9000, tcp);
	tcp.gso_type = 0;
	offer_to_send(0, 2, 600, tcp);
	serve(true, false);
	assert_true(network_get(&header));
	assert_int_equal(header.bytes, 9000);
	assert_int_equal(header.flags, BH_FRAME_NEEDS_CHECKSUM);
	assert_int_equal(header.gso_type, BH_GSO_TCPV4);
	assert_int_equal(header.gso_size, 1460);
	assert_int_equal(header.header_bytes, 54);
	assert_int_equal(header.csum_start, 34);
	assert_int_equal(header.csum_offset, 16);
	assert_int_equal(header.reserved, 0);
	assert_true(network_get(&header));
	assert_int_equal(header.gso_type, BH_GSO_TCPV6 | BH_GSO_ECN);
	assert_true(network_get(&header));
	assert_int_equal(header.gso_type, 0);
	assert_int_equal(header.gso_size, 0);
	assert_int_equal(header.flags, BH_FRAME_NEEDS_CHECKSUM);
}

/* Headers that cannot be: the frame goes nowhere, the buffer comes back, the card works on. */
static void test_send_wrong(void **state)
{
	static const struct virtio_net_header wrong[] = {
		{ .flags = 1, .csum_start = 60 },
		{ .flags = 1, .csum_start = 0xffff, .csum_offset = 0xffff },
		{ .flags = 1, .csum_start = 57, .csum_offset = 2 },
		{ .flags = 1, .gso_type = 1 },
		{ .gso_type = 1, .gso_size = 100 },
		{ .flags = 1, .gso_type = 3, .gso_size = 100 },
		{ .flags = 1, .gso_type = 5, .gso_size = 100 },
		{ .flags = 1, .gso_type = 0x80, .gso_size = 100 },
		{ .flags = 1, .gso_type = 0xff, .gso_size = 1 },
	};
	struct bh_frame header;

	(void)state;
	start(ALL & ~EVENT);
	for (uint16_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		offer_to_send(0, i, 60, wrong[i]);
		serve(true, false);
		assert_false(network_get(&header));
		assert_true(has_sent(0, i));
		assert_int_equal(net.dropped, i + 1);
	}
	send_plain(0, 13);
	driver_describe(&queue[1], 1, 0, 65568 + HEADER + 1, 0, 0);
	driver_offer(&queue[1], 1);
	serve(true, false);
	assert_false(network_get(&header));
	assert_true(has_sent(0, 0));
	assert_true(has_sent(0, 1));
	start(0); /* nothing was negotiated */
	offer_to_send(0, 0, 60, (struct virtio_net_header){ .flags = 1 });
	offer_to_send(0, 1, 60, (struct virtio_net_header){ .flags = 1, .gso_type = 1, .gso_size = 9 });
	serve(true, false);
	assert_false(network_get(&header));
	start(BIT(0) | BIT(11)); /* TCP over IPv4 without ECN */
	offer_to_send(0, 0, 60, (struct virtio_net_header){ .flags = 1, .gso_type = 0x81, .gso_size = 9 });
	offer_to_send(0, 1, 60, (struct virtio_net_header){ .flags = 1, .gso_type = 4, .gso_size = 9 });
	serve(true, false);
	assert_false(network_get(&header));
	assert_int_equal(net.virtio.status, 15);
}

static void test_send_short(void **state)
{
	(void)state;
	start(CTRL);
	driver_offer_one(&queue[1], 0, BUFFERS, HEADER - 1, false);
	serve(true, false);
	assert_true(net.virtio.status & VIRTIO_NEEDS_RESET);
	assert_non_null(strstr(host_log, "virtio-net of alpha.0 stopped"));
	assert_int_equal(host_msis, 1);
	assert_int_equal(host_msi[0].data, 0x60);
	start(0);
	driver_offer_one(&queue[1], 0, BUFFERS, 100, true); /* nothing to read at all */
	serve(true, false);
	assert_true(net.virtio.status & VIRTIO_NEEDS_RESET);
	/* and after a reset everything works again */
	start(0);
	send_plain(0, 60);
	serve(true, false);
	assert_true(has_sent(0, 0));
}

/* A full ring: the frames stay in the guest's queue until the service signals. */
static void test_send_full(void **state)
{
	(void)state;
	struct bh_frame header;
	unsigned sent = 0;

	start(0);
	for (unsigned turn = 0; turn < 3; turn++) {
		for (uint16_t i = 0; i < SIZE; i++)
			send_plain(i, 9000);
		while (serve(true, false))
			;
		for (uint16_t i = 0; has_sent(0, i); i++)
			sent++;
		if (queue[1].used != queue[1].available)
			break;
	}
	assert_int_equal(sent, BH_FRAMES_BYTES / frames_record(9000));
	assert_true(atomic_load(&channel->out_writer.waits));
	assert_true(network_get(&header));
	assert_true(frames_must_signal_writer(&from_guest));
	serve(false, true);
	assert_true(has_sent(0, (uint16_t)sent));
	assert_false(has_sent(0, 0));
}

static void test_send_budget(void **state)
{
	(void)state;
	unsigned sent = 0;

	start(0);
	for (uint16_t i = 0; i < SIZE; i++)
		send_plain(i, 60);
	assert_true(serve(true, false)); /* 64 and no look at what comes after */
	while (has_sent(0, (uint16_t)sent))
		sent++;
	assert_int_equal(sent, VIRTIO_NET_BUDGET);
	assert_false(serve(true, false));
}

/* ---- receiving ------------------------------------------------------------------------------------------------ */

static void test_receive(void **state)
{
	(void)state;
	struct virtio_net_header header;

	start(0);
	for (uint16_t i = 0; i < 4; i++)
		offer_to_receive(0, i, 1526);
	put_bytes(60);
	put_bytes(1514);
	put_bytes(14);
	assert_false(serve(false, true));
	assert_int_equal(host_msis, 1);
	assert_int_equal(host_msi[0].data, 0x40);
	header = received(0, 0, 60 + HEADER);
	assert_int_equal(header.buffers, 1);
	assert_int_equal(header.flags | header.gso_type, 0);
	assert_memory_equal(driver_ram + BUFFERS + HEADER, frame, 60);
	received(0, 1, 1514 + HEADER);
	assert_memory_equal(driver_ram + BUFFERS + 0x4000 + HEADER, frame, 1514);
	assert_int_equal(driver_ram[BUFFERS + 0x4000 + HEADER + 1514], 0xee);
	received(0, 2, 14 + HEADER);
	assert_true(atomic_load(&channel->in_reader.sleeps));
	put_bytes(1515); /* too large for the buffer: lost, and the buffer is still there for the next */
	put_bytes(61);
	serve(false, true);
	received(0, 3, 61 + HEADER);
	assert_int_equal(net.dropped, 1);
}

/* Buffers of several descriptors, the header in one of its own or cut. */
static void test_receive_pieces(void **state)
{
	static const uint32_t cuts[][4] = { { 12, 200, 0 }, { 12, 40, 20 }, { 5, 7, 60 }, { 3, 30, 100 } };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t at = BUFFERS;
		unsigned count = 0;
		uint32_t head, used;

		start(0);
		memset(driver_ram + at, 0xee, 300);
		for (; cuts[i][count]; at += cuts[i][count++])
			driver_describe(&queue[0], count, at, cuts[i][count],
					cuts[i][count + 1] ? DRIVER_NEXT | DRIVER_WRITE : DRIVER_WRITE,
					(uint16_t)(count + 1));
		driver_offer(&queue[0], 0);
		put_bytes(60);
		serve(false, true);
		assert_true(driver_take(&queue[0], &head, &used));
		assert_int_equal(used, 72);
		assert_int_equal(driver_get16(BUFFERS + 10), 1);
		assert_memory_equal(driver_ram + BUFFERS + HEADER, frame, 60);
		assert_int_equal(driver_ram[BUFFERS + 72], 0xee);
	}
}

static void test_receive_mergeable(void **state)
{
	(void)state;
	struct virtio_net_header header;

	start(MRG);
	for (uint16_t i = 0; i < 4; i++)
		offer_to_receive(0, i, 1000);
	put_bytes(2500);
	put_bytes(988);
	serve(false, true);
	header = received(0, 0, 1000);
	assert_int_equal(header.buffers, 3);
	received(0, 1, 1000);
	received(0, 2, 512);
	assert_memory_equal(driver_ram + BUFFERS + HEADER, frame, 988);
	assert_memory_equal(driver_ram + BUFFERS + 0x4000, frame + 988, 1000);
	assert_memory_equal(driver_ram + BUFFERS + 0x8000, frame + 1988, 512);
	header = received(0, 3, 1000);
	assert_int_equal(header.buffers, 1);
}

/* Fewer buffers than the frame takes: it waits, none is used, and the driver is asked to notify. */
static void test_receive_starved(void **state)
{
	for (unsigned event = 0; event < 2; event++) {
		setup(state);
		start(MRG | (event ? EVENT : 0));
		offer_to_receive(0, 0, 1000);
		offer_to_receive(0, 1, 1000);
		put_bytes(2500);
		put_bytes(60);
		host_msis = 0;
		assert_false(serve(false, true));
		assert_int_equal(queue[0].used, driver_get16(queue[0].device + 2));
		assert_int_equal(host_msis, 0);
		assert_false(atomic_load(&channel->in_reader.sleeps)); /* there is something already */
		if (event)
			assert_int_equal(driver_avail_event(&queue[0]), 2);
		else
			assert_int_equal(driver_get16(queue[0].device), 0);
		assert_false(serve(true, false));
		offer_to_receive(0, 2, 1000);
		serve(true, false);
		assert_int_equal(received(0, 0, 1000).buffers, 3);
		received(0, 1, 1000);
		received(0, 2, 512);
		offer_to_receive(0, 3, 1000);
		serve(true, false);
		received(0, 3, 72);
	}
}

/* A frame that not even all buffers of the queue have room for does not stop what comes behind it. */
static void test_receive_too_large(void **state)
{
	(void)state;
	start(MRG);
	for (uint16_t i = 0; i < SIZE; i++)
		offer_to_receive(0, i, 100);
	put_bytes(64 * 100);
	put_bytes(80);
	serve(false, true);
	received(0, 0, 92);
	assert_int_equal(net.dropped, 1);
}

static void test_receive_room(void **state)
{
	(void)state;
	unsigned count = 0;

	start(0);
	while (network_put((struct bh_frame){ .bytes = 9000 }))
		count++;
	assert_int_equal(count, BH_FRAMES_BYTES / frames_record(9000));
	serve(false, true);
	assert_int_equal(told(), 0);
	offer_to_receive(0, 0, 0x4000);
	serve(true, false);
	assert_int_equal(told(), 1); /* the service waits for room */
	received(0, 0, 9000 + HEADER);
	assert_true(network_put((struct bh_frame){ .bytes = 9000 }));
}

static void test_receive_offloads(void **state)
{
	(void)state;
	struct bh_frame tcp = { .bytes = 3000,
				.flags = 1,
				.gso_type = 1,
				.gso_size = 1448,
				.header_bytes = 66,
				.csum_start = 34,
				.csum_offset = 16 };
	struct virtio_net_header header;

	start(ALL & ~EVENT);
	for (uint16_t i = 0; i < 8; i++)
		offer_to_receive(0, i, 0x4000);
	assert_true(network_put(tcp));
	assert_true(network_put((struct bh_frame){ .bytes = 60, .flags = 2 }));
	serve(false, true);
	header = received(0, 0, 3012);
	assert_int_equal(header.flags, 1);
	assert_int_equal(header.gso_type, 1);
	assert_int_equal(header.gso_size, 1448);
	assert_int_equal(header.header_bytes, 66);
	assert_int_equal(header.csum_start, 34);
	assert_int_equal(header.csum_offset, 16);
	assert_int_equal(received(0, 1, 72).flags, 2);
	/* what no driver could make sense of */
	tcp.csum_start = 2999;
	assert_true(network_put(tcp));
	tcp.csum_start = 34;
	tcp.gso_type = 3;
	assert_true(network_put(tcp));
	serve(false, true);
	assert_int_equal(net.dropped, 2);
	/* and what this driver did not ask for */
	tcp.gso_type = 1;
	start(MRG);
	offer_to_receive(0, 0, 0x4000);
	assert_true(network_put(tcp));
	assert_true(network_put((struct bh_frame){ .bytes = 60, .flags = 1, .csum_start = 34 }));
	assert_true(network_put((struct bh_frame){ .bytes = 60, .flags = 2 }));
	serve(false, true);
	assert_int_equal(received(0, 0, 72).flags, 0);
	assert_int_equal(net.dropped, 4);
}

static void test_receive_wrong(void **state)
{
	(void)state;
	start(0);
	driver_offer_one(&queue[0], 0, BUFFERS, 2000, false);
	put_bytes(60);
	serve(false, true);
	assert_true(net.virtio.status & VIRTIO_NEEDS_RESET);
	/* a service that leaves nonsense in its ring */
	start(0);
	offer_to_receive(0, 0, 2000);
	atomic_store(&channel->in_writer.written, atomic_load(&channel->in_writer.written) + 0x50000);
	serve(false, true);
	assert_int_equal(net.broken_rings, 1);
	assert_int_equal(net.virtio.status, 15);
}

/* What came before the driver is not for it. */
static void test_receive_old(void **state)
{
	(void)state;
	put_bytes(60);
	put_bytes(60);
	start(0);
	offer_to_receive(0, 0, 2000);
	serve(true, false);
	assert_int_equal(driver_get16(queue[0].device + 2), 0);
	assert_int_equal(to_guest.position, atomic_load(&channel->in_reader.read));
}

/* ---- control ------------------------------------------------------------------------------------------------ */

/* Sends a command; whether it was executed. */
static bool command(uint8_t class, uint8_t what, const void *data, uint32_t bytes)
{
	unsigned at = net.virtio.setup.queues - 1;
	uint32_t head, used;

	driver_ram[BUFFERS] = class;
	driver_ram[BUFFERS + 1] = what;
	memcpy(driver_ram + BUFFERS + 2, data, bytes);
	driver_ram[BUFFERS + 0x8000] = 0xee;
	driver_describe(&queue[at], 0, BUFFERS, 2, DRIVER_NEXT, bytes ? 1 : 2);
	driver_describe(&queue[at], 1, BUFFERS + 2, bytes, DRIVER_NEXT, 2);
	driver_describe(&queue[at], 2, BUFFERS + 0x8000, 1, DRIVER_WRITE, 0);
	driver_offer(&queue[at], 0);
	serve(true, false);
	assert_true(driver_take(&queue[at], &head, &used));
	assert_int_equal(used, 1);
	assert_in_range(driver_ram[BUFFERS + 0x8000], 0, 1);
	return !driver_ram[BUFFERS + 0x8000];
}

static bool receives(const char *mac)
{
	uint16_t before = driver_get16(queue[0].device + 2);

	offer_to_receive(0, (uint16_t)(queue[0].available % SIZE), 2000);
	memcpy(frame, mac, 6);
	put_bytes(60);
	serve(false, true);
	return driver_get16(queue[0].device + 2) != before;
}

static void test_filter(void **state)
{
	(void)state;
	uint8_t table[2 * 4 + 6 * 64] = { 1, 0, 0, 0,  2, 9, 9, 9,  9,	9, 2, 0, 0,
					  0, 1, 0, 94, 0, 0, 1, 51, 51, 0, 0, 0, 1 };

	start(ALL & ~EVENT);
	assert_true(receives("\x02\x07\x07\x07\x07\x07")); /* everything, at first */
	assert_true(command(0, 0, "\0", 1));
	assert_false(receives("\x02\x07\x07\x07\x07\x07"));
	assert_false(receives("\x01\x00\x5e\x00\x00\x01"));
	assert_true(receives("\x02\x00\x00\x00\x00\x01"));
	assert_true(receives("\xff\xff\xff\xff\xff\xff"));
	assert_true(command(1, 0, table, 26));
	assert_true(receives("\x02\x09\x09\x09\x09\x09"));
	assert_true(receives("\x01\x00\x5e\x00\x00\x01"));
	assert_true(receives("\x33\x33\x00\x00\x00\x01"));
	assert_false(receives("\x33\x33\x00\x00\x00\x02"));
	assert_true(command(0, 1, "\1", 1));
	assert_true(receives("\x33\x33\x00\x00\x00\x02"));
	assert_true(command(0, 1, "\0", 1));
	/* more addresses than fit: all of that kind */
	memset(table, 0, 26);
	table[4] = 33;
	assert_true(command(1, 0, table, 8 + 33 * 6));
	assert_true(receives("\x33\x33\x00\x00\x00\x02"));
	assert_false(receives("\x02\x09\x09\x09\x09\x09"));
	/* lists that are not whole */
	assert_false(command(1, 0, table, 8 + 33 * 6 - 1));
	table[3] = 0x80;
	assert_false(command(1, 0, table, 8 + 33 * 6));
	assert_false(command(1, 0, table, 3));
	assert_false(command(0, 0, "", 0));
	assert_true(command(0, 0, "\1", 1));
	assert_true(receives("\x02\x07\x07\x07\x07\x07"));
	assert_int_equal(net.dropped, 0); /* what the guest does not want is nobody's mistake */
}

static void test_address(void **state)
{
	(void)state;
	start(ALL & ~EVENT);
	assert_true(command(1, 1, port.mac, 6));
	assert_false(command(1, 1, "\x02\x07\x07\x07\x07\x07", 6));
	assert_memory_equal(net.config.mac, port.mac, 6);
	port.flags = BH_PORT_TRUSTED;
	assert_true(command(1, 1, "\x02\x07\x07\x07\x07\x07", 6));
	assert_false(command(1, 1, "\x03\x07\x07\x07\x07\x07", 6));
	assert_memory_equal(net.config.mac, "\x02\x07\x07\x07\x07\x07", 6);
	assert_true(command(0, 0, "\0", 1));
	assert_true(receives("\x02\x07\x07\x07\x07\x07"));
	virtio_set_status(&net.virtio, 0);
	assert_memory_equal(net.config.mac, port.mac, 6);
}

static void test_commands(void **state)
{
	(void)state;
	uint64_t offloads = BIT(1);

	start(ALL & ~EVENT);
	assert_true(command(5, 0, &offloads, 8));
	assert_int_equal(atomic_load(&channel->offloads), BH_OFFLOAD_CHECKSUM);
	offloads = BIT(10); /* UDP */
	assert_false(command(5, 0, &offloads, 8));
	offloads = BIT(1) | BIT(8) | BIT(9);
	assert_true(command(5, 0, &offloads, 8));
	assert_int_equal(atomic_load(&channel->offloads), BH_OFFLOAD_CHECKSUM | BH_OFFLOAD_TCPV6);
	assert_false(command(5, 0, &offloads, 7));
	assert_false(command(4, 0, "\1\0", 2)); /* there is one pair */
	assert_false(command(2, 0, "\1\0", 2)); /* no VLAN filter */
	assert_false(command(0, 2, "\1", 1));
	assert_false(command(99, 99, "\1", 1));
	assert_int_equal(net.virtio.status, 15);
	start(CTRL);
	assert_false(command(0, 0, "\0", 1)); /* not negotiated */
	assert_true(net.filter.promiscuous);
	driver_offer_one(&queue[2], 0, BUFFERS, 2, false); /* no room for an answer */
	serve(true, false);
	assert_true(net.virtio.status & VIRTIO_NEEDS_RESET);
}

/* ---- queue pairs ------------------------------------------------------------------------------------------------ */

static void set_flow(uint16_t from, uint16_t to)
{
	static const uint8_t ip[] = { 8, 0, 0x45, 0, 0, 100, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0 };

	memcpy(frame + 12, ip, sizeof(ip));
	frame[29] = (uint8_t)from;
	memcpy(frame + 30, "\x0a\x00\x00", 3);
	frame[33] = (uint8_t)to;
	frame[34] = (uint8_t)(from >> 8);
	frame[35] = (uint8_t)from;
	frame[36] = (uint8_t)(to >> 8);
	frame[37] = (uint8_t)to;
}

static void test_pairs(void **state)
{
	(void)state;
	struct bh_frame header;

	make(4);
	start(ALL & ~EVENT);
	for (unsigned pair = 0; pair < 4; pair++)
		for (uint16_t i = 0; i < 8; i++)
			offer_to_receive(pair, i, 2000);
	/* one pair as long as the driver does not ask for more */
	set_flow(1, 2);
	put_bytes(60);
	serve(false, true);
	received(0, 0, 72);
	assert_false(command(4, 0, "\0\0", 2));
	assert_false(command(4, 0, "\5\0", 2));
	assert_true(command(4, 0, "\4\0", 2));
	for (uint16_t pair = 0; pair < 4; pair++) {
		set_flow((uint16_t)(10 + pair), 99);
		offer_to_send(pair, (uint16_t)(40 + pair), 60, (struct virtio_net_header){ 0 });
		serve(true, false);
		assert_true(network_get(&header));
		set_flow(99, (uint16_t)(10 + pair)); /* the answer */
		host_msis = 0;
		put_bytes(60);
		serve(false, true);
		received(pair, pair ? 0 : 1, 72);
		assert_int_equal(host_msis, 1);
		assert_int_equal(host_msi[0].data, 0x40 + 2 * pair);
	}
	assert_true(command(4, 0, "\1\0", 2));
	put_bytes(60);
	serve(false, true);
	received(0, 2, 72);
}

/* Without MQ the control queue is the third, however many pairs there could be. */
static void test_pairs_without(void **state)
{
	(void)state;
	uint32_t head, used;

	make(2);
	start(CTRL | BIT(VIRTIO_NET_F_CTRL_RX));
	memcpy(driver_ram + BUFFERS, "\0\0\0", 3);
	driver_describe(&queue[2], 0, BUFFERS, 3, DRIVER_NEXT, 1);
	driver_describe(&queue[2], 1, BUFFERS + 16, 1, DRIVER_WRITE, 0);
	driver_offer(&queue[2], 0);
	serve(true, false);
	assert_true(driver_take(&queue[2], &head, &used));
	assert_false(net.filter.promiscuous);
}

static void test_flow(void **state)
{
	(void)state;
	uint8_t noise[VIRTIO_NET_FLOW_BYTES];
	unsigned there, back, hits[VIRTIO_NET_FLOWS] = { 0 };

	for (uint16_t i = 0; i < 1000; i++) {
		set_flow(i, 80);
		there = virtio_net_flow(frame, 64);
		set_flow(80, i);
		back = virtio_net_flow(frame, 64);
		assert_int_equal(there, back);
		hits[there]++;
	}
	for (unsigned i = 0; i < VIRTIO_NET_FLOWS; i++)
		assert_true(hits[i] < 100);
	for (unsigned i = 0; i < 100000; i++) {
		for (unsigned j = 0; j < sizeof(noise); j++)
			noise[j] = (uint8_t)rand();
		memcpy(noise + 12, i & 1 ? "\x08\x00" : "\x86\xdd", 2);
		uint8_t *exact = malloc(i % 64 + 1);

		memcpy(exact, noise, i % 64);
		assert_true(virtio_net_flow(exact, i % 64) < VIRTIO_NET_FLOWS);
		free(exact);
	}
}

/* ---- link ------------------------------------------------------------------------------------------------ */

static void test_link(void **state)
{
	(void)state;
	start(ALL & ~EVENT);
	atomic_store(&channel->link, 0);
	serve(false, true);
	assert_int_equal(net.config.status, 0);
	assert_int_equal(host_msis, 1);
	assert_int_equal(host_msi[0].data, 0x60);
	serve(false, true);
	assert_int_equal(host_msis, 1);
	atomic_store(&channel->link, 1);
	serve(false, true);
	assert_int_equal(net.config.status, VIRTIO_NET_LINK_UP | VIRTIO_NET_ANNOUNCE);
	assert_true(command(3, 0, "", 0));
	assert_int_equal(net.config.status, VIRTIO_NET_LINK_UP);
	/* without the feature no interrupt */
	start(0);
	atomic_store(&channel->link, 0);
	serve(false, true);
	assert_int_equal(host_msis, 0);
}

/* The net service ends, and starts again: its epoch is two times the number of starts, and 1 while it runs. */
static void test_service_restarts(void **state)
{
	(void)state;
	struct bh_frame header;

	start(ALL & ~EVENT);
	host_tsc = 1000;
	host_peer = 2;
	serve(false, true);
	assert_int_equal(net.config.status, 0);
	send_plain(0, 60);
	serve(true, false);
	host_peer = 5;
	serve(false, true);
	assert_int_equal(net.config.status, VIRTIO_NET_LINK_UP | VIRTIO_NET_ANNOUNCE);
	assert_true(network_get(&header)); /* what was sent meanwhile is still there */
	assert_true(command(3, 0, "", 0));
	/* so fast that the link was never seen down, and with traffic: the guest is asked to announce itself all the
	 * same */
	host_peer = 7;
	for (uint16_t i = 0; i < 3; i++)
		offer_to_receive(0, i, 2000);
	put_bytes(60);
	serve(false, true);
	assert_int_equal(net.config.status, VIRTIO_NET_LINK_UP);
	host_tsc += HOST_HZ;
	put_bytes(60);
	serve(false, true);
	assert_int_equal(net.config.status, VIRTIO_NET_LINK_UP | VIRTIO_NET_ANNOUNCE);
	/* or without, and at once */
	assert_true(command(3, 0, "", 0));
	host_peer = 9;
	serve(false, true);
	assert_int_equal(net.config.status, VIRTIO_NET_LINK_UP | VIRTIO_NET_ANNOUNCE);
}

/* It ends and starts again within a moment, and the signal of its start comes when there is something to send. */
static void test_service_restarts_at_once(void **state)
{
	(void)state;
	start(ALL & ~EVENT);
	host_tsc += HOST_HZ;
	host_peer = 2;
	serve(false, true);
	assert_int_equal(net.config.status, 0);
	host_tsc += 1000;
	host_peer = 5;
	send_plain(0, 60);
	serve(true, true);
	assert_int_equal(net.config.status, VIRTIO_NET_LINK_UP | VIRTIO_NET_ANNOUNCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_config, setup),
		cmocka_unit_test_setup(test_features, setup),
		cmocka_unit_test_setup(test_send, setup),
		cmocka_unit_test_setup(test_sent_together, setup),
		cmocka_unit_test_setup(test_send_pieces, setup),
		cmocka_unit_test_setup(test_send_offloads, setup),
		cmocka_unit_test_setup(test_send_wrong, setup),
		cmocka_unit_test_setup(test_send_short, setup),
		cmocka_unit_test_setup(test_send_full, setup),
		cmocka_unit_test_setup(test_send_budget, setup),
		cmocka_unit_test_setup(test_receive, setup),
		cmocka_unit_test_setup(test_receive_pieces, setup),
		cmocka_unit_test_setup(test_receive_mergeable, setup),
		cmocka_unit_test_setup(test_receive_starved, setup),
		cmocka_unit_test_setup(test_receive_too_large, setup),
		cmocka_unit_test_setup(test_receive_room, setup),
		cmocka_unit_test_setup(test_receive_offloads, setup),
		cmocka_unit_test_setup(test_receive_wrong, setup),
		cmocka_unit_test_setup(test_receive_old, setup),
		cmocka_unit_test_setup(test_filter, setup),
		cmocka_unit_test_setup(test_address, setup),
		cmocka_unit_test_setup(test_commands, setup),
		cmocka_unit_test_setup(test_pairs, setup),
		cmocka_unit_test_setup(test_pairs_without, setup),
		cmocka_unit_test_setup(test_flow, setup),
		cmocka_unit_test_setup(test_link, setup),
		cmocka_unit_test_setup(test_service_restarts, setup),
		cmocka_unit_test_setup(test_service_restarts_at_once, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
