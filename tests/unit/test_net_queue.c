/* Turns: floods are not felt by others, full destinations block nobody, rates and limits hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "guests/net/port.h"
#include "guests/net/service.h"
#include "net_fakes.h"

#define BIG 65000u

static struct bh_frame big;
static uint8_t big_data[BIG];

/* Ports 0 and 1 are a pair, 2 floods, 3 is there. All take large segments. */
static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_network("lan", false);
	for (uint8_t i = 1; i <= 4; i++)
		fake_port(0, i);
	return 0;
}

static void start(void)
{
	fake_start(true);
	for (unsigned i = 0; i < fake_records.ports; i++)
		fake_channel[i].offloads = BH_OFFLOAD_CHECKSUM | BH_OFFLOAD_TCPV4;
	memcpy(big_data, fake_frame(2, 1, 0, BIG), BIG);
	memcpy(big_data + 12, (uint8_t[]){ 8, 0, 0x45, 0 }, 4);
	big_data[20] = big_data[21] = 0;
	big_data[23] = 6;
	big_data[46] = 0x50;
	big = (struct bh_frame){ .bytes = BIG,
				 .flags = BH_FRAME_NEEDS_CHECKSUM,
				 .gso_type = BH_GSO_TCPV4,
				 .gso_size = 1400,
				 .csum_start = 34,
				 .csum_offset = 16 };
}

static bool send_big(uint8_t to)
{
	big_data[5] = to;
	return fake_send_record(0, &big, big_data);
}

static void flood(unsigned port, uint8_t to)
{
	while (fake_send(port, fake_frame(to, (uint8_t)(port + 1), 0, 60), 60))
		;
}

/* Large segments that come through in so many turns, while port 2 floods (or not), and readers keep up. */
static unsigned pair_in_turns(unsigned turns, bool flooded, uint8_t to, unsigned *floods)
{
	unsigned segments = 0;

	*floods = 0;
	for (unsigned i = 0; i < turns; i++) {
		struct bh_frame record;

		while (send_big(2))
			;
		if (flooded)
			flood(2, to);
		service_turn();
		fake_now += 50000;
		while (fake_receive_record(1, &record, NULL))
			*(record.bytes == BIG ? &segments : floods) += 1;
		for (unsigned port = 0; port < 4; port++)
			fake_drain(port);
	}
	return segments;
}

static void a_flood_takes_its_part_only(void **state)
{
	static const uint8_t targets[] = { 2, 4, 0xff };
	unsigned floods, alone;

	(void)state;
	start();
	alone = pair_in_turns(500, false, 0, &floods);
	assert_in_range(alone, 450, 1000);
	for (unsigned i = 0; i < 3; i++) {
		/* In a turn as many segments as without, and a few small frames. */
		assert_in_range(pair_in_turns(500, true, targets[i], &floods), alone * 9 / 10, 1000);
		assert_in_range(floods, targets[i] == 2 ? 5000 : 0, 10000);
	}
	assert_int_equal(fake_stat(1)->drops[BH_DROP_FULL], 0);
}

/* Segments that port 1 has read in a second, if a segment takes it 60 us and a small frame 2. */
static unsigned slow_pair(bool flooded, unsigned *floods)
{
	unsigned segments = 0;
	int64_t busy = 0;

	*floods = 0;
	for (unsigned i = 0; i < 20000; i++) {
		struct bh_frame record;

		if (!(i % 3))
			send_big(2);
		if (flooded)
			flood(2, 2);
		service_turn();
		fake_now += 50000;
		for (busy -= 50; busy < 0 && fake_receive_record(1, &record, NULL);
		     busy += record.bytes == BIG ? 60 : 2)
			*(record.bytes == BIG ? &segments : floods) += 1;
		busy = busy < 0 ? 0 : busy;
	}
	return segments;
}

/* Its reader has no time for both: the one that does not react to loss loses what it took from the other. */
static void a_flood_does_not_fill_a_slow_reader(void **state)
{
	unsigned floods, alone;

	(void)state;
	start();
	alone = slow_pair(false, &floods);
	assert_in_range(alone, 6600, 6667);
	assert_in_range(slow_pair(true, &floods), alone * 9 / 10, alone);
	assert_true(floods > 1000);
	assert_true(fake_stat(1)->drops[BH_DROP_FULL] > 10000);
}

/* A sender that keeps a window in flight as TCP does: one more for each that arrives, half when some are lost. */
static struct sender {
	unsigned window, flying, arrived, grows, quiet;
} senders[4];

static void step_sender(unsigned port)
{
	struct sender *sender = &senders[port];

	/* Nothing arrives for 10 ms: what is flying is lost. */
	if (sender->flying && ++sender->quiet > 200) {
		sender->window = sender->window > 3 ? sender->window / 2 : 1;
		sender->flying = sender->quiet = 0;
	}
	big_data[11] = (uint8_t)(port + 1);
	big_data[5] = 2;
	while (sender->flying < sender->window && fake_send_record(port, &big, big_data))
		sender->flying++;
}

static void step_reader(void)
{
	static uint8_t data[BH_FRAME_MAX];
	struct bh_frame record;

	if (fake_receive_record(1, &record, data)) {
		struct sender *sender = &senders[data[11] - 1];

		sender->arrived++;
		sender->quiet = 0;
		sender->flying -= sender->flying > 0;
		if (++sender->grows >= sender->window) {
			sender->window++;
			sender->grows = 0;
		}
	}
}

/* None of them is taken for a flood, and the last one catches up. */
static void who_slows_down_gets_an_equal_part(void **state)
{
	(void)state;
	start();
	for (unsigned port = 0; port < 4; port++)
		senders[port] = (struct sender){ .window = 1 };
	for (unsigned i = 0; i < 40000; i++) {
		step_sender(0);
		step_sender(2);
		if (i >= 10000)
			step_sender(3);
		if (i == 20000)
			senders[0].arrived = senders[2].arrived = senders[3].arrived = 0;
		service_turn();
		fake_now += 50000;
		step_reader();
		for (unsigned port = 0; port < 4; port++)
			assert_true(net.share[1].level[port] < 2);
	}
	assert_in_range(senders[0].arrived + senders[2].arrived + senders[3].arrived, 19000, 20000);
	for (unsigned port = 0; port < 4; port++)
		assert_in_range(senders[port].arrived, port == 1 ? 0 : 5500, 8000);
}

static void a_burst_is_not_lost(void **state)
{
	unsigned came = 0;

	(void)state;
	start();
	for (unsigned round = 0; round < 100; round++) {
		assert_true(send_big(2) && send_big(2) && send_big(2));
		for (unsigned i = 0; i < 4; i++) {
			fake_pass(20);
			came += fake_drain(1);
		}
		fake_pass(400);
	}
	assert_int_equal(came, 300);
	assert_int_equal(fake_stat(1)->drops[BH_DROP_FULL], 0);
}

/* Nobody reads at port 1: what goes to port 3 goes there all the same, after one short wait. */
static void a_full_destination_blocks_nobody(void **state)
{
	unsigned came = 0;

	(void)state;
	start();
	for (unsigned i = 0; i < 4; i++) {
		send_big(2);
		fake_run();
	}
	fake_pass(1900);
	assert_int_equal(fake_stat(1)->drops[BH_DROP_FULL], 0);
	fake_pass(200);
	for (unsigned round = 0; round < 1000; round++) {
		assert_true(send_big(2) && send_big(4));
		fake_run();
		fake_send(2, fake_frame(4, 3, 0, 60), 60);
		fake_run();
		came += fake_drain(3);
	}
	assert_int_equal(came, 2000);
	assert_int_equal(fake_stat(1)->drops[BH_DROP_FULL], 1002);
	/* It reads again, and is waited for again. */
	assert_int_equal(fake_drain(1), 2);
	fake_pass(10000);
	assert_true(send_big(2) && send_big(2) && send_big(2));
	fake_pass(10);
	assert_int_equal(fake_drain(1), 2);
	fake_pass(10);
	assert_int_equal(fake_drain(1), 1);
}

/* Who makes room at the last moment, again and again, cannot hold a sender up for more than a part of the time. */
static void patience_has_an_end(void **state)
{
	uint64_t start_time, sent = 0;

	(void)state;
	start();
	start_time = fake_now;
	while (fake_now - start_time < FAKE_HZ) {
		struct bh_frame record;

		while (send_big(2))
			;
		send_big(4);
		fake_pass(190); /* the reader of port 1 takes one now and then */
		fake_receive_record(1, &record, NULL);
		fake_run();
		sent += fake_drain(3);
	}
	assert_true(fake_stat(0)->out_frames > 5263 * 2 / 3);
	assert_true(fake_stat(1)->drops[BH_DROP_FULL] > 0);
}

static void waits_for_the_nic(void **state)
{
	(void)state;
	fake_reset();
	fake_network("lan", true);
	fake_port(0, 1);
	fake_start(true);
	fake_nic.room = 1;
	for (unsigned i = 0; i < 3; i++)
		fake_send(0, fake_frame(9, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_nic.sent, 1);
	fake_nic.room = 10;
	fake_events |= 1ull << 32;
	fake_run();
	assert_int_equal(fake_nic.sent, 3);
	fake_nic.room = 0;
	fake_send(0, fake_frame(9, 1, 0, 60), 60);
	fake_pass(10);
	fake_pass(2000);
	fake_run();
	assert_int_equal(fake_stat(BH_PORT_NIC(0))->drops[BH_DROP_FULL], 1);
}

/* While much comes from it, its interrupts are off: nobody says that it has room again. */
static void a_busy_nic_is_waited_for_no_longer_than_needed(void **state)
{
	(void)state;
	fake_reset();
	fake_network("lan", true);
	fake_port(0, 1);
	fake_start(true);
	fake_nic.room = 0;
	fake_send(0, fake_frame(9, 1, 0, 60), 60);
	for (unsigned i = 0; i < 60; i++)
		fake_wire(fake_frame(8, 7, 0, 60), 60);
	fake_events |= 1;
	service_turn();
	assert_in_range(fake_nic.taken, 1, 59);
	assert_int_equal(fake_nic.sent, 0);
	fake_nic.room = 10;
	service_turn();
	assert_int_equal(fake_nic.sent, 1);
}

/* ---- rates --------------------------------------------------------------------------------------- */

static void the_rate_holds_without_loss(void **state)
{
	static const uint32_t sizes[] = { 60, 1514 };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t came = 0, lost;

		setup(NULL);
		fake_records.port[0].rate = 1000000;
		fake_records.port[0].burst = 20000;
		start();
		for (unsigned ms = 0; ms < 5000; ms++) {
			while (fake_send(0, fake_frame(2, 1, 0, sizes[i]), sizes[i]))
				;
			fake_pass(1000);
			came += fake_drain(1) * sizes[i];
			if (!(ms % 1000))
				assert_true(came <= (ms + 1) * 1000 + 20000 + sizes[i]);
		}
		assert_in_range(came, 4990000, 5030000);
		lost = fake_stat(0)->out_bytes - came;
		assert_int_equal(lost, 0);
	}
}

static void a_segment_larger_than_the_burst_passes(void **state)
{
	uint64_t came = 0;

	(void)state;
	fake_records.port[0].rate = 1000000;
	start();
	for (unsigned ms = 0; ms < 10000; ms++) {
		send_big(2);
		fake_pass(1000);
		came += fake_drain(1) * BIG;
	}
	assert_in_range(came, 9900000, 10100000);
}

static void frames_to_many_are_limited(void **state)
{
	unsigned came = 0, own = 0;

	(void)state;
	fake_records.network[0].broadcasts = 100;
	start();
	for (unsigned ms = 0; ms < 2000; ms++) {
		for (unsigned i = 0; i < 50; i++)
			fake_send(2, fake_frame(0xff, 3, 0, 60), 60);
		if (!(ms % 10))
			own += fake_send(0, fake_frame(2, 1, 0, 60), 60);
		fake_pass(1000);
		came += fake_drain(3);
		fake_drain(0);
		fake_drain(1);
	}
	assert_in_range(came, 195, 210);
	assert_int_equal(own, 200);
	assert_int_equal(fake_stat(0)->out_frames, 200);
	/* It is read less often: the drops are fewer than the frames that it would have sent. */
	assert_in_range(fake_stat(2)->drops[BH_DROP_BROADCAST], 30000, 70000);
	/* Its limit is its own. */
	fake_send(1, fake_frame(0xff, 2, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(0), 1);
}

static void an_unknown_address_is_many_only_if_there_are_many(void **state)
{
	(void)state;
	fake_records.network[0].broadcasts = 10;
	fake_records.network[0].uplink = 1;
	start();
	for (unsigned i = 0; i < 1000; i++)
		fake_send(0, fake_frame(99, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_nic.sent, 1000);
}

/* What a NIC sees of others' traffic. */
static void what_is_for_nobody_leaves_room_for_broadcasts(void **state)
{
	(void)state;
	fake_records.network[0].broadcasts = 10;
	fake_records.network[0].uplink = 1;
	start();
	for (unsigned i = 0; i < 500; i++) {
		fake_wire(fake_frame(98, 99, 0, 60), 60);
		fake_run();
	}
	fake_wire(fake_frame(0xff, 99, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(0), 1);
	assert_int_equal(fake_stat(BH_PORT_NIC(0))->drops[BH_DROP_BROADCAST], 0);
}

/* ---- signals ------------------------------------------------------------------------------------- */

static void signals_who_sleeps_and_once(void **state)
{
	(void)state;
	start();
	memset(fake_signals, 0, sizeof(fake_signals));
	for (unsigned i = 0; i < 10; i++)
		fake_send(0, fake_frame(2, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_signals[0], 0);
	assert_int_equal(fake_signals[1], 1);
	assert_int_equal(fake_signals[2], 0);
	fake_send(0, fake_frame(2, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_signals[1], 1); /* it has not slept since */
	assert_int_equal(fake_drain(1), 11);
	fake_send(0, fake_frame(2, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_signals[1], 2);
	/* A sender that waits for room hears of it. */
	flood(0, 3);
	fake_run();
	assert_int_equal(fake_signals[0], 1);
}

static void a_broken_ring_does_not_keep_it_busy(void **state)
{
	uint32_t random = 1;

	(void)state;
	start();
	for (unsigned i = 0; i < 10000; i++) {
		random = random * 1103515245 + 12345;
		fake_channel[0].out_writer.written = random;
		fake_events |= 1;
		service_turn();
	}
	assert_true(fake_stat(0)->drops[BH_DROP_MALFORMED] > 0);
	fake_pass(5000);
	frames_open_writer(&fake_out[0], &fake_channel[0].out_writer, &fake_channel[0].out_reader, fake_channel[0].out);
	fake_send(0, fake_frame(2, 1, 0, 60), 60);
	fake_run();
	assert_int_equal(fake_drain(1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_flood_takes_its_part_only, setup),
		cmocka_unit_test_setup(a_flood_does_not_fill_a_slow_reader, setup),
		cmocka_unit_test_setup(who_slows_down_gets_an_equal_part, setup),
		cmocka_unit_test_setup(a_burst_is_not_lost, setup),
		cmocka_unit_test_setup(a_full_destination_blocks_nobody, setup),
		cmocka_unit_test_setup(patience_has_an_end, setup),
		cmocka_unit_test_setup(waits_for_the_nic, setup),
		cmocka_unit_test_setup(a_busy_nic_is_waited_for_no_longer_than_needed, setup),
		cmocka_unit_test_setup(what_is_for_nobody_leaves_room_for_broadcasts, setup),
		cmocka_unit_test_setup(the_rate_holds_without_loss, setup),
		cmocka_unit_test_setup(a_segment_larger_than_the_burst_passes, setup),
		cmocka_unit_test_setup(frames_to_many_are_limited, setup),
		cmocka_unit_test_setup(an_unknown_address_is_many_only_if_there_are_many, setup),
		cmocka_unit_test_setup(signals_who_sleeps_and_once, setup),
		cmocka_unit_test_setup(a_broken_ring_does_not_keep_it_busy, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
