/*
 * The whole net service among guests that send any bytes with any offload fields, write what they like over their ends
 * of the channels, and a wire and a console that do the same. What comes out must be what the contract allows: nobody's
 * address but the sender's own, no frame from another network or VLAN, offload fields that the reader can trust.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "guests/lib/bh_string.h"
#include "guests/net/bytes.h"
#include "guests/net/service.h"
#include "tests/unit/net_fakes.h"

/* Network 0 has ports 0 to 3 (0 and 1 in VLAN 5, 3 a trunk), none trusted. Network 1 has a trusted one and a NIC. */
#define PORTS 6

static uint8_t frame[BH_FRAME_MAX];

static void check(int holds)
{
	if (!holds)
		abort();
}

static void start(void)
{
	static const uint16_t vlan[PORTS] = { 5, 5 };

	fake_reset();
	fake_network("one", false);
	fake_network("two", true);
	for (uint8_t i = 0; i < PORTS; i++)
		fake_port(i / 4, (uint8_t)(i + 1))->vlan = vlan[i];
	fake_records.port[3].flags = BH_PORT_TRUNK;
	fake_records.port[4].flags = BH_PORT_TRUSTED;
	fake_records.port[5].rate = 1000000;
	fake_records.network[0].broadcasts = 100;
	fake_start(true);
	fake_channel[1].offloads = 7;
	fake_channel[3].offloads = 3;
	fake_channel[5].offloads = 7;
}

/* ---- what goes in -------------------------------------------------------------------------------- */

static void template(unsigned kind, uint8_t from)
{
	static const uint8_t types[8][2] = { { 8, 0 }, { 0x86, 0xdd }, { 8, 6 },  { 0x86, 0xdd },
					     { 8, 0 }, { 0x81, 0 },    { 0, 40 }, { 0x88, 0xa8 } };
	uint8_t *ip = frame + 14;

	memset(frame, 0, sizeof(frame));
	memcpy(frame, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)((from - 1) ^ 1) + 1, 2, 0, 0, 0, 0, from }, 12);
	if (kind & 8)
		memset(frame, 0xff, 6);
	memcpy(frame + 12, types[kind % 8], 2);
	ip[0] = kind & 1 ? 0x60 : 0x45;
	ip[9] = 6;
	if (kind % 8 == 1 || kind % 8 == 3)
		ip[6] = kind % 8 == 1 ? 6 : 58;
	if (kind % 8 == 3)
		ip[40] = 136, ip[5] = 32, ip[64] = 2, ip[65] = 1;
	if (kind % 8 == 2)
		memcpy(ip, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, from }, 14);
	ip[kind & 1 ? 52 : 32] = 0x50;
}

struct input {
	const uint8_t *data;
	size_t size;
};

static uint32_t take(struct input *input, unsigned bytes)
{
	uint32_t value = 0;

	for (; bytes && input->size; bytes--, input->size--)
		value = value << 8 | *input->data++;
	return value;
}

static struct bh_frame take_frame(struct input *input, uint8_t from)
{
	uint32_t bytes = take(input, 2), changes = take(input, 1) % 16;
	struct bh_frame record = { .bytes = BH_FRAME_MIN + bytes % (BH_FRAME_MAX - BH_FRAME_MIN + 1) };
	unsigned kind = take(input, 1);

	template(kind, from);
	if (kind & 0x80) {
		record.flags = (uint8_t)take(input, 1);
		record.gso_type = (uint8_t)take(input, 1);
		record.gso_size = (uint16_t)take(input, 2);
		record.csum_start = (uint16_t)take(input, 2);
		record.csum_offset = (uint16_t)take(input, 2);
		record.header_bytes = record.gso_size;
	} else if (kind & 0x40) {
		record.flags = 1;
		record.gso_type = kind & 1 ? 4 : 1;
		record.gso_size = (uint16_t)(take(input, 2) % 1500);
		record.csum_start = kind & 1 ? 54 : 34;
		record.csum_offset = 16;
	} else {
		record.bytes = BH_FRAME_MIN + bytes % 1520;
	}
	while (changes--) {
		uint32_t at = take(input, 1) * (kind & 0x20 ? 8 : 1);

		frame[at] = (uint8_t)take(input, 1);
	}
	return record;
}

/* ---- what comes out ------------------------------------------------------------------------------ */

static void check_source(unsigned port, const uint8_t *data, uint32_t bytes)
{
	const uint8_t *behind = data + 14;
	uint16_t type = bytes_get16(data + 12);

	if (port < 2)
		check(data[11] == 1 || data[11] == 2 || data[11] == 4);
	else
		check(data[11] >= 1 && data[11] <= 4);
	check(data[6] == 2 && data[11] != port + 1);
	if (port != 3)
		check(type != 0x8100);
	if (type == 0x8100) {
		type = bytes_get16(data + 16);
		behind += 4;
	}
	if (type == 0x806) {
		check(bytes >= (uint32_t)(behind - data) + 28);
		check(!memcmp(behind + 8, data + 6, 6));
	}
	/* A neighbor advertisement with its option in the usual place. */
	if (type == 0x86dd && behind[6] == 58 && behind[40] == 136 && bytes >= 86 && behind[64] == 2)
		check(!memcmp(behind + 66, data + 6, 6));
}

static void check_record(unsigned port, const struct bh_frame *record)
{
	uint32_t offloads = fake_channel[port].offloads;

	check(record->flags <= 1 && !record->reserved);
	check(!record->flags || offloads & BH_OFFLOAD_CHECKSUM);
	if (record->flags)
		check(record->csum_start >= 34 && record->csum_start + record->csum_offset + 2u <= record->bytes);
	if (!record->gso_type) {
		check(record->bytes <= 1518 && !record->gso_size);
		return;
	}
	check(record->flags && record->gso_size && record->gso_size <= 1460);
	check(record->header_bytes >= 54 && record->header_bytes < record->bytes);
	check(offloads & ((record->gso_type & 0x7f) == BH_GSO_TCPV6 ? BH_OFFLOAD_TCPV6 : BH_OFFLOAD_TCPV4));
}

static void read_all(unsigned port, bool hostile)
{
	static uint8_t data[BH_FRAME_MAX];
	struct bh_frame record;

	while (fake_receive_record(port, &record, data)) {
		check_record(port, &record);
		if (port < 4 && !hostile)
			check_source(port, data, record.bytes);
	}
}

/* The words of a guest's side, with care for our own end: it must find what the service writes. */
static void disturb(unsigned port, uint32_t where, uint32_t value)
{
	struct bh_port_channel *channel = &fake_channel[port];

	switch (where % 6) {
	case 0: channel->out_writer.written = value; break;
	case 1: channel->out_writer.written += value % 100000; break;
	case 2: channel->in_reader.read = value; break;
	case 3: channel->driver = value; break;
	case 4: memcpy(channel->out + value % (BH_FRAMES_BYTES - 4), &value, 4); break;
	default: channel->offloads = value & 7; break;
	}
	fake_events |= 1ull << port;
}

static void step(struct input *input)
{
	unsigned what = take(input, 1), port = what % PORTS;
	struct bh_frame record;

	switch (take(input, 1) % 8) {
	case 0:
	case 1:
	case 2:
		record = take_frame(input, (uint8_t)(port + 1));
		fake_send_record(port, &record, frame);
		break;
	case 3:
		record = take_frame(input, 9);
		fake_wire(frame, record.bytes % 1600);
		break;
	case 4: disturb(port, take(input, 1), take(input, 4)); break;
	case 5: fake_request(take(input, 1) % 5, what % BH_PORT_NUMBERS, take(input, 1) % 3); break;
	case 6: fake_pass(take(input, 2)); break;
	default: service_turn();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	start();
	while (input.size) {
		step(&input);
		/* What lies in the rings was written for those that were announced then; so it is read at once. */
		fake_run();
		for (unsigned port = 0; port < PORTS; port++)
			if (fake_channel[port].in_reader.read == fake_in[port].position)
				read_all(port, false);
			else
				fake_channel[port].in_reader.read = fake_in[port].position =
					fake_channel[port].in_writer.written;
	}
	return 0;
}
