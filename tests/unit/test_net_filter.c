/* Anti-spoofing: frames that say whose an address is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "guests/net/bytes.h"
#include "guests/net/filter.h"

#define TAGGED true

static const uint8_t own[6] = { 2, 0, 0, 0, 0, 1 }, other[6] = { 2, 0, 0, 0, 0, 2 };
static uint8_t bytes[1600];
static uint32_t count, layer3;
static struct bh_frame record;

static void put(const void *from, uint32_t number)
{
	memcpy(bytes + count, from, number);
	count += number;
}

static void put16(uint16_t value)
{
	bytes_put16(bytes + count, value);
	count += 2;
}

static void begin(const uint8_t *source, bool tag, uint16_t type)
{
	memset(bytes, 0, sizeof(bytes));
	memset(&record, 0, sizeof(record));
	count = 6;
	put(source, 6);
	if (tag) {
		put16(0x8100);
		put16(10);
	}
	put16(type);
	layer3 = count;
}

static enum bh_drop judge(uint32_t of)
{
	static struct frame frame;
	enum bh_drop why;

	memset(&frame, 0xee, sizeof(frame));
	frame.record = record;
	frame.record.bytes = of;
	frame.ring = NULL;
	frame.data = bytes;
	why = frame_parse(&frame);
	if (why == FRAME_PASSES)
		why = frame_check(&frame, BH_MTU_USUAL);
	return why == FRAME_PASSES ? filter_source(&frame, bytes_mac(own)) : why;
}

#define PASSES()     assert_int_equal(judge(count), FRAME_PASSES)
#define IS_SPOOFED() assert_int_equal(judge(count), BH_DROP_SPOOFED)

static void ethernet_source(void **state)
{
	(void)state;
	begin(own, false, 0x88b5);
	PASSES();
	begin(own, TAGGED, 0x88b5);
	PASSES();
	begin(other, false, 0x88b5);
	IS_SPOOFED();
	begin(other, TAGGED, 0x800);
	IS_SPOOFED();
}

static void arp(const uint8_t *source, bool tag, uint16_t type, const uint8_t *sender)
{
	begin(source, tag, type);
	put16(1);
	put16(0x800);
	put((uint8_t[]){ 6, 4, 0, 2 }, 4);
	put(sender, 6);
	put((uint8_t[]){ 10, 0, 0, 1 }, 4);
	put(other, 6);
	put((uint8_t[]){ 10, 0, 0, 1 }, 4); /* gratuitous */
}

static void arp_sender(void **state)
{
	(void)state;
	for (unsigned tag = 0; tag < 2; tag++)
		for (unsigned type = TYPE_ARP; type <= TYPE_RARP; type += TYPE_RARP - TYPE_ARP) {
			arp(own, tag, (uint16_t)type, own);
			PASSES();
			arp(own, tag, (uint16_t)type, other);
			IS_SPOOFED();
			arp(other, tag, (uint16_t)type, own);
			IS_SPOOFED();
			arp(own, tag, (uint16_t)type, own);
			count--; /* cut off */
			IS_SPOOFED();
		}
	arp(own, false, TYPE_ARP, own);
	bytes[layer3 + 1] = 6; /* hardware IEEE 802: Linux takes it as well */
	IS_SPOOFED();
	arp(own, false, TYPE_ARP, own);
	bytes[layer3 + 4] = 8;
	IS_SPOOFED();
}

/* A checksum that somebody completes later would write into the address. */
static void arp_with_a_checksum_to_do(void **state)
{
	(void)state;
	arp(own, false, TYPE_ARP, own);
	record.flags = BH_FRAME_NEEDS_CHECKSUM;
	record.csum_start = 34;
	assert_int_equal(judge(count), BH_DROP_MALFORMED);
}

static void snap(void **state)
{
	static const uint16_t types[] = { TYPE_ARP, TYPE_RARP, TYPE_IPV6, TYPE_VLAN, TYPE_SVLAN };

	(void)state;
	for (unsigned i = 0; i <= 5; i++) {
		begin(own, false, 36);
		put((uint8_t[]){ 0xaa, 0xaa, 3, 0, 0, 0 }, 6);
		put16(i < 5 ? types[i] : 0x809b);
		count += 28;
		assert_int_equal(judge(count), i < 5 ? BH_DROP_SPOOFED : FRAME_PASSES);
	}
}

/* ---- neighbor discovery -------------------------------------------------------------------------- */

static void ipv6(bool tag, uint8_t next)
{
	begin(own, tag, TYPE_IPV6);
	put((uint8_t[]){ 0x60, 0, 0, 0, 0, 0, next, 255 }, 8);
	count += 32;
}

static void finish_ipv6(void) { bytes_put16(bytes + layer3 + 4, (uint16_t)(count - layer3 - 40)); }

static uint32_t fixed_part(unsigned type) { return type == 133 ? 8 : type == 134 ? 16 : type == 137 ? 40 : 24; }

static void nd(unsigned type, unsigned option, const uint8_t *address)
{
	bytes[count] = (uint8_t)type;
	count += fixed_part(type);
	put((uint8_t[]){ (uint8_t)option, 1 }, 2);
	put(address, 6);
	finish_ipv6();
}

static void nd_options(void **state)
{
	(void)state;
	for (unsigned tag = 0; tag < 2; tag++)
		for (unsigned type = 133; type <= 137; type++)
			for (unsigned option = 1; option <= 2; option++) {
				ipv6(tag, 58);
				nd(type, option, own);
				PASSES();
				ipv6(tag, 58);
				nd(type, option, other);
				IS_SPOOFED();
				/* A second option, and one of another kind before it. */
				ipv6(tag, 58);
				nd(type, 14, other);
				put((uint8_t[]){ (uint8_t)option, 1 }, 2);
				put(other, 6);
				finish_ipv6();
				IS_SPOOFED();
			}
	ipv6(false, 58);
	nd(128, 1, other); /* an echo request has no options */
	PASSES();
	ipv6(false, 58);
	nd(135, 14, other);
	PASSES();
}

static void nd_that_cannot_be_read(void **state)
{
	(void)state;
	ipv6(false, 58);
	nd(136, 2, own);
	bytes[count - 7] = 0; /* an option without length */
	IS_SPOOFED();
	ipv6(false, 58);
	nd(136, 2, own);
	bytes[count - 7] = 2; /* longer than the packet */
	IS_SPOOFED();
	ipv6(false, 58);
	nd(136, 2, own);
	bytes_put16(bytes + layer3 + 4, 1000); /* longer than the frame */
	IS_SPOOFED();
	ipv6(false, 58);
	nd(136, 2, own);
	assert_int_equal(judge(layer3 + 39), BH_DROP_SPOOFED);
	assert_int_equal(judge(layer3 + 40), BH_DROP_SPOOFED);
	bytes[layer3] = 0x40;
	IS_SPOOFED();
	/* A packet without payload is nobody's business. */
	ipv6(false, 59);
	PASSES();
}

static void nd_far_behind(void **state)
{
	(void)state;
	for (uint32_t filling = 8; filling < 1400; filling += 8) {
		ipv6(false, 58);
		bytes[count] = 134;
		count += 16;
		for (uint32_t i = 0; i < filling; i += 8) {
			put((uint8_t[]){ 253, 1 }, 2);
			count += 6;
		}
		put((uint8_t[]){ 1, 1 }, 2);
		put(filling % 16 ? own : other, 6);
		finish_ipv6();
		assert_int_equal(judge(count), filling % 16 ? FRAME_PASSES : BH_DROP_SPOOFED);
	}
}

static void extension(uint8_t next, uint8_t units)
{
	bytes[count] = next;
	bytes[count + 1] = units;
	count += 8u * units + 8;
}

static void nd_behind_extensions(void **state)
{
	static const uint8_t kinds[] = { 0, 43, 60, 135, 139, 140 };

	(void)state;
	for (unsigned i = 0; i < sizeof(kinds); i++)
		for (uint8_t units = 0; units < 120; units += 17)
			for (unsigned spoofed = 0; spoofed < 2; spoofed++) {
				ipv6(false, kinds[i]);
				extension(60, units);
				extension(58, 0);
				nd(136, 2, spoofed ? other : own);
				assert_int_equal(judge(count), spoofed ? BH_DROP_SPOOFED : FRAME_PASSES);
			}
	ipv6(false, 51); /* in units of four, two less */
	bytes[count] = 58;
	bytes[count + 1] = 1;
	count += 12;
	nd(136, 2, other);
	IS_SPOOFED();
	ipv6(false, 60);
	extension(60, 255);
	count = layer3 + 40 + 8 * 100; /* ends before the headers do */
	IS_SPOOFED();
	ipv6(false, 60);
	extension(6, 0);
	count += 20;
	PASSES();
}

static void fragment(uint16_t offset, uint8_t next)
{
	ipv6(false, 44);
	bytes[count] = next;
	bytes_put16(bytes + count + 2, (uint16_t)(offset << 3 | 1));
	count += 8;
}

static void nd_in_fragments(void **state)
{
	(void)state;
	fragment(0, 58);
	nd(136, 2, own);
	IS_SPOOFED();
	fragment(0, 58);
	nd(128, 2, own);
	PASSES();
	fragment(0, 60);
	extension(58, 0);
	nd(136, 2, own);
	IS_SPOOFED();
	fragment(10, 58); /* not the first: 136 is data */
	nd(136, 2, other);
	PASSES();
	fragment(10, 60);
	PASSES();
}

static void nd_with_a_checksum_to_do(void **state)
{
	(void)state;
	ipv6(false, 58);
	nd(136, 2, own);
	record.flags = BH_FRAME_NEEDS_CHECKSUM;
	record.csum_start = 54;
	record.csum_offset = 2;
	IS_SPOOFED();
	ipv6(false, 58);
	nd(128, 2, own);
	record.flags = BH_FRAME_NEEDS_CHECKSUM;
	record.csum_start = 54;
	record.csum_offset = 2;
	PASSES();
	record.csum_offset = 0; /* would make another type of it */
	IS_SPOOFED();
	/* Or of an extension header the one before neighbor discovery. */
	ipv6(false, 60);
	extension(59, 0);
	nd(136, 2, other);
	record.flags = BH_FRAME_NEEDS_CHECKSUM;
	record.csum_start = 54;
	IS_SPOOFED();
	record.csum_start = 62;
	PASSES();
}

static void every_short_frame_is_judged(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 3; kind++) {
		if (kind == 0)
			arp(own, TAGGED, TYPE_ARP, own);
		if (kind == 1)
			ipv6(TAGGED, 0), extension(44, 1), extension(58, 0), nd(136, 2, own);
		if (kind == 2)
			begin(own, TAGGED, 30), put((uint8_t[]){ 0xaa, 0xaa, 3, 0, 0, 0, 8, 6 }, 8);
		for (uint32_t of = 0; of < count; of++)
			assert_true(judge(of) == (of < 18     ? BH_DROP_MALFORMED
						  : kind == 2 ? FRAME_PASSES
							      : BH_DROP_SPOOFED));
	}
}

static void reserved(void **state)
{
	(void)state;
	for (unsigned last = 0; last < 256; last++)
		assert_int_equal(filter_reserved(bytes_mac((uint8_t[]){ 1, 0x80, 0xc2, 0, 0, (uint8_t)last })),
				 last < 16);
	assert_false(filter_reserved(bytes_mac((uint8_t[]){ 1, 0x80, 0xc2, 0, 1, 0 })));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethernet_source),
		cmocka_unit_test(arp_sender),
		cmocka_unit_test(arp_with_a_checksum_to_do),
		cmocka_unit_test(snap),
		cmocka_unit_test(nd_options),
		cmocka_unit_test(nd_that_cannot_be_read),
		cmocka_unit_test(nd_far_behind),
		cmocka_unit_test(nd_behind_extensions),
		cmocka_unit_test(nd_in_fragments),
		cmocka_unit_test(nd_with_a_checksum_to_do),
		cmocka_unit_test(every_short_frame_is_judged),
		cmocka_unit_test(reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
