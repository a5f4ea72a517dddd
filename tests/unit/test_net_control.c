/* What the console asks and sees: links, the table, the tap, counters; and that it can disturb nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "guests/net/bytes.h"
#include "guests/net/events.h"
#include "net_fakes.h"

static uint8_t got[BH_FRAME_MAX];

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_network("lan", true);
	fake_network("other", false);
	fake_port(0, 1);
	fake_port(0, 2);
	fake_port(1, 3)->vlan = 7;
	fake_port(1, 4)->vlan = 7;
	fake_start(true);
	return 0;
}

static void send(unsigned from, uint8_t to, uint32_t bytes)
{
	fake_send(from, fake_frame(to, (uint8_t)(from + 1), 0, bytes), bytes);
	fake_run();
}

static void refuses_what_is_not_there(void **state)
{
	static const uint32_t links[] = { 4, 31, BH_PORT_NIC(1), BH_PORT_NUMBERS, UINT32_MAX };

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(fake_request(BH_NETWORK_LINK, links[i], 0), -BH_EINVAL);
	assert_int_equal(fake_request(BH_NETWORK_LINK, 0, 2), -BH_EINVAL);
	assert_int_equal(fake_request(BH_NETWORK_TAP, 2, 1), -BH_EINVAL);
	assert_int_equal(fake_request(BH_NETWORK_TAP, UINT32_MAX, 1), -BH_EINVAL);
	assert_int_equal(fake_request(BH_NETWORK_TAP, 0, 2), -BH_EINVAL);
	assert_int_equal(fake_request(0, 0, 0), -BH_EINVAL);
	assert_int_equal(fake_request(BH_NETWORK_PORTS + 1, 0, 0), -BH_EINVAL);
	assert_int_equal(fake_console_signals, 11);
	send(0, 2, 60);
	assert_int_equal(fake_drain(1), 1);
}

/* A port that is removed carries nothing any more, one that comes does, and the others are none the worse. */
static void ports_come_and_go(void **state)
{
	struct bh_port gone = fake_records.port[1];

	(void)state;
	memset(&fake_records.port[1], 0, sizeof(gone));
	assert_int_equal(fake_request(BH_NETWORK_PORTS, 0, 0), 0);
	assert_false(fake_console.port[1].present);
	assert_int_equal(fake_request(BH_NETWORK_LINK, 1, 1), -BH_EINVAL);
	send(0, 2, 60);
	assert_int_equal(fake_drain(1), 0);
	fake_records.port[1] = gone;
	assert_int_equal(fake_request(BH_NETWORK_PORTS, 0, 0), 0);
	assert_true(fake_console.port[1].present);
	send(0, 2, 60);
	assert_int_equal(fake_drain(1), 1);
}

static void an_answer_comes_once(void **state)
{
	(void)state;
	fake_request(BH_NETWORK_TABLE, 0, 0);
	fake_console_signals = 0;
	fake_events |= 1ull << EVENT_CONSOLE;
	fake_run();
	assert_int_equal(fake_console_signals, 0);
}

static void answers_what_its_former_life_left(void **state)
{
	(void)state;
	fake_console.operation = BH_NETWORK_LINK;
	fake_console.a = 1;
	fake_console.b = 0;
	fake_console.request++;
	fake_start(false);
	assert_int_equal(fake_console.answered, fake_console.request);
	assert_int_equal(fake_console_signals, 1);
	assert_int_equal(fake_stat(1)->admin, 0);
}

static void takes_links_down_and_up(void **state)
{
	(void)state;
	memset(fake_signals, 0, sizeof(fake_signals));
	fake_log[0] = 0;
	assert_int_equal(fake_request(BH_NETWORK_LINK, 1, 0), 0);
	assert_int_equal(fake_signals[1], 1);
	assert_string_equal(fake_log, "net: port 1 of network lan is taken down");
	assert_int_equal(fake_stat(1)->admin, 0);
	assert_int_equal(fake_request(BH_NETWORK_LINK, 1, 0), 0); /* is it already */
	assert_int_equal(fake_signals[1], 1);
	assert_int_equal(fake_request(BH_NETWORK_LINK, BH_PORT_NIC(0), 0), 0);
	assert_int_equal(fake_stat(BH_PORT_NIC(0))->link, 0);
	fake_wire(fake_frame(1, 50, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_stat(BH_PORT_NIC(0))->drops[BH_DROP_LINK], 1);
	assert_int_equal(fake_drain(0), 0);
	assert_int_equal(fake_request(BH_NETWORK_LINK, BH_PORT_NIC(0), 1), 0);
	fake_wire(fake_frame(1, 50, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(0), 1);
}

static const struct bh_mac_entry *entry_of(uint8_t last)
{
	for (unsigned i = 0; i < fake_console.macs; i++)
		if (fake_console.mac[i].mac[5] == last)
			return &fake_console.mac[i];
	return NULL;
}

static void lists_the_table(void **state)
{
	(void)state;
	fake_wire(fake_frame(1, 50, 20, 68), 68);
	fake_run();
	fake_pass(12000000);
	assert_int_equal(fake_request(BH_NETWORK_TABLE, 0, 0), 0);
	assert_int_equal(fake_console.macs, 5);
	assert_int_equal(entry_of(50)->port, BH_PORT_NIC(0));
	assert_int_equal(entry_of(50)->vlan, 20);
	assert_int_equal(entry_of(50)->age, 12);
	assert_int_equal(entry_of(4)->network, 1);
	assert_int_equal(entry_of(4)->vlan, 7);
	assert_int_equal(entry_of(4)->age, 0);
}

static void shows_states(void **state)
{
	(void)state;
	assert_int_equal(fake_stat(0)->present, 1);
	assert_int_equal(fake_stat(4)->present, 0);
	assert_int_equal(fake_stat(0)->mac[5], 1);
	assert_int_equal(fake_stat(0)->driver, 1);
	fake_channel[0].driver = 0;
	fake_pass(1000000);
	assert_int_equal(fake_stat(0)->driver, 0);
	assert_string_equal(fake_stat(BH_PORT_NIC(0))->words, "fake");
	assert_int_equal(fake_stat(BH_PORT_NIC(0))->link, 1);
	fake_nic.link = false;
	fake_pass(1000000);
	assert_int_equal(fake_stat(BH_PORT_NIC(0))->link, 0);
}

/* ---- the tap ------------------------------------------------------------------------------------- */

static uint32_t tap_at;

static bool tap_next(struct bh_tap_record *record)
{
	if (tap_at == fake_console.tap_written)
		return false;
	for (uint32_t i = 0; i < sizeof(*record); i++)
		((uint8_t *)record)[i] = fake_console.tap[(tap_at + i) % BH_TAP_BYTES];
	for (uint32_t i = 0; i < record->kept; i++)
		got[i] = fake_console.tap[(tap_at + 16 + i) % BH_TAP_BYTES];
	tap_at += 16 + ((record->kept + 15u) & ~15u);
	fake_console.tap_read = tap_at;
	return true;
}

static void taps_one_network(void **state)
{
	struct bh_tap_record record;

	(void)state;
	tap_at = 0;
	send(0, 2, 60);
	assert_false(tap_next(&record));
	fake_log[0] = 0;
	assert_int_equal(fake_request(BH_NETWORK_TAP, 1, 1), 0);
	assert_string_equal(fake_log, "net: tap of other is on");
	assert_int_equal(fake_console.tap_on[1], 1);
	fake_console_signals = 0;
	for (uint32_t bytes = 14; bytes < 1500; bytes += 3) {
		send(0, 2, 60);
		send(2, 4, bytes);
		assert_true(tap_next(&record));
		assert_int_equal(record.bytes, bytes + 4); /* as on the network: with its tag */
		assert_int_equal(record.kept, bytes + 4);
		assert_int_equal(record.port, 2);
		assert_int_equal(record.network, 1);
		assert_true(record.tsc == fake_now);
		assert_int_equal(bytes_get32(got + 12), 0x81000007);
		assert_memory_equal(got + 16, fake_frame(4, 3, 0, bytes) + 12, bytes - 12);
		assert_false(tap_next(&record));
		fake_drain(3);
		fake_drain(1);
	}
	assert_int_equal(fake_console_signals, 496); /* each found it empty */
	assert_int_equal(fake_request(BH_NETWORK_TAP, 1, 0), 0);
	send(2, 4, 60);
	assert_false(tap_next(&record));
	assert_int_equal(fake_console.tap_on[1], 0);
}

static void a_full_tap_loses_and_counts(void **state)
{
	struct bh_tap_record record;
	unsigned kept = 0;

	(void)state;
	tap_at = 0;
	fake_request(BH_NETWORK_TAP, 0, 1);
	for (unsigned i = 0; i < 1000; i++) {
		send(0, 2, 1514);
		fake_drain(1);
	}
	while (tap_next(&record))
		kept++;
	assert_int_equal(kept, BH_TAP_BYTES / 1536);
	assert_int_equal(fake_console.tap_lost, 1000 - kept);
	/* A position that cannot be: nothing is written. */
	fake_console.tap_read = tap_at + 1;
	send(0, 2, 1514);
	assert_false(tap_next(&record));
	fake_console.tap_read = tap_at;
	send(0, 2, 1514);
	assert_true(tap_next(&record));
	assert_int_equal(fake_stat(0)->out_frames, 1002);
	/* After a restart it is off, and the ring goes on. */
	fake_start(false);
	assert_int_equal(fake_console.tap_on[0], 0);
	fake_request(BH_NETWORK_TAP, 0, 1);
	fake_drain(1);
	send(0, 2, 60);
	assert_true(tap_next(&record));
	assert_int_equal(record.bytes, 60);
}

/* The console writes what it likes over its whole channel: the switch does not care. */
static void the_console_disturbs_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		uint32_t answered = fake_console.answered;

		memset(&fake_console, (int)i, sizeof(fake_console));
		fake_console.operation = i % 5;
		fake_console.answered = fake_console.request = answered;
		send(0, 2, 60);
		send(2, 4, 60);
		fake_pass(1000000);
		assert_int_equal(fake_drain(1), 1);
		assert_int_equal(fake_drain(3), 1);
		assert_int_equal(fake_channel[0].link, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(refuses_what_is_not_there, setup),
		cmocka_unit_test_setup(ports_come_and_go, setup),
		cmocka_unit_test_setup(an_answer_comes_once, setup),
		cmocka_unit_test_setup(answers_what_its_former_life_left, setup),
		cmocka_unit_test_setup(takes_links_down_and_up, setup),
		cmocka_unit_test_setup(lists_the_table, setup),
		cmocka_unit_test_setup(shows_states, setup),
		cmocka_unit_test_setup(taps_one_network, setup),
		cmocka_unit_test_setup(a_full_tap_loses_and_counts, setup),
		cmocka_unit_test_setup(the_console_disturbs_nothing, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
