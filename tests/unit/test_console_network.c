/* net, link and tap from typed keys to what is shown, on a fake net service that may be dead, silent or hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "fake_console.h"
#include "guests/console/contact.h"

static struct bh_network_channel *const channel = &fake_network.channel;

static int start(bool there)
{
	if (attach_peer())
		attach_input(ATTACH_ESCAPE);
	fake_networks = there;
	fake_start();
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	return start(true);
}

static int without(void **state)
{
	(void)state;
	return start(false);
}

static void shows(const char *keys, const char *expected)
{
	const char *shown = fake_type(keys);

	if (!strstr(shown, expected))
		fail_msg("typed: %s\nexpected: %s\nshown: %s", keys, expected, shown);
}

static void shows_not(const char *keys, const char *unexpected)
{
	const char *shown = fake_type(keys);

	if (strstr(shown, unexpected))
		fail_msg("typed: %s\nunexpected: %s\nshown: %s", keys, unexpected, shown);
}

/* ---- net ---- */

static void net_shows_ports_by_network(void **state)
{
	struct bh_port_stat *port = &channel->port[LINUX1_0];
	const char *shown;

	(void)state;
	port->out_frames = 12;
	port->out_bytes = 1536;
	port->in_frames = 1ull << 40;
	port->drops[BH_DROP_SPOOFED] = 3;
	port->drops[BH_DROP_DEVICE] = 1;
	channel->port[BETA_0].link = 0;
	shown = fake_type("net\r");
	assert_non_null(strstr(shown, "\r\nlan: MTU 1500, with an uplink\r\n"
				      "linux1.0     52:54:00:00:00:00          - out         12   1.5 KiB         -  "
				      "       -\r\n"
				      "             link up                      in  1099511627776"));
	assert_non_null(strstr(shown, "\r\n    dropped: spoofed 3, NIC error 1\r\n"
				      "beta.0       52:54:00:00:00:02        100 out "));
	assert_non_null(strstr(shown, "             link down, no driver         in "));
	assert_non_null(strstr(shown, "\r\nlan.nic      00:00:00:00:00:00          - out "));
	assert_non_null(strstr(shown, "\r\n    e1000e: no . link\r\n"));
	assert_non_null(strstr(shown, "\r\ndmz: MTU 9000, isolated\r\nlinux1.1     52:54:00:00:00:01      trunk out"));
}

static void net_chooses_by_name(void **state)
{
	const char *shown;

	(void)state;
	shown = fake_type("net dmz\r");
	assert_non_null(strstr(shown, "linux1.1"));
	assert_null(strstr(shown, "linux1.0"));
	shown = fake_type("net linux1\r");
	assert_non_null(strstr(shown, "lan:"));
	assert_non_null(strstr(shown, "linux1.0"));
	assert_non_null(strstr(shown, "linux1.1"));
	assert_null(strstr(shown, "beta"));
	shown = fake_type("net lan.nic\r");
	assert_non_null(strstr(shown, "e1000e"));
	assert_null(strstr(shown, "beta"));
	assert_null(strstr(shown, "dmz"));
	shows("net lam\r", "There is no network or port lam. Did you mean lan?");
	shows("net zzzz\r", "There are lan, dmz, linux1.0, beta.0, lan.nic, linux1.1.");
	shows("net lan dmz\r", "net takes fewer words. Usage: net [-k|-m] [NAME]");
}

/* A fake second is HZ ticks; typing takes a little. */
static void rates_are_since_the_last_time(void **state)
{
	struct bh_port_stat *port = &channel->port[LINUX1_0];
	uint64_t began;

	(void)state;
	shows("net linux1.0\r", "        -         -\r\n");
	began = fake_now;
	port->out_frames = 50000;
	port->in_bytes = 10 << 20;
	fake_now = began + 10 * HZ - 3 * STEP;
	shows("net linux1.0\r", "out      50000       0 B      5000       0 B\r\n");
	began = fake_now;
	fake_now = began + 10 * HZ - 3 * STEP;
	shows("net linux1.0\r", "link up                      in           0    10 MiB         0       0 B\r\n");
	/* Numbers that began anew tell nothing about what was before. */
	fake_network_life += 2;
	shows("net linux1.0\r", "50000       0 B         -         -\r\n");
}

static void net_for_programs(void **state)
{
	const char *shown;

	(void)state;
	channel->port[LINUX1_0].in_frames = UINT64_MAX;
	channel->port[LINUX1_0].drops[BH_DROP_LINK] = 7;
	channel->tap_on[LAN] = 1;
	channel->tap_lost = 5;
	shown = fake_type("net -k\r");
	assert_non_null(strstr(shown, "\r\nport.linux1.0.in_frames 18446744073709551615\r\n"));
	assert_non_null(strstr(shown, "\r\nport.linux1.0.drops.link_down 7\r\n"));
	assert_non_null(strstr(shown, "\r\nport.lan.nic.drops.nic_error 0\r\n"));
	assert_non_null(strstr(shown, "\r\nport.beta.0.vlan 100\r\n"));
	assert_non_null(strstr(shown, "\r\nnetwork.lan.uplink 1\r\n"));
	assert_non_null(strstr(shown, "\r\nnetwork.lan.tap 1\r\n"));
	assert_non_null(strstr(shown, "\r\ntap_lost 5\r\n"));
	assert_non_null(strstr(shown, "\r\nservice 1\r\n"));
	assert_non_null(strstr(shown, "\r\ntsc_hz 1000000\r\n"));
	shown = fake_type("net -k dmz\r");
	assert_null(strstr(shown, "lan."));
	assert_non_null(strstr(shown, "port.linux1.1.link 1"));
}

static uint64_t seven(unsigned argument) { return 7 + argument; }

static void pools_for_programs(void **state)
{
	(void)state;
	contact_add_pool(&(struct contact_pool){ "ip.heap_bytes", 100, seven, 0 });
	contact_add_pool(&(struct contact_pool){ "ip.timers", 0, seven, 1 });
	shows("address -k\r", "ip.heap_bytes 7\r\nip.heap_bytes.room 100\r\nip.timers 8\r\n");
}

static void learned_addresses(void **state)
{
	const char *shown;

	(void)state;
	shows("net -m\r", "No address has been learned.");
	channel->macs = 20;
	for (unsigned i = 0; i < 20; i++)
		channel->mac[i] = (struct bh_mac_entry){
			{ 2, 0, 0, 0, 0, (uint8_t)i }, i, i % 2, i % 2 ? LINUX1_1 : BH_PORT_NIC(LAN), i
		};
	shown = fake_type("net -m\r");
	assert_non_null(strstr(shown, "\r\n02:00:00:00:00:00     - lan              lan.nic                 0 s\r\n"));
	assert_non_null(strstr(shown, "\r\n02:00:00:00:00:13    19 dmz              linux1.1               19 s\r\n"));
	shows_not("net -m dmz\r", "lan");
	shows_not("net -m lan.nic\r", "dmz");
	assert_int_equal(fake_network_requests, 4);
	/* What cannot be. */
	channel->macs = UINT32_MAX;
	channel->mac[0].network = channel->mac[0].port = 0xffff;
	shows("net -m\r", "02:00:00:00:00:00     - ?                ?                       0 s");
}

/* ---- link ---- */

static void link_up_and_down(void **state)
{
	(void)state;
	shows("link beta down\r", "beta.0: link taken down.");
	assert_int_equal(channel->port[BETA_0].admin, 0);
	shows("net beta\r", "taken down, no driver");
	shows("link beta.0 up\r", "beta.0: link up.");
	assert_int_equal(channel->port[BETA_0].admin, 1);
	shows("link lan.nic down\r", "lan.nic: link taken down.");
	assert_int_equal(channel->port[BH_PORT_NIC(LAN)].admin, 0);
	shows("link lan.nic up\r", "lan.nic: no longer taken down, but its link is down.");
	shows("link linux1 down\r", "linux1 has 2 ports: linux1.0, linux1.1.");
	shows("link bet down\r", "There is no port bet. Did you mean beta.0?");
	shows("link lan down\r", "There is no port lan. Did you mean lan.nic?");
	shows("link beta off\r", "A link goes up or down, not off.");
	shows("link beta\r", "link takes a port's name, and up or down. Usage: link NAME up|down");
	shows("link\r", "link takes a port's name");
	assert_int_equal(fake_network_requests, 4);
	fake_network_result = -BH_EINVAL;
	shows("link beta down\r", "The net service refused.");
}

static void a_dead_service_is_named(void **state)
{
	(void)state;
	fake_network_life = 4;
	fake[NET].state = BH_STATE_STOPPED;
	fake[NET].cause = BH_CAUSE_FAILED;
	shows("link beta down\r", "The net service does not run: it is failed; `report net` may say why.");
	shows("net\r", "These are the numbers that it left:");
	shows("net -m\r", "The net service does not run");
	shows("tap lan\r", "The net service does not run");
	shows("net -k\r", "\r\nservice 0\r\n");
	assert_int_equal(channel->request, 0);
}

static void a_silent_service_is_not_waited_for_for_ever(void **state)
{
	uint64_t began = fake_now;

	(void)state;
	fake_network_silent = true;
	shows("link beta down\r", "The net service runs, but does not answer; it may still do it.");
	assert_true(fake_now - began < 4 * HZ);
	/* Nothing is changed that it may be reading. */
	shows("link lan.nic down\r", "does not answer");
	assert_int_equal(channel->request, 1);
	assert_int_equal(channel->a, BETA_0);
	/* Alive again, it does what it was asked first. */
	fake_network_silent = false;
	shows("link lan.nic down\r", "lan.nic: link taken down.");
	assert_int_equal(channel->port[BETA_0].admin, 0);
	fake_network_silent = true;
	began = fake_now;
	shows("link beta up\r\x03", "The net service had not answered; it may still do it.");
	assert_true(fake_now - began < HZ);
}

static void dies_while_asked(void)
{
	if (channel->request)
		fake_network_life &= ~1;
}

static void a_service_that_ends_before_it_answers(void **state)
{
	(void)state;
	fake_network_more = dies_while_asked;
	shows("link beta down\r", "The net service does not run");
	assert_int_equal(channel->request, 1);
}

/* A service that was started anew has to be told again that it was asked. */
static void starts_anew(void) { fake_network_silent = fake_network_heard < 3; }

static void a_service_that_missed_the_signal(void **state)
{
	(void)state;
	fake_network_more = starts_anew;
	shows("link beta down\r", "beta.0: link taken down.");
}

/* The console may be started anew as well. */
static void requests_go_on_after_a_restart(void **state)
{
	(void)state;
	channel->request = 41;
	channel->answered = 41;
	network_start(&fake_records);
	shows("link beta down\r", "link taken down");
	assert_int_equal(channel->request, 42);
}

static void words_without_networks(void **state)
{
	(void)state;
	shows("net\r", "There are no networks; [network NAME] in bulkhead.conf makes one.");
	shows("tap lan\r", "There are no networks");
	shows("link a up\r", "There are no networks");
	fake_records.networks = 1;
	strcpy(fake_records.network[0].name, "lan");
	network_start(&fake_records);
	shows("net\r", "The console has no channel to the net service.");
	shows("link a up\r", "The console has no channel to the net service.");
	shows("tap lan\r", "The console has no channel to the net service.");
}

/* ---- tap ---- */

static const uint8_t arp[60] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0,  6, 4, 0,
	1,    0x52, 0x54, 0,	0,    0,    1,	  10,	0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2
};
static unsigned wait_count;

/* Two frames a while after the tap is on, one of another network; then Ctrl-C. */
static void frames_pass(void)
{
	if (!channel->tap_on[LAN])
		return;
	switch (++wait_count) {
	case 3: fake_tap(LAN, LINUX1_0, 3723 * (uint64_t)HZ + 456, arp, sizeof(arp), sizeof(arp)); break;
	case 5: fake_tap(DMZ, LINUX1_1, 0, arp, sizeof(arp), sizeof(arp)); break;
	case 6: fake_tap(LAN, BH_PORT_NIC(LAN), 3723 * (uint64_t)HZ + 999999, arp, 21, 1500); break;
	case 7: channel->tap_lost += 4; break;
	case 100: fake_typed = "\x03"; break;
	}
}

static int tapping(void **state)
{
	(void)state;
	start(true);
	wait_count = 0;
	fake_network_more = frames_pass;
	return 0;
}

static void tap_shows_frames_in_words(void **state)
{
	const char *shown;

	(void)state;
	fake_info.wall_seconds = 1700000000; /* 22:13:20 UTC */
	fake_info.wall_tsc = 3720 * HZ;
	shown = fake_type("tap lan\r");
	assert_non_null(strstr(shown, "Tapping lan; Ctrl-C ends it.\r\n"
				      "22:13:23.000456 linux1.0 ARP, Request who-has 10.0.0.2 tell 10.0.0.1, "
				      "length 46\r\n"
				      "22:13:23.999999 lan.nic ARP, [|arp]\r\n"));
	assert_non_null(strstr(shown, "\r\n[4 lost]\r\n2 frames shown, 4 lost: the line is too slow for them.\r\n"
				      "\rbulkhead> "));
	assert_int_equal(channel->tap_on[LAN], 0);
	assert_int_equal(channel->tap_read, channel->tap_written);
}

static void tap_ends_by_itself(void **state)
{
	(void)state;
	shows("tap lan 1\r", "length 46\r\n1 frame shown.\r\n");
	assert_int_equal(channel->tap_on[LAN], 0);
	shows("tap lan 0\r", "COUNT is a number from 1 to 1000000, not 0.");
	shows("tap\r", "tap takes a network's name. Usage: tap [-p] NETWORK [COUNT]");
	shows("tap dnz\r", "There is no network dnz. Did you mean dmz?");
}

/* The bytes of the text between the two markers. */
static size_t decode(const char *shown, uint8_t *to)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strstr(shown, "-----BEGIN PCAP-----\r\n"), *end = strstr(shown, "-----END PCAP-----\r\n");
	uint32_t bits = 0;
	size_t count = 0;
	unsigned letter = 0;

	assert_non_null(at);
	assert_non_null(end);
	for (at += 22; at < end; at++) {
		const char *found = strchr(letters, *at);

		if (!found || !*at)
			continue;
		bits = bits << 6 | (uint32_t)(found - letters);
		if (letter++ % 4)
			to[count++] = (uint8_t)(bits >> (6 - 2 * ((letter - 1) % 4)));
	}
	return count;
}

static void tap_as_a_file(void **state)
{
	static const uint8_t second[] = { 0x8b, 0xe, 0, 0, 0x3f, 0x42, 0xf, 0, 21, 0, 0, 0, 0xdc, 5, 0, 0 };
	uint8_t file[1000];
	size_t bytes;
	const char *shown;

	(void)state;
	shown = fake_type("tap -p lan\r");
	bytes = decode(shown, file);
	assert_int_equal(bytes, 24 + 16 + 60 + 16 + 21);
	assert_memory_equal(file, "\xd4\xc3\xb2\xa1", 4);
	assert_memory_equal(file + 24 + 16, arp, 60);
	assert_memory_equal(file + 24 + 16 + 60, second, 16);
	assert_memory_equal(file + 24 + 16 + 60 + 16, arp, 21);
	assert_non_null(strstr(shown, "-----END PCAP-----\r\n2 frames shown, 4 lost"));
	assert_null(strstr(shown, "[4 lost]"));
}

/* A large frame, around the ring's end. */
static void big_frames_pass(void)
{
	static uint8_t big[65520];

	for (unsigned i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + i / 256);
	if (channel->tap_on[LAN] && ++wait_count % 4 == 1)
		fake_tap(LAN, LINUX1_0, 0, big, sizeof(big), sizeof(big));
}

static void tap_of_large_frames(void **state)
{
	static uint8_t file[8 * 65600];
	const char *shown;

	(void)state;
	fake_network_more = big_frames_pass;
	/* What is shown is kept in 256 KiB. */
	shown = fake_type("tap -p lan 2\r");
	assert_int_equal(decode(shown, file), 24 + 2 * (16 + 65520));
	assert_int_equal(file[24 + 16 + 16 + 65520 + 65519], (uint8_t)(65519 * 7 + 65519 / 256));
	for (unsigned i = 0; i < 5; i++) {
		start(true);
		wait_count = 0;
		channel->tap_written = channel->tap_read = BH_TAP_BYTES - 16 * (i + 1);
		fake_network_more = big_frames_pass;
		shown = fake_type("tap -p lan 1\r");
		assert_int_equal(decode(shown, file), 24 + 16 + 65520);
		assert_int_equal(file[24 + 16 + 65519], (uint8_t)(65519 * 7 + 65519 / 256));
	}
}

/* Each of these is thrown away, and the next good frame is shown. */
static void nonsense_passes(void)
{
	struct bh_tap_record record = { 0, 60, 60, LINUX1_0, LAN };

	if (!channel->tap_on[LAN])
		return;
	switch (++wait_count) {
	case 4: channel->tap_written += 8; break; /* not even a header */
	case 8: channel->tap_written += BH_TAP_BYTES + 16; break;
	case 12: record.kept = 61; break; /* more than it has */
	case 16: record.bytes = BH_FRAME_MAX + 9; break;
	case 20: record.bytes = record.kept = 13; break;
	case 24: fake_tap(LAN, 255, 0, arp, sizeof(arp), sizeof(arp)); break; /* from nowhere */
	case 50: fake_typed = "\x03"; break;
	}
	if (wait_count == 12 || wait_count == 16 || wait_count == 20) {
		fake_tap_put(&record, sizeof(record));
		fake_tap_put(arp, 60);
	}
}

static void a_ring_that_cannot_be(void **state)
{
	(void)state;
	fake_network_more = nonsense_passes;
	shows("tap lan\r", " ? ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 46\r\n"
			   "1 frame shown, 5 times something that cannot be was thrown away.\r\n");
}

static void service_ends(void)
{
	if (channel->tap_on[LAN] && ++wait_count == 5) {
		fake_tap(LAN, LINUX1_0, 0, arp, sizeof(arp), sizeof(arp));
		fake_network_life += 2; /* and is there again at once */
	}
}

static void tap_ends_with_the_service(void **state)
{
	(void)state;
	fake_network_more = service_ends;
	shows("tap lan\r", "length 46\r\n1 frame shown.\r\nThe net service ended.\r\n");
}

/* What was not switched on for sure is switched off. */
static void tap_of_a_silent_service(void **state)
{
	(void)state;
	fake_network_silent = true;
	shows("tap lan\r", "does not answer");
	assert_int_equal(channel->operation, BH_NETWORK_TAP);
	assert_int_equal(channel->b, 0);
	fake_network_silent = false;
	shows("link beta down\r", "taken down");
	assert_int_equal(channel->tap_on[LAN], 0);
}

/* More than any line takes, for ever: Ctrl-C is heard all the same. */
static void flood(void)
{
	if (!channel->tap_on[LAN])
		return;
	while (channel->tap_written - channel->tap_read < BH_TAP_BYTES - 80)
		fake_tap(LAN, LINUX1_0, 0, arp, sizeof(arp), sizeof(arp));
	channel->tap_lost++;
	if (++wait_count == 10)
		fake_typed = "\x03";
}

static void a_flood_can_be_ended(void **state)
{
	(void)state;
	fake_network_more = flood;
	shows("tap lan\r", " frames shown, ");
	assert_int_equal(channel->tap_on[LAN], 0);
}

/* ---- the rest ---- */

static void tab_completes_networks_and_ports(void **state)
{
	(void)state;
	shows("tap d\t", "tap dmz ");
	shows("\x15"
	      "tap -p l\t",
	      "tap -p lan ");
	shows("\x15link bet\td\t\r", "beta.0: link taken down.");
	shows("link \t", "linux1.0  beta.0  lan.nic  linux1.1  ");
	shows("\x15net lan\t\t", "lan  lan.nic  ");
	shows("\x15net -m dm\t", "net -m dmz ");
	shows("\x15help ta\t\r", "tap [-p] NETWORK [COUNT]:");
}

/* The service's terminal is another channel than "network". */
static void the_service_has_a_terminal(void **state)
{
	(void)state;
	fake_print(NET, "net: e1000e at 00:03.0\r\n");
	fake_loop();
	shows("attach net\r", "net: e1000e at 00:03.0");
	fake_type("x");
	assert_string_equal(fake_read(NET), "x");
	assert_int_equal(channel->request, 0);
}

/* A partition of that name: its terminal is the channel of a terminal's size. */
static void a_partition_called_network(void **state)
{
	struct bh_info_handle *handle = fake_info.handle;

	(void)state;
	for (unsigned i = 0; i < fake_info.handles; i++)
		if (!strcmp(handle[i].name, "hello"))
			strcpy(handle[i].name, "network");
	for (unsigned i = 0; i < peer_count; i++)
		free(peers[i].scrollback.data);
	peers_start();
	network_start(&fake_records);
	assert_ptr_equal(peers_find("network")->terminal.reader.data, fake[HELLO].terminal.out);
	shows("link beta down\r", "link taken down");
}

static void pci_and_iommu(void **state)
{
	(void)state;
	shows("pci\r", "00:03.0 8086:10d3 . net\r\n");
	shows("iommu\r", "The kernel says nothing about an IOMMU.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(net_shows_ports_by_network, fresh),
		cmocka_unit_test_setup(net_chooses_by_name, fresh),
		cmocka_unit_test_setup(rates_are_since_the_last_time, fresh),
		cmocka_unit_test_setup(net_for_programs, fresh),
		cmocka_unit_test_setup(pools_for_programs, fresh),
		cmocka_unit_test_setup(learned_addresses, fresh),
		cmocka_unit_test_setup(link_up_and_down, fresh),
		cmocka_unit_test_setup(a_dead_service_is_named, fresh),
		cmocka_unit_test_setup(a_silent_service_is_not_waited_for_for_ever, fresh),
		cmocka_unit_test_setup(a_service_that_ends_before_it_answers, fresh),
		cmocka_unit_test_setup(a_service_that_missed_the_signal, fresh),
		cmocka_unit_test_setup(requests_go_on_after_a_restart, fresh),
		cmocka_unit_test_setup(words_without_networks, without),
		cmocka_unit_test_setup(tap_shows_frames_in_words, tapping),
		cmocka_unit_test_setup(tap_ends_by_itself, tapping),
		cmocka_unit_test_setup(tap_as_a_file, tapping),
		cmocka_unit_test_setup(tap_of_large_frames, tapping),
		cmocka_unit_test_setup(a_ring_that_cannot_be, tapping),
		cmocka_unit_test_setup(tap_ends_with_the_service, tapping),
		cmocka_unit_test_setup(tap_of_a_silent_service, fresh),
		cmocka_unit_test_setup(a_flood_can_be_ended, tapping),
		cmocka_unit_test_setup(tab_completes_networks_and_ports, fresh),
		cmocka_unit_test_setup(the_service_has_a_terminal, fresh),
		cmocka_unit_test_setup(a_partition_called_network, fresh),
		cmocka_unit_test_setup(pci_and_iommu, fresh),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (unsigned i = 0; i < peer_count; i++)
		free(peers[i].scrollback.data);
	return failed;
}
