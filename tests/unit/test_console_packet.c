/* Frames in words, as a pcap file, in base64; rates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "guests/console/base64.h"
#include "guests/console/packet.h"
#include "guests/console/pcap.h"
#include "guests/console/traffic.h"

#define MACS   "525400000002 525400000001 "
#define IPV4_A "0a000001 "
#define IPV4_B "0a000002 "
#define IPV6_A "fe80000000000000 505400fffe000001 "
#define IPV6_B "fe80000000000000 505400fffe000002 "
/* A header of 20 bytes: total length, flags and offset, protocol. */
#define IPV4(total, fragment, protocol) "0800 4500" total "0000" fragment "40" protocol "0000" IPV4_A IPV4_B
#define IPV6(length, next)		"86dd 60000000" length next "ff" IPV6_A IPV6_B
/* Ports 44312 and 80; sequence number 1000, acknowledged 500. */
#define TCP(offset, flags) "ad18 0050 000003e8 000001f4" offset flags "faf0 0000 0000"

static uint8_t frame[4096];

static unsigned digit(char c) { return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10); }

static uint32_t frame_of(const char *hex)
{
	uint32_t count = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		frame[count++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
		hex++;
	}
	return count;
}

/* The frame has so many bytes beyond those given; only those given are kept. */
static void says_of_longer(const char *hex, uint32_t more, const char *expected)
{
	uint32_t kept = frame_of(hex);
	uint8_t *exact = malloc(kept ? kept : 1); /* so that a byte too many is seen */
	char line[PACKET_LINE_BYTES];

	memcpy(exact, frame, kept);
	assert_string_equal(packet_line(line, exact, kept, kept + more), expected);
	free(exact);
}

static void says(const char *hex, const char *expected) { says_of_longer(hex, 0, expected); }

static void arp(void **state)
{
	(void)state;
	says("ffffffffffff 525400000001 0806 0001 0800 06 04 0001 525400000001 0a000001 000000000000 0a000002",
	     "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28");
	says("525400000001 525400000002 0806 0001 0800 06 04 0002 525400000002 0a000002 525400000001 0a000001"
	     "0000000000000000 0000000000000000 0000",
	     "ARP, Reply 10.0.0.2 is-at 52:54:00:00:00:02, length 46");
	says(MACS "0806 0006 0800 06 04 0001", "ARP, hardware 6, protocol 0x0800, length 8");
	says(MACS "0806 0001 0800 06 04 0001 5254", "ARP, [|arp]");
	says(MACS "0806 0001 0800 06 04 0008 525400000001 0a000001 000000000000 0a000002",
	     "ARP, operation 8, length 28");
}

static void ethernet(void **state)
{
	(void)state;
	says(MACS "88cc 0102", "52:54:00:00:00:01 > 52:54:00:00:00:02, ethertype 0x88cc, length 2");
	says(MACS "0026 424203", "52:54:00:00:00:01 > 52:54:00:00:00:02, 802.3, length 38");
	says("525400", "[|ether]");
	says("", "[|ether]");
	says(MACS "8100 a064 0806 0001 0800 06 04 0001 525400000001 0a000001 000000000000 0a000002",
	     "vlan 100, p 5, ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28");
	says(MACS "88a8 0001 8100 0fff 9000", "vlan 1, p 0, vlan 4095, p 0, 52:54:00:00:00:01 > 52:54:00:00:00:02, "
					      "ethertype 0x9000, length 0");
	says(MACS "8100 00", "[|vlan]");
}

static void tcp(void **state)
{
	(void)state;
	says(MACS IPV4("0028", "4000", "06") TCP("50", "02"),
	     "IP 10.0.0.1.44312 > 10.0.0.2.80: Flags [S], seq 1000, win 64240, length 0");
	says(MACS IPV4("0028", "4000", "06") TCP("50", "12") "000000000000",
	     "IP 10.0.0.1.44312 > 10.0.0.2.80: Flags [S.], seq 1000, ack 500, win 64240, length 0");
	says(MACS IPV4("0030", "4000", "06") TCP("60", "18") "01010101 68656c6c",
	     "IP 10.0.0.1.44312 > 10.0.0.2.80: Flags [P.], seq 1000:1004, ack 500, win 64240, length 4");
	says(MACS IPV4("0028", "4000", "06") TCP("50", "10"),
	     "IP 10.0.0.1.44312 > 10.0.0.2.80: Flags [.], ack 500, win 64240, length 0");
	says(MACS IPV4("0028", "4000", "06") TCP("50", "ff"),
	     "IP 10.0.0.1.44312 > 10.0.0.2.80: Flags [FSRP.UEW], seq 1000, ack 500, win 64240, length 0");
	says(MACS IPV4("0028", "4000", "06") TCP("50", "00"),
	     "IP 10.0.0.1.44312 > 10.0.0.2.80: Flags [none], win 64240, length 0");
	says(MACS IPV4("0028", "4000", "06") TCP("40", "02"),
	     "IP 10.0.0.1.44312 > 10.0.0.2.80: TCP, bad header length 16");
	says(MACS IPV4("0028", "4000", "06") TCP("60", "02"),
	     "IP 10.0.0.1.44312 > 10.0.0.2.80: TCP, bad header length 24");
	says(MACS IPV6("0014", "06") TCP("50", "04"),
	     "IP6 fe80::5054:ff:fe00:1.44312 > fe80::5054:ff:fe00:2.80: Flags [R], seq 1000, win 64240, length 0");
}

static void segments_to_be_cut_and_frames_cut_short(void **state)
{
	(void)state;
	says_of_longer(MACS IPV4("fa28", "4000", "06") TCP("50", "10"), 64000,
		       "IP 10.0.0.1.44312 > 10.0.0.2.80: Flags [.], seq 1000:65000, ack 500, win 64240, length 64000");
	/* Larger than the header can say. */
	says_of_longer(MACS IPV4("0000", "4000", "06") TCP("50", "10"), 65500,
		       "IP 10.0.0.1.44312 > 10.0.0.2.80: Flags [.], seq 1000:66500, ack 500, win 64240, length 65500");
	says(MACS IPV4("0064", "4000", "06") TCP("50", "10"),
	     "IP truncated-ip - 60 bytes missing! 10.0.0.1.44312 > 10.0.0.2.80: Flags [.], ack 500, win 64240, "
	     "length 0");
	says(MACS IPV4("0028", "4000", "06") "ad18 0050 0000", "IP truncated-ip - 14 bytes missing! "
							       "10.0.0.1.44312 > 10.0.0.2.80: [|tcp]");
	says_of_longer(MACS IPV4("0028", "4000", "06") "ad18", 18, "IP 10.0.0.1 > 10.0.0.2: [|tcp]");
}

static void ipv4(void **state)
{
	(void)state;
	says(MACS "0800 45", "IP [|ip]");
	says(MACS "0800 6500 0014 0000 0000 4006 0000" IPV4_A IPV4_B, "IP bad header 0x65");
	says(MACS "0800 4400 0014 0000 0000 4006 0000" IPV4_A IPV4_B, "IP bad header 0x44");
	says(MACS "0800 4600 0018 0000 0000 4006 0000" IPV4_A IPV4_B "94", "IP [|ip]");
	says(MACS "0800 4600 0018 0000 0000 4002 0000" IPV4_A IPV4_B "94040000",
	     "IP 10.0.0.1 > 10.0.0.2: ip-proto-2, length 0");
	says(MACS IPV4("0013", "0000", "06"), "IP bad length 19");
	says(MACS IPV4("001c", "2010", "11") "0102030405060708",
	     "IP 10.0.0.1 > 10.0.0.2: fragment of protocol 17 at 128, length 8");
}

static void udp(void **state)
{
	(void)state;
	says(MACS IPV4("0020", "0000", "11") "0044 0043 000c 0000 01020304",
	     "IP 10.0.0.1.68 > 10.0.0.2.67: UDP, length 4");
	says(MACS IPV4("0020", "0000", "11") "0044 0043 0007 0000 01020304",
	     "IP 10.0.0.1.68 > 10.0.0.2.67: UDP, bad length 7");
	says(MACS IPV4("0020", "0000", "11") "0044 0043 000d 0000 01020304",
	     "IP 10.0.0.1.68 > 10.0.0.2.67: UDP, bad length 13");
}

static void icmp(void **state)
{
	(void)state;
	says(MACS IPV4("001c", "0000", "01") "0800 0000 1234 0001",
	     "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 4660, seq 1, length 8");
	says(MACS IPV4("001c", "0000", "01") "0000 0000 1234 0001",
	     "IP 10.0.0.1 > 10.0.0.2: ICMP echo reply, id 4660, seq 1, length 8");
	says(MACS IPV4("001c", "0000", "01") "0301 0000 0000 0000",
	     "IP 10.0.0.1 > 10.0.0.2: ICMP unreachable (code 1), length 8");
	says(MACS IPV4("001c", "0000", "01") "2a01 0000 0000 0000",
	     "IP 10.0.0.1 > 10.0.0.2: ICMP type 42, code 1, length 8");
	says(MACS IPV4("0018", "0000", "01") "0800 0000", "IP 10.0.0.1 > 10.0.0.2: ICMP [|icmp]");
	says(MACS IPV4("0018", "0000", "3a") "8000 0000", "IP 10.0.0.1 > 10.0.0.2: ip-proto-58, length 4");
}

#define FROM_TO "IP6 fe80::5054:ff:fe00:1 > fe80::5054:ff:fe00:2: "

static void icmpv6(void **state)
{
	(void)state;
	says(MACS IPV6("0018", "3a") "8700 0000 00000000" IPV6_B,
	     FROM_TO "ICMP6, neighbor solicitation, who has fe80::5054:ff:fe00:2, length 24");
	says(MACS IPV6("0018", "3a") "8800 0000 60000000" IPV6_B,
	     FROM_TO "ICMP6, neighbor advertisement, tgt is fe80::5054:ff:fe00:2, length 24");
	says(MACS IPV6("0008", "3a") "8000 0000 0001 0002", FROM_TO "ICMP6, echo request, id 1, seq 2, length 8");
	says(MACS IPV6("0008", "3a") "8100 0000 0001 0002", FROM_TO "ICMP6, echo reply, id 1, seq 2, length 8");
	says(MACS IPV6("0008", "3a") "8500 0000 0000 0000", FROM_TO "ICMP6, router solicitation (code 0), length 8");
	says(MACS IPV6("0008", "3a") "8700 0000 0000 0000", FROM_TO "ICMP6, [|icmp6]");
}

static void ipv6(void **state)
{
	(void)state;
	says(MACS "86dd 6000", "IP6 [|ip6]");
	says(MACS "86dd 40000000 0000 3b ff" IPV6_A IPV6_B, "IP6 bad header 0x40");
	says(MACS IPV6("0000", "3b"), FROM_TO "no next header");
	/* Hop by hop (as MLD sends it), destination options of 16 bytes, then ICMPv6. */
	says(MACS IPV6("0020", "00") "3c00 0502 0000 0100 3a01 0000 0000 0000 0000 0000 0000 0000 8f00 0000 0000 0001",
	     FROM_TO "ICMP6, multicast listener report v2 (code 0), length 8");
	/* A first fragment is looked into, a later one is not. */
	says(MACS IPV6("0010", "2c") "1100 0001 0000 0001 0044 0043 0008 0000",
	     "IP6 fe80::5054:ff:fe00:1.68 > fe80::5054:ff:fe00:2.67: UDP, length 0");
	says(MACS IPV6("0010", "2c") "1100 0089 0000 0001 0044 0043 0008 0000",
	     FROM_TO "fragment of protocol 17 at 136, length 8");
	says(MACS IPV6("0008", "00") "3aff 0502 0000 0100", "IP6 [|ip6]");
}

static void addresses_of_ipv6(void **state)
{
	static const struct {
		const char *hex, *text;
	} list[] = {
		{ "00000000000000000000000000000000", "::" },
		{ "00000000000000000000000000000001", "::1" },
		{ "ff020000000000000000000000000000", "ff02::" },
		{ "20010db8000000000001000000000001", "2001:db8::1:0:0:1" },
		{ "20010000000000010000000000000001", "2001:0:0:1::1" },
		{ "20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1" },
		{ "ffffffffffffffffffffffffffffffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char hex[256], expected[256];

	(void)state;
	for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		snprintf(hex, sizeof(hex), MACS "86dd 60000000 0000 3b ff %s %s", list[i].hex, list[i].hex);
		snprintf(expected, sizeof(expected), "IP6 %s > %s: no next header", list[i].text, list[i].text);
		says(hex, expected);
	}
}

/* More tags than the line has room for. */
static void a_line_has_an_end(void **state)
{
	char line[PACKET_LINE_BYTES];

	(void)state;
	memset(frame, 0, sizeof(frame));
	for (uint32_t at = 12; at + 4 <= sizeof(frame); at += 4) {
		frame[at] = 0x81;
		frame[at + 3] = 100;
	}
	packet_line(line, frame, sizeof(frame), sizeof(frame));
	assert_int_equal(strlen(line), PACKET_LINE_BYTES - 1);
}

/* ---- files ---- */

static char lines[1000];

static void put(void *context, const char *line)
{
	assert_ptr_equal(context, lines);
	assert_true(strlen(line) <= BASE64_COLUMNS);
	strcat(lines, line);
	strcat(lines, "\n");
}

static void encodes(const void *bytes, size_t count, const char *expected)
{
	struct base64 base64;

	lines[0] = 0;
	base64_start(&base64, put, lines);
	/* In pieces, as frames come. */
	for (size_t at = 0; at < count; at += 5)
		base64_add(&base64, (const uint8_t *)bytes + at, count - at < 5 ? count - at : 5);
	base64_end(&base64);
	assert_string_equal(lines, expected);
}

/* RFC 4648, 10, and lines as RFC 2045 has them. */
static void base64(void **state)
{
	static const uint8_t zeros[100];

	(void)state;
	encodes("", 0, "");
	encodes("f", 1, "Zg==\n");
	encodes("fo", 2, "Zm8=\n");
	encodes("foo", 3, "Zm9v\n");
	encodes("foob", 4, "Zm9vYg==\n");
	encodes("fooba", 5, "Zm9vYmE=\n");
	encodes("foobar", 6, "Zm9vYmFy\n");
	encodes("\xff\xfb\xef", 3, "//vv\n");
	encodes(zeros, 57, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
	encodes(zeros, 58, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAA==\n");
}

static void pcap(void **state)
{
	static const uint8_t file[] = { 0xd4, 0xc3, 0xb2, 0xa1, 2,    0,    4, 0, 0, 0, 0, 0,
					0,    0,    0,	  0,	0xff, 0xff, 0, 0, 1, 0, 0, 0 };
	static const uint8_t record[] = { 0x80, 0x43, 0x6d, 0x65, 0x3f, 0x42, 0x0f, 0, 60, 0, 0, 0, 0xea, 5, 0, 0 };
	uint8_t to[PCAP_FILE_BYTES];

	(void)state;
	pcap_file_header(to, 65535);
	assert_memory_equal(to, file, sizeof(file));
	pcap_record_header(to, 0x656d4380, 999999, 60, 1514);
	assert_memory_equal(to, record, sizeof(record));
}

/* ---- rates ---- */

static void rates(void **state)
{
	struct bh_port_stat before = { .out_frames = 10, .out_bytes = 1000, .in_frames = 5, .in_bytes = 500 };
	struct bh_port_stat now = { .out_frames = 40, .out_bytes = 61000, .in_frames = 5, .in_bytes = UINT64_MAX };
	struct traffic traffic;

	(void)state;
	assert_true(traffic_between(&traffic, &before, &now, 6000000000u, 2000000000));
	assert_int_equal(traffic.out_frames, 10);
	assert_int_equal(traffic.out_bytes, 20000);
	assert_int_equal(traffic.in_frames, 0);
	assert_true(traffic.in_bytes > UINT64_MAX / 4);
	assert_true(traffic_between(&traffic, &before, &now, UINT64_MAX, 2000000000));
	assert_int_equal(traffic.out_frames, 0);
	/* No time has passed; there is no clock; the service began anew. */
	assert_false(traffic_between(&traffic, &before, &now, 1000, 2000000000));
	assert_false(traffic_between(&traffic, &before, &now, 1000, 0));
	assert_false(traffic_between(&traffic, &now, &before, 6000000000u, 2000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp),
		cmocka_unit_test(ethernet),
		cmocka_unit_test(tcp),
		cmocka_unit_test(segments_to_be_cut_and_frames_cut_short),
		cmocka_unit_test(ipv4),
		cmocka_unit_test(udp),
		cmocka_unit_test(icmp),
		cmocka_unit_test(icmpv6),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(addresses_of_ipv6),
		cmocka_unit_test(a_line_has_an_end),
		cmocka_unit_test(base64),
		cmocka_unit_test(pcap),
		cmocka_unit_test(rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
