/*
 * Large TCP segments and open checksums: what may be, and what comes out at ports that do not take them. Checksums are
 * computed here in another way, by 16-bit words and end-around carry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "guests/net/bytes.h"
#include "guests/net/segment.h"
#include "net_fakes.h"

#define ALL (BH_OFFLOAD_CHECKSUM | BH_OFFLOAD_TCPV4 | BH_OFFLOAD_TCPV6)

struct packet {
	bool v6;
	unsigned tag, options; /* bytes of TCP options */
	unsigned ip_options;
	uint32_t payload;
	uint16_t size;
};

static uint8_t frame[BH_FRAME_MAX], got[BH_FRAME_MAX];
static struct bh_frame record;

static uint16_t sum16(const uint8_t *data, uint32_t bytes, uint16_t sum)
{
	for (uint32_t i = 0; i < bytes; i++) {
		uint32_t more = sum + (i & 1 ? data[i] : (uint32_t)data[i] << 8);

		sum = (uint16_t)(more + (more >> 16));
	}
	return sum;
}

static uint16_t pseudo_sum(const uint8_t *ip, bool v6, uint8_t protocol, uint32_t bytes)
{
	uint8_t rest[4] = { 0, protocol };

	bytes_put16(rest + 2, bytes);
	return sum16(rest, 4, v6 ? sum16(ip + 8, 32, 0) : sum16(ip + 12, 8, 0));
}

static uint8_t payload_byte(uint32_t i) { return (uint8_t)(i * 13 + (i >> 7)); }

/* Ethernet and IP; the result is where what is behind IP starts. */
static uint32_t build_ip(const struct packet *packet, uint8_t protocol, uint32_t bytes_behind)
{
	uint32_t at = packet->tag ? 18 : 14;
	uint8_t *ip = frame + at;

	memcpy(frame, fake_frame(2, 1, packet->tag, 60), 60);
	memset(ip, 0, sizeof(frame) - at);
	bytes_put16(ip - 2, packet->v6 ? 0x86dd : 0x800);
	for (unsigned i = 8; i < 40; i++)
		ip[i] = (uint8_t)(i * 3);
	if (packet->v6) {
		ip[0] = 0x60;
		bytes_put16(ip + 4, bytes_behind);
		ip[6] = protocol;
		return at + 40;
	}
	ip[0] = (uint8_t)(0x45 + packet->ip_options / 4);
	bytes_put16(ip + 2, 20 + packet->ip_options + bytes_behind);
	bytes_put16(ip + 4, 0xfffe); /* so that it wraps */
	ip[6] = 0x40;
	ip[9] = protocol;
	memset(ip + 20, 1, packet->ip_options);
	return at + 20 + packet->ip_options;
}

/* A large segment as a guest sends it; `record` with it. The result is its bytes. */
static uint32_t build(const struct packet *packet)
{
	uint32_t headers = 20 + packet->options, behind = headers + packet->payload, tcp = build_ip(packet, 6, behind);
	uint32_t ip = packet->tag ? 18 : 14;

	bytes_put32(frame + tcp + 4, 0xfffffff0);
	frame[tcp + 12] = (uint8_t)(headers / 4 << 4);
	frame[tcp + 13] = 0xd9; /* CWR, ECE, ACK, PSH, FIN */
	memset(frame + tcp + 20, 1, packet->options);
	bytes_put16(frame + tcp + 16, pseudo_sum(frame + ip, packet->v6, 6, behind & 0xffff));
	for (uint32_t i = 0; i < packet->payload; i++)
		frame[tcp + headers + i] = payload_byte(i);
	record = (struct bh_frame){
		.bytes = tcp + behind,
		.flags = BH_FRAME_NEEDS_CHECKSUM,
		.gso_type = packet->v6 ? BH_GSO_TCPV6 : BH_GSO_TCPV4,
		.gso_size = packet->size,
		.header_bytes = 0x4321, /* a hint that lies */
		.csum_start = (uint16_t)tcp,
		.csum_offset = 16,
	};
	return record.bytes;
}

/* One piece of it: the `index`th, payload from `done` on. The result is its payload's bytes. */
static uint32_t check_piece(const struct packet *packet, const uint8_t *piece, uint32_t bytes, unsigned tag,
			    uint32_t index, uint32_t done)
{
	uint32_t ip = tag ? 18 : 14, tcp = ip + (packet->v6 ? 40 : 20 + packet->ip_options);
	uint32_t headers = tcp + 20 + packet->options, left = packet->payload - done;
	uint32_t wanted = left < packet->size ? left : packet->size;
	bool last = wanted == left;

	assert_true(bytes == headers + wanted);
	if (tag)
		assert_int_equal(bytes_get32(piece + 12), 0x81000000u | tag);
	if (packet->v6) {
		assert_int_equal(bytes_get16(piece + ip + 4), bytes - tcp);
	} else {
		assert_int_equal(bytes_get16(piece + ip + 2), bytes - ip);
		assert_int_equal(bytes_get16(piece + ip + 4), (0xfffe + index) & 0xffff);
		assert_int_equal(sum16(piece + ip, tcp - ip, 0), 0xffff);
	}
	assert_int_equal(bytes_get32(piece + tcp + 4), 0xfffffff0u + done);
	assert_int_equal(piece[tcp + 13], 0x50 | (index ? 0 : 0x80) | (last ? 0x09 : 0));
	assert_int_equal(sum16(piece + tcp, bytes - tcp, pseudo_sum(piece + ip, packet->v6, 6, bytes - tcp)), 0xffff);
	for (uint32_t i = 0; i < wanted; i++)
		assert_true(piece[headers + i] == payload_byte(done + i));
	return wanted;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_network("lan", true);
	fake_port(0, 1)->flags = BH_PORT_TRUNK;
	fake_port(0, 2)->flags = BH_PORT_TRUNK;
	fake_start(true);
	return 0;
}

/* What port 1 gets are the pieces. */
static void check_pieces(const struct packet *packet, unsigned tag)
{
	uint32_t done = 0, index = 0;

	while (done < packet->payload) {
		struct bh_frame piece;
		uint32_t bytes = fake_receive_record(1, &piece, got);

		assert_int_equal(piece.flags | piece.gso_type | piece.gso_size | piece.csum_start, 0);
		done += check_piece(packet, got, bytes, tag, index++, done);
	}
	assert_int_equal(fake_receive(1, got), 0);
}

static void cuts_for_a_guest(void **state)
{
	static const uint32_t payloads[] = { 6, 999, 1000, 1001, 2000, 2001, 30000, 63001, 65000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(payloads) / sizeof(*payloads); i++)
		for (unsigned kind = 0; kind < 8; kind++) {
			struct packet packet = { .v6 = kind & 1,
						 .tag = kind & 2 ? 77 : 0,
						 .options = kind & 4 ? 40 : 12 * (kind & 1),
						 .ip_options = kind & 1 ? 0 : (kind & 4) * 10,
						 .payload = payloads[i],
						 .size = 1000 };

			build(&packet);
			assert_true(fake_send_record(0, &record, frame));
			fake_run();
			check_pieces(&packet, packet.tag);
		}
}

static void odd_sizes(void **state)
{
	(void)state;
	for (uint16_t size = 256; size < 1440; size = (uint16_t)(size + 37)) {
		struct packet packet = { .v6 = size & 2, .options = 12, .payload = 60001, .size = size };

		build(&packet);
		assert_true(fake_send_record(0, &record, frame));
		fake_run();
		check_pieces(&packet, 0);
	}
}

static void cuts_for_the_wire(void **state)
{
	struct packet packet = { .tag = 5, .options = 12, .payload = 40000, .size = 1448 };
	uint32_t done = 0;

	(void)state;
	build(&packet);
	frame[5] = 99; /* out there */
	fake_send_record(0, &record, frame);
	fake_run();
	for (unsigned i = 0; i < fake_nic.sent; i++)
		done += check_piece(&packet, fake_nic.out[i].data, fake_nic.out[i].bytes, 5, i, done);
	assert_int_equal(done, packet.payload);
	assert_int_equal(fake_stat(BH_PORT_NIC(0))->in_frames, fake_nic.sent);
}

static void whole_for_those_that_take_it(void **state)
{
	struct bh_frame piece;

	(void)state;
	for (unsigned kind = 0; kind < 8; kind++) {
		struct packet packet = { .v6 = kind & 1, .tag = kind & 2 ? 77 : 0, .payload = 65000, .size = 1000 };
		uint32_t bytes = build(&packet);

		fake_channel[1].offloads = ALL;
		record.gso_type |= kind & 4 ? BH_GSO_ECN : 0;
		fake_send_record(0, &record, frame);
		fake_run();
		assert_int_equal(fake_receive_record(1, &piece, got), bytes);
		assert_memory_equal(got, frame, bytes);
		record.header_bytes = (uint16_t)(record.csum_start + 20); /* put right */
		assert_memory_equal(&piece, &record, sizeof(piece));
	}
	/* IPv4 alone is taken, and IPv6 comes. */
	fake_channel[1].offloads = BH_OFFLOAD_CHECKSUM | BH_OFFLOAD_TCPV4;

	struct packet packet = { .v6 = true, .payload = 3000, .size = 1000 };

	build(&packet);
	fake_send_record(0, &record, frame);
	fake_run();
	check_pieces(&packet, 0);
}

/* The tag goes or comes: offsets go along. */
static void offsets_follow_the_tag(void **state)
{
	struct packet packet = { .tag = 10, .payload = 5000, .size = 1000 };
	struct bh_frame piece;
	uint32_t bytes;

	(void)state;
	fake_reset();
	fake_network("lan", false);
	fake_port(0, 1)->flags = BH_PORT_TRUNK;
	fake_port(0, 2)->vlan = 10;
	fake_start(true);
	fake_channel[1].offloads = ALL;
	bytes = build(&packet);
	fake_send_record(0, &record, frame);
	fake_run();
	assert_int_equal(fake_receive_record(1, &piece, got), bytes - 4);
	assert_int_equal(piece.csum_start, 34);
	assert_int_equal(piece.header_bytes, 54);
	fake_channel[1].offloads = 0;
	fake_send_record(0, &record, frame);
	fake_run();
	check_pieces(&packet, 0);
}

/* ---- checksums ----------------------------------------------------------------------------------- */

static void completes_checksums(void **state)
{
	(void)state;
	for (uint32_t bytes = 8; bytes < 1400; bytes += 9)
		for (unsigned v6 = 0; v6 < 2; v6++) {
			struct packet packet = { .v6 = v6, .tag = bytes & 1 ? 9 : 0 };
			uint32_t ip = packet.tag ? 18 : 14, udp = build_ip(&packet, 17, bytes);

			bytes_put16(frame + udp + 4, bytes);
			for (uint32_t i = 8; i < bytes; i++)
				frame[udp + i] = payload_byte(i);
			bytes_put16(frame + udp + 6, pseudo_sum(frame + ip, v6, 17, bytes));
			record = (struct bh_frame){ .bytes = udp + bytes,
						    .flags = BH_FRAME_NEEDS_CHECKSUM,
						    .csum_start = (uint16_t)udp,
						    .csum_offset = 6 };
			fake_send_record(0, &record, frame);
			fake_run();
			assert_int_equal(fake_receive_record(1, &record, got), udp + bytes);
			assert_int_equal(record.flags, 0);
			assert_int_equal(sum16(got + udp, bytes, pseudo_sum(got + ip, v6, 17, bytes)), 0xffff);
		}
}

static void a_checksum_of_zero_is_written_as_ones(void **state)
{
	uint8_t data[10] = { 0xff, 0xff };

	(void)state;
	segment_checksum(data, 10, 0, 4);
	assert_int_equal(bytes_get16(data + 4), 0xffff);
}

static void sums(void **state)
{
	static uint8_t data[4096];

	(void)state;
	memset(data, 0xff, sizeof(data));
	for (uint32_t bytes = 0; bytes < sizeof(data); bytes += 7)
		assert_int_equal(segment_fold(segment_sum(data, bytes, 0)), (uint16_t)~sum16(data, bytes, 0));
	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = payload_byte(i);
	for (uint32_t bytes = 0; bytes < sizeof(data); bytes += 7)
		assert_int_equal(segment_fold(segment_sum(data, bytes, 0)), (uint16_t)~sum16(data, bytes, 0));
	assert_int_equal(segment_fold(UINT64_MAX), 0);
}

/* ---- what cannot be ------------------------------------------------------------------------------ */

static void refused(enum bh_drop why)
{
	uint64_t before = fake_stat(0)->drops[why];

	assert_true(fake_send_record(0, &record, frame));
	fake_run();
	fake_pass(2000); /* who sends such things is read less often */
	assert_int_equal(fake_stat(0)->drops[why], before + 1);
	assert_int_equal(fake_drain(1), 0);
}

#define REFUSES(change)                     \
	do {                                \
		build(&packet);             \
		change;                     \
		refused(BH_DROP_MALFORMED); \
	} while (0)

static void absurd_fields(struct packet packet)
{
	REFUSES(record.gso_size = 0);
	REFUSES(record.gso_size = 1); /* a piece for each byte */
	REFUSES(record.gso_type = 2);
	REFUSES(record.gso_type = 3); /* UDP */
	REFUSES(record.gso_type = 5);
	REFUSES(record.gso_type ^= BH_GSO_TCPV4 ^ BH_GSO_TCPV6);
	REFUSES(record.flags = 0);
	REFUSES(record.flags = BH_FRAME_CHECKSUM_GOOD);
	REFUSES(record.csum_start++);
	REFUSES(record.csum_start--);
	REFUSES(record.csum_start = 0);
	REFUSES(record.csum_start = 0xffff);
	REFUSES(record.csum_offset = 6);
	REFUSES(record.csum_offset = 0xffff);
	REFUSES(record.bytes = record.csum_start + 20); /* no payload */
	REFUSES(record.bytes = record.csum_start + 19);
	REFUSES(record.bytes = record.csum_start);
	REFUSES(record.bytes = 20);
	REFUSES(record.bytes = 14);
	REFUSES(frame[record.csum_start + 12] = 0x40);
	REFUSES(frame[record.csum_start + 12] = 0xf0; record.bytes = record.csum_start + 60);
	REFUSES(frame[record.csum_start + 12] = 0xf0; record.bytes = record.csum_start + 40);
	REFUSES(frame[14] ^= 0x70);
	REFUSES(frame[packet.v6 ? 20 : 23] = 17);
	REFUSES(frame[13]++);
	build(&packet);
	record.gso_size = packet.v6 ? 1441 : 1461;
	refused(BH_DROP_OVERSIZE);
	build(&packet);
	record.gso_size = 0xffff;
	refused(BH_DROP_OVERSIZE);
}

static void absurd_fields_of_both(void **state)
{
	struct packet packet = { .payload = 3000, .size = 1000 };

	(void)state;
	absurd_fields(packet);
	REFUSES(frame[14] = 0x44);  /* a header shorter than any */
	REFUSES(frame[20] |= 0x20); /* more fragments */
	REFUSES(frame[21] = 1);	    /* not the first */
	REFUSES(record.gso_type |= BH_GSO_ECN; frame[14] = 0x46);
	packet.v6 = true;
	absurd_fields(packet);
	fake_channel[1].offloads = ALL;
	absurd_fields(packet);
}

static void absurd_checksums(void **state)
{
	static const struct {
		uint32_t start, offset;
	} cases[] = {
		{ 0, 0 },  { 13, 0 },	       { 33, 0 },  { 60, 0 },	   { 59, 0 },
		{ 58, 1 }, { 0xffff, 0xffff }, { 34, 25 }, { 34, 0xffff },
	};
	struct packet packet = { 0 };

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		build_ip(&packet, 17, 26);
		record = (struct bh_frame){ .bytes = 60,
					    .flags = BH_FRAME_NEEDS_CHECKSUM,
					    .csum_start = (uint16_t)cases[i].start,
					    .csum_offset = (uint16_t)cases[i].offset };
		refused(BH_DROP_MALFORMED);
	}
}

/* That it is good is nothing that a sender may say. */
static void good_is_not_believed(void **state)
{
	(void)state;
	record = (struct bh_frame){ .bytes = 60, .flags = 0xfe, .gso_size = 99, .header_bytes = 99, .csum_start = 99 };
	fake_channel[1].offloads = ALL;
	fake_send_record(0, &record, fake_frame(2, 1, 0, 60));
	fake_run();
	assert_int_equal(fake_receive_record(1, &record, got), 60);
	assert_int_equal(record.flags | record.gso_size | record.header_bytes | record.csum_start, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(cuts_for_a_guest, setup),
		cmocka_unit_test_setup(odd_sizes, setup),
		cmocka_unit_test_setup(cuts_for_the_wire, setup),
		cmocka_unit_test_setup(whole_for_those_that_take_it, setup),
		cmocka_unit_test_setup(offsets_follow_the_tag, setup),
		cmocka_unit_test_setup(completes_checksums, setup),
		cmocka_unit_test_setup(a_checksum_of_zero_is_written_as_ones, setup),
		cmocka_unit_test_setup(sums, setup),
		cmocka_unit_test_setup(absurd_fields_of_both, setup),
		cmocka_unit_test_setup(absurd_checksums, setup),
		cmocka_unit_test_setup(good_is_not_believed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
