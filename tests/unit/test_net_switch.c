/* The switch from port to port: who gets what, VLANs, links, networks, the NIC, restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "guests/net/bytes.h"
#include "net_fakes.h"

static uint8_t got[BH_FRAME_MAX];

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

/* The frame is what `port` gets, and nothing else. */
static void expect(unsigned port, const uint8_t *frame, uint32_t bytes)
{
	assert_int_equal(fake_receive(port, got), bytes);
	assert_memory_equal(got, frame, bytes);
	assert_int_equal(fake_receive(port, got), 0);
}

static void expect_nothing(unsigned port) { assert_int_equal(fake_drain(port), 0); }

static uint64_t drops(unsigned port, enum bh_drop why) { return fake_stat(port)->drops[why]; }

static void three_ports(void)
{
	fake_network("lan", false);
	for (uint8_t i = 1; i <= 3; i++)
		fake_port(0, i);
}

static void a_frame_goes_to_its_address_only(void **state)
{
	(void)state;
	three_ports();
	fake_start(true);
	for (uint32_t bytes = 14; bytes <= 1514; bytes += 25) {
		uint8_t *frame = fake_frame(2, 1, 0, bytes);

		assert_true(fake_send(0, frame, bytes));
		fake_run();
		expect(1, frame, bytes);
		expect_nothing(0);
		expect_nothing(2);
	}
	assert_int_equal(fake_stat(0)->out_frames, 61);
	assert_int_equal(fake_stat(1)->in_frames, 61);
	assert_int_equal(fake_stat(0)->out_bytes, fake_stat(1)->in_bytes);
	assert_int_equal(fake_stat(2)->in_frames, 0);
}

static void a_broadcast_goes_to_all_others(void **state)
{
	uint8_t *frame = fake_frame(0xff, 2, 0, 60);

	(void)state;
	three_ports();
	fake_start(true);
	fake_send(1, frame, 60);
	fake_run();
	expect(0, frame, 60);
	expect(2, frame, 60);
	expect_nothing(1);
	frame[0] = 0x33; /* multicast */
	fake_send(1, frame, 60);
	fake_run();
	expect(0, frame, 60);
}

static void nobody_gets_what_is_for_an_unknown_address(void **state)
{
	(void)state;
	three_ports();
	fake_start(true);
	fake_send(0, fake_frame(77, 1, 0, 60), 60);
	fake_send(0, fake_frame(1, 1, 0, 60), 60); /* to itself */
	fake_run();
	for (unsigned i = 0; i < 3; i++)
		expect_nothing(i);
}

static void reserved_destinations_stay(void **state)
{
	uint8_t *frame = fake_frame(0xff, 1, 0, 60);

	(void)state;
	three_ports();
	fake_start(true);
	for (unsigned last = 0; last < 32; last++) {
		memcpy(frame, (uint8_t[]){ 1, 0x80, 0xc2, 0, 0, (uint8_t)last }, 6);
		fake_send(0, frame, 60);
		fake_run();
		assert_int_equal(fake_drain(1), last >= 16);
		fake_drain(2);
	}
}

static void networks_are_apart(void **state)
{
	(void)state;
	fake_network("one", false);
	fake_network("two", false);
	for (uint8_t i = 0; i < 4; i++)
		fake_port(i % 2, (uint8_t)(i / 2 + 1)); /* the same addresses on both */
	fake_start(true);
	assert_string_equal(fake_log, "net: 2 networks, 4 ports, 0 NICs");
	fake_send(0, fake_frame(2, 1, 0, 60), 60);
	fake_send(0, fake_frame(0xff, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(2), 2);
	expect_nothing(1);
	expect_nothing(3);
}

static void frames_that_cannot_be(void **state)
{
	struct bh_frame record = { .bytes = 60 };

	(void)state;
	three_ports();
	fake_start(true);
	fake_send(0, fake_frame(2, 1, 0, 1515), 1515);
	fake_run();
	assert_int_equal(drops(0, BH_DROP_OVERSIZE), 1);
	fake_channel[0].out_writer.written += 7; /* less than a record */
	fake_events = 1;
	fake_run();
	assert_int_equal(drops(0, BH_DROP_MALFORMED), 1);
	fake_channel[0].out_writer.written = 0x12345678;
	fake_events = 1;
	fake_run();
	assert_int_equal(drops(0, BH_DROP_MALFORMED), 2);
	record.flags = BH_FRAME_NEEDS_CHECKSUM; /* not IP */
	record.csum_start = 40;
	fake_out[0].position = 0x12345678;
	fake_send_record(0, &record, fake_frame(2, 1, 0, 60));
	fake_run();
	assert_int_equal(drops(0, BH_DROP_MALFORMED), 3);
	expect_nothing(1);
	/* And the port works as before. */
	fake_send(0, fake_frame(2, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(1), 1);
}

/* ---- VLANs --------------------------------------------------------------------------------------- */

enum { UNTAGGED, TEN, TEN_TOO, TWENTY, TRUNK, TRUNK_TOO, VLAN_PORTS };

static void vlan_ports(void)
{
	static const uint16_t vlan[VLAN_PORTS] = { 0, 10, 10, 20 };

	fake_network("lan", true);
	for (uint8_t i = 0; i < VLAN_PORTS; i++) {
		struct bh_port *port = fake_port(0, (uint8_t)(i + 1));

		port->vlan = vlan[i];
		port->flags = i >= TRUNK ? BH_PORT_TRUNK : 0;
	}
	fake_start(true);
}

static unsigned vlan_of(unsigned port) { return port == TWENTY ? 20 : port == UNTAGGED ? 0 : 10; }

/* `from` sends with `tag`, to all or to `to` alone: who gets it, and with which tag? */
static void check_vlan(unsigned from, unsigned tag, bool all, unsigned to)
{
	unsigned vlan = from >= TRUNK ? tag : vlan_of(from);
	uint8_t address = all ? 0xff : (uint8_t)(to + 1);
	uint8_t wanted[80];

	assert_true(fake_send(from, fake_frame(address, (uint8_t)(from + 1), tag, tag ? 68 : 64), tag ? 68 : 64));
	fake_nic.sent = 0;
	fake_run();
	for (unsigned i = 0; i < VLAN_PORTS; i++) {
		bool gets = i != from && (all || i == to) && (i >= TRUNK || vlan_of(i) == vlan);
		bool tagged = i >= TRUNK && vlan;

		if (!gets) {
			expect_nothing(i);
			continue;
		}
		/* Payload goes along unchanged, wherever the tag was. */
		memcpy(wanted, fake_frame(address, (uint8_t)(from + 1), tag, 68), 68);
		if (tag && !tagged)
			memmove(wanted + 12, wanted + 16, 52);
		if (!tag && tagged) {
			memmove(wanted + 16, wanted + 12, 52);
			memcpy(wanted + 12, (uint8_t[]){ 0x81, 0, 0, (uint8_t)vlan }, 4);
		}
		expect(i, wanted, tagged ? 68 : 64);
	}
	assert_int_equal(fake_nic.sent, all);
	if (all)
		assert_int_equal(fake_nic.out[0].bytes, vlan ? 68 : 64);
	if (all && vlan)
		assert_int_equal(bytes_get16(fake_nic.out[0].data + 14), vlan);
}

static void vlan_matrix(void **state)
{
	static const unsigned tags[] = { 0, 10, 20, 30, BH_VLAN_MAX };

	(void)state;
	vlan_ports();
	for (unsigned from = 0; from < TRUNK; from++)
		for (unsigned to = 0; to < VLAN_PORTS; to++)
			if (to >= TRUNK || vlan_of(from) == vlan_of(to))
				check_vlan(from, 0, false, to);
	for (unsigned from = 0; from < TRUNK; from++)
		check_vlan(from, 0, true, 0);
	for (unsigned i = 0; i < 5; i++) {
		check_vlan(TRUNK, tags[i], true, 0);
		check_vlan(TRUNK, tags[i], false, TRUNK_TOO);
	}
	check_vlan(TRUNK, 10, false, TEN);
	check_vlan(TRUNK, 20, false, TWENTY);
	check_vlan(TRUNK, 0, false, UNTAGGED);
}

static void a_port_cannot_leave_its_vlan(void **state)
{
	static const unsigned tags[] = { 10, 20, 30, 4095 };

	(void)state;
	vlan_ports();
	for (unsigned i = 0; i < 4; i++) {
		fake_send(TEN, fake_frame(0xff, TEN + 1, tags[i], 68), 68);
		fake_send(UNTAGGED, fake_frame(0xff, UNTAGGED + 1, tags[i], 68), 68);
	}
	fake_run();
	assert_int_equal(drops(TEN, BH_DROP_VLAN), 4);
	assert_int_equal(drops(UNTAGGED, BH_DROP_VLAN), 4);
	/* The address of a port in another VLAN is no address here. */
	fake_nic.sent = 0;
	fake_send(TEN, fake_frame(TWENTY + 1, TEN + 1, 0, 60), 60);
	fake_run();
	for (unsigned i = 0; i < VLAN_PORTS; i++)
		expect_nothing(i);
	assert_int_equal(fake_nic.sent, 1);
}

static void tags_that_hide_tags(void **state)
{
	uint8_t *frame = fake_frame(0xff, TRUNK + 1, 10, 72);

	(void)state;
	vlan_ports();
	memcpy(frame + 16, (uint8_t[]){ 0x81, 0, 0, 20 }, 4);
	fake_send(TRUNK, frame, 72);
	memcpy(frame + 12, (uint8_t[]){ 0x88, 0xa8, 0, 20 }, 4);
	fake_send(TRUNK, frame, 72);
	frame = fake_frame(0xff, TRUNK + 1, 4095, 72);
	fake_send(TRUNK, frame, 72);
	fake_run();
	assert_int_equal(drops(TRUNK, BH_DROP_VLAN), 3);
	/* A tag that tells only a priority is no VLAN. */
	frame = fake_frame(0xff, UNTAGGED + 1, 0xe000, 72);
	fake_send(UNTAGGED, frame, 72);
	fake_run();
	assert_int_equal(drops(UNTAGGED, BH_DROP_VLAN), 0);
	assert_int_equal(fake_receive(TRUNK, got), 68);
	expect_nothing(TEN);
}

/* A tag with a priority only, from a port with a VLAN: it leaves with that VLAN, and never without one. */
static void a_priority_tag_leaves_with_its_vlan(void **state)
{
	(void)state;
	vlan_ports();
	fake_send(TEN, fake_frame(TRUNK + 1, TEN + 1, 0xe000, 68), 68);
	fake_run();
	assert_int_equal(fake_receive(TRUNK, got), 68);
	assert_int_equal(bytes_get16(got + 12), 0x8100);
	assert_int_equal(bytes_get16(got + 14), 0xe000 | 10);
	fake_nic.sent = 0;
	fake_send(TEN, fake_frame(0xff, TEN + 1, 0xe000, 68), 68);
	fake_run();
	assert_int_equal(fake_receive(TRUNK_TOO, got), 68);
	assert_int_equal(bytes_get16(got + 14), 0xe000 | 10);
	assert_int_equal(fake_nic.sent, 1);
	assert_int_equal(bytes_get16(fake_nic.out[0].data + 14), 0xe000 | 10);
}

static void priorities_stay(void **state)
{
	(void)state;
	vlan_ports();
	fake_send(TRUNK, fake_frame(TRUNK_TOO + 1, TRUNK + 1, 0xa00a, 68), 68);
	fake_run();
	assert_int_equal(fake_receive(TRUNK_TOO, got), 68);
	assert_int_equal(bytes_get16(got + 14), 0xa00a);
}

/* ---- addresses ----------------------------------------------------------------------------------- */

static void with_nic(void)
{
	fake_network("lan", true);
	fake_port(0, 1);
	fake_port(0, 2)->flags = BH_PORT_TRUSTED;
	fake_port(0, 3)->flags = BH_PORT_TRUSTED;
	fake_start(true);
}

static void learns_and_forgets(void **state)
{
	(void)state;
	with_nic();
	fake_send(0, fake_frame(50, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(1) + fake_drain(2), 2); /* it may be behind both, */
	assert_int_equal(fake_nic.sent, 1);		    /* or there */
	fake_send(1, fake_frame(1, 50, 0, 60), 60);
	fake_run();
	fake_send(0, fake_frame(50, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(1), 1);
	expect_nothing(2);
	assert_int_equal(fake_nic.sent, 1);
	/* It moves to the wire. */
	fake_wire(fake_frame(1, 50, 0, 60), 60);
	fake_run();
	fake_send(0, fake_frame(50, 1, 0, 60), 60);
	fake_run();
	expect_nothing(1);
	assert_int_equal(fake_nic.sent, 2);
	fake_pass(301 * 1000000ull);
	fake_send(0, fake_frame(50, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(1) + fake_drain(2), 2);
}

static void nobody_takes_anothers_address(void **state)
{
	(void)state;
	with_nic();
	fake_wire(fake_frame(2, 1, 0, 60), 60);
	fake_send(2, fake_frame(0xff, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(drops(BH_PORT_NIC(0), BH_DROP_SPOOFED), 1);
	assert_int_equal(drops(2, BH_DROP_SPOOFED), 1);
	expect_nothing(1);
	fake_drain(0);
	fake_send(1, fake_frame(1, 2, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(0), 1);
	/* Without trust it is another's address or none. */
	fake_send(0, fake_frame(0xff, 99, 0, 60), 60);
	fake_run();
	assert_int_equal(drops(0, BH_DROP_SPOOFED), 1);
}

static void the_second_with_an_address_is_refused(void **state)
{
	(void)state;
	fake_network("lan", false);
	fake_port(0, 1);
	fake_port(0, 2);
	fake_port(0, 1);
	fake_start(true);
	assert_non_null(strstr(fake_log, "port 2 of network lan has the addre"));
	fake_send(2, fake_frame(2, 1, 0, 60), 60);
	fake_send(0, fake_frame(2, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(drops(2, BH_DROP_SPOOFED), 1);
	assert_int_equal(fake_drain(1), 1);
	fake_send(1, fake_frame(1, 2, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(0), 1);
	expect_nothing(2);
}

/* ---- links, drivers, the NIC, restarts ----------------------------------------------------------- */

static void without_a_link_nothing_passes(void **state)
{
	(void)state;
	three_ports();
	fake_start(true);
	assert_int_equal(fake_channel[1].link, 1);
	assert_int_equal(fake_request(BH_NETWORK_LINK, 1, 0), 0);
	assert_int_equal(fake_channel[1].link, 0);
	assert_int_equal(fake_stat(1)->link, 0);
	fake_send(0, fake_frame(2, 1, 0, 60), 60);
	fake_send(0, fake_frame(0xff, 1, 0, 60), 60);
	fake_send(1, fake_frame(1, 2, 0, 60), 60);
	fake_run();
	expect_nothing(1);
	expect_nothing(0);
	assert_int_equal(drops(0, BH_DROP_LINK), 1);
	assert_int_equal(drops(1, BH_DROP_LINK), 1);
	assert_int_equal(fake_drain(2), 1);
	assert_int_equal(fake_request(BH_NETWORK_LINK, 1, 1), 0);
	assert_int_equal(fake_channel[1].link, 1);
	fake_channel[1].driver = 0; /* nobody would read it */
	fake_send(0, fake_frame(2, 1, 0, 60), 60);
	fake_run();
	expect_nothing(1);
	fake_channel[1].driver = 1;
	fake_send(0, fake_frame(2, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(1), 1);
}

static void the_nic_sends_and_receives(void **state)
{
	uint8_t *frame = fake_frame(1, 50, 0, 60);

	(void)state;
	with_nic();
	fake_wire(frame, 60);
	fake_run();
	expect(0, frame, 60);
	expect_nothing(1);
	frame = fake_frame(50, 1, 0, 40);
	fake_send(0, frame, 40);
	fake_run();
	assert_int_equal(fake_nic.sent, 1);
	assert_int_equal(fake_nic.out[0].bytes, 60); /* short ones are filled up */
	assert_memory_equal(fake_nic.out[0].data, frame, 40);
	assert_int_equal(fake_nic.out[0].data[40], 0);
}

static void a_nic_that_fails_stops_nothing_else(void **state)
{
	(void)state;
	with_nic();
	fake_wire(fake_frame(1, 50, 0, 60), 60);
	fake_run();
	fake_drain(0);
	fake_nic.runs = false;
	fake_pass(1000000);
	assert_string_equal(fake_stat(BH_PORT_NIC(0))->words, "fake: does not answer");
	assert_int_equal(fake_stat(BH_PORT_NIC(0))->link, 0);
	fake_send(0, fake_frame(50, 1, 0, 60), 60);
	fake_send(0, fake_frame(2, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(drops(0, BH_DROP_LINK), 1);
	assert_int_equal(fake_drain(1), 1);
	fake_nic.runs = true;
	fake_pass(1000000);
	fake_send(0, fake_frame(50, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_nic.sent, 1);
}

static void a_nic_that_starts_late_has_an_address(void **state)
{
	(void)state;
	fake_nic.runs = false;
	with_nic();
	assert_int_equal(fake_stat(BH_PORT_NIC(0))->mac[5], 0);
	fake_nic.runs = true;
	fake_pass(1000000);
	assert_int_equal(fake_stat(BH_PORT_NIC(0))->mac[5], 0x63);
}

static void goes_on_after_a_restart(void **state)
{
	uint8_t *frame = fake_frame(2, 1, 0, 60);

	(void)state;
	three_ports();
	fake_start(true);
	fake_send(0, frame, 60);
	fake_run();
	fake_request(BH_NETWORK_LINK, 2, 0);
	fake_send(0, frame, 60); /* the service has died before it sees this */
	fake_start(false);
	assert_int_equal(fake_drain(1), 2);
	assert_int_equal(fake_stat(0)->out_frames, 2);
	assert_int_equal(fake_channel[0].link, 1);
	assert_int_equal(fake_channel[2].link, 0); /* what was taken down stays so */
	fake_send(0, frame, 60);
	fake_run();
	expect(1, frame, 60);
}

static void nothing_without_channels(void **state)
{
	struct bh_port *port;

	(void)state;
	three_ports();
	port = fake_port(0, 4);
	port->network = 7; /* no such network */
	port = fake_port(0, 5);
	fake_start(true);
	assert_int_equal(fake_stat(3)->present, 0);
	assert_int_equal(fake_stat(4)->present, 1);
	fake_reset();
	fake_start(true); /* nothing at all */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_frame_goes_to_its_address_only, setup),
		cmocka_unit_test_setup(a_broadcast_goes_to_all_others, setup),
		cmocka_unit_test_setup(nobody_gets_what_is_for_an_unknown_address, setup),
		cmocka_unit_test_setup(reserved_destinations_stay, setup),
		cmocka_unit_test_setup(networks_are_apart, setup),
		cmocka_unit_test_setup(frames_that_cannot_be, setup),
		cmocka_unit_test_setup(vlan_matrix, setup),
		cmocka_unit_test_setup(a_port_cannot_leave_its_vlan, setup),
		cmocka_unit_test_setup(tags_that_hide_tags, setup),
		cmocka_unit_test_setup(a_priority_tag_leaves_with_its_vlan, setup),
		cmocka_unit_test_setup(priorities_stay, setup),
		cmocka_unit_test_setup(learns_and_forgets, setup),
		cmocka_unit_test_setup(nobody_takes_anothers_address, setup),
		cmocka_unit_test_setup(the_second_with_an_address_is_refused, setup),
		cmocka_unit_test_setup(without_a_link_nothing_passes, setup),
		cmocka_unit_test_setup(the_nic_sends_and_receives, setup),
		cmocka_unit_test_setup(a_nic_that_fails_stops_nothing_else, setup),
		cmocka_unit_test_setup(a_nic_that_starts_late_has_an_address, setup),
		cmocka_unit_test_setup(goes_on_after_a_restart, setup),
		cmocka_unit_test_setup(nothing_without_channels, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
