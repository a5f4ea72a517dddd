/* A port's rings of frames: both ends, two threads, peers that lie, restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <cmocka.h>
#include "guests/lib/frames.h"

static struct bh_port_channel channel, other;
static struct frames writer, reader;
static uint32_t broken;

static void open_both(void)
{
	frames_open_writer(&writer, &channel.out_writer, &channel.out_reader, channel.out);
	frames_open_reader(&reader, &channel.out_writer, &channel.out_reader, channel.out);
}

static int setup(void **state)
{
	(void)state;
	memset(&channel, 0, sizeof(channel));
	memset(&other, 0, sizeof(other));
	broken = 0;
	open_both();
	return 0;
}

static uint8_t pattern(uint32_t seed, uint32_t i) { return (uint8_t)((i * 31 >> 3) + i + seed); }

static void send(uint32_t bytes, uint32_t seed)
{
	struct bh_frame header = { .bytes = bytes, .csum_start = (uint16_t)seed };
	uint8_t *frame = malloc(bytes);

	for (uint32_t i = 0; i < bytes; i++)
		frame[i] = pattern(seed, i);
	frames_put(&writer, bytes / 2, frame + bytes / 2, bytes - bytes / 2);
	frames_put(&writer, 0, frame, bytes / 2);
	frames_commit(&writer, &header);
	free(frame);
}

static bool holds(struct frames *ring, const struct bh_frame *header)
{
	uint8_t *frame = malloc(header->bytes);
	bool good = true;

	frames_get(ring, 0, frame, header->bytes);
	for (uint32_t i = 0; i < header->bytes; i++)
		good = good && frame[i] == pattern(header->csum_start, i);
	free(frame);
	return good;
}

static void expect(uint32_t bytes, uint32_t seed)
{
	struct bh_frame header;

	assert_true(frames_next(&reader, &header, &broken));
	assert_int_equal(header.bytes, bytes);
	assert_int_equal(header.csum_start, seed);
	assert_true(holds(&reader, &header));
	frames_done(&reader, &header);
}

static void carries_frames_of_all_sizes(void **state)
{
	static const uint32_t sizes[] = { 14, 15, 16, 17, 60, 1514, 9018, 65535, BH_FRAME_MAX };
	struct bh_frame header;

	(void)state;
	for (unsigned round = 0; round < 40; round++)
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			send(sizes[i], round);
			send(sizes[i], round + 1);
			expect(sizes[i], round);
			expect(sizes[i], round + 1);
		}
	assert_false(frames_next(&reader, &header, &broken));
	assert_int_equal(broken, 0);
}

static void copies_from_ring_to_ring(void **state)
{
	struct frames from, to;
	struct bh_frame header;

	(void)state;
	frames_open_writer(&to, &other.in_writer, &other.in_reader, other.in);
	frames_open_reader(&from, &other.in_writer, &other.in_reader, other.in);
	/* Other sizes to the second ring, so that the borders of both are met in all ways. */
	for (uint32_t round = 0; round < 200; round++) {
		uint8_t front[10];

		send(40000 + 17 * round, round);
		assert_true(frames_next(&reader, &header, &broken));
		frames_get(&reader, 0, front, sizeof(front));
		frames_put(&to, 0, front, sizeof(front));
		frames_fill(&to, 10, &reader, 10, header.bytes - 10);
		header.csum_offset = 77;
		frames_commit(&to, &header);
		frames_done(&reader, &header);
		assert_true(frames_next(&from, &header, &broken));
		assert_int_equal(header.csum_offset, 77);
		assert_true(holds(&from, &header));
		frames_done(&from, &header);
		header.bytes = 1000 + round;
		frames_commit(&to, &header);
		assert_true(frames_next(&from, &header, &broken));
		frames_done(&from, &header);
	}
}

static void positions_wrap_at_32_bits(void **state)
{
	(void)state;
	channel.out_writer.written = channel.out_reader.read = UINT32_MAX - 200015; /* and are not aligned */
	open_both();
	for (uint32_t i = 0; i < 100; i++) {
		send(9000 + i, i);
		expect(9000 + i, i);
	}
	assert_int_equal(broken, 0);
}

static void what_was_not_read_survives_a_restart(void **state)
{
	(void)state;
	send(100, 1);
	send(200, 2);
	expect(100, 1);
	open_both();
	send(300, 3);
	expect(200, 2);
	expect(300, 3);
}

static void a_full_ring_asks_for_a_signal(void **state)
{
	uint32_t sent = 0;

	(void)state;
	while (frames_room(&writer, 1514)) {
		assert_int_equal(channel.out_writer.waits, 0);
		send(1514, sent++);
	}
	assert_int_equal(sent, BH_FRAMES_BYTES / 1536);
	assert_int_equal(frames_free(&writer), BH_FRAMES_BYTES % 1536);
	assert_int_equal(channel.out_writer.waits, 1);
	expect(1514, 0);
	assert_true(frames_must_signal_writer(&reader));
	assert_false(frames_must_signal_writer(&reader));
	assert_true(frames_room(&writer, 1514));
}

static void signals_only_a_reader_that_sleeps(void **state)
{
	(void)state;
	send(60, 0);
	assert_false(frames_must_signal_reader(&writer));
	assert_false(frames_may_sleep(&reader));
	assert_int_equal(channel.out_reader.sleeps, 0);
	expect(60, 0);
	assert_true(frames_may_sleep(&reader));
	send(60, 0);
	send(60, 0);
	assert_true(frames_must_signal_reader(&writer));
	assert_false(frames_must_signal_reader(&writer));
}

/* A record that cannot be: all that is there goes, and what comes then is read again. */
static void records_that_cannot_be_are_dropped(void **state)
{
	static const uint32_t sizes[] = { 0, 13, BH_FRAME_MAX + 1, UINT32_MAX, UINT32_MAX - 15, 0x80000000u, 1000 };
	struct bh_frame header;

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		broken = 0;
		send(100, 1);
		send(100, 2);
		memcpy(channel.out + reader.position % BH_FRAMES_BYTES, &sizes[i], 4);
		assert_false(frames_next(&reader, &header, &broken));
		assert_int_equal(broken, 1);
		assert_false(frames_next(&reader, &header, &broken));
		assert_int_equal(broken, 1);
		send(50, 3);
		expect(50, 3);
	}
}

static void positions_that_cannot_be(void **state)
{
	struct bh_frame header;

	(void)state;
	channel.out_writer.written = 0x80000000u;
	assert_false(frames_next(&reader, &header, &broken));
	channel.out_writer.written += 3; /* less than a header */
	assert_false(frames_next(&reader, &header, &broken));
	assert_int_equal(broken, 2);
	open_both();
	send(60, 9);
	expect(60, 9);

	channel.out_reader.read = writer.position + 16;
	assert_int_equal(frames_free(&writer), BH_FRAMES_BYTES);
	assert_true(frames_room(&writer, BH_FRAME_MAX));
}

/* Two threads, sleeping only on signals: a lost one hangs, which the wait's limit turns into a failure. */
#define STREAM 100000u

static mtx_t mutex;
static cnd_t cond;
static unsigned signalled[2];
static _Atomic bool timed_out;

static void signal_to(unsigned who)
{
	mtx_lock(&mutex);
	signalled[who]++;
	cnd_broadcast(&cond);
	mtx_unlock(&mutex);
}

static void sleep_on(unsigned who, unsigned *seen)
{
	struct timespec limit;

	timespec_get(&limit, TIME_UTC);
	limit.tv_sec += 10;
	mtx_lock(&mutex);
	while (signalled[who] == *seen && !timed_out)
		if (cnd_timedwait(&cond, &mutex, &limit) != thrd_success)
			timed_out = true;
	*seen = signalled[who];
	mtx_unlock(&mutex);
}

static uint32_t stream_bytes(uint32_t i) { return BH_FRAME_MIN + i * 2654435761u % (i % 64 ? 200 : 60000); }

static int stream(void *unused)
{
	unsigned seen = 0;

	for (uint32_t i = 0; i < STREAM && !timed_out; i++) {
		while (!frames_room(&writer, stream_bytes(i)) && !timed_out)
			sleep_on(0, &seen);
		send(stream_bytes(i), i & 0xffff);
		if (frames_must_signal_reader(&writer))
			signal_to(1);
	}
	(void)unused;
	return 0;
}

static void streams_without_a_lost_signal(void **state)
{
	struct bh_frame header;
	unsigned seen = 0;
	thrd_t thread;

	(void)state;
	mtx_init(&mutex, mtx_plain);
	cnd_init(&cond);
	timed_out = false;
	assert_int_equal(thrd_create(&thread, stream, NULL), thrd_success);
	for (uint32_t i = 0; i < STREAM && !timed_out;) {
		for (; frames_next(&reader, &header, &broken); i++) {
			assert_int_equal(header.bytes, stream_bytes(i));
			assert_true(i % 16 || holds(&reader, &header));
			frames_done(&reader, &header);
			if (frames_must_signal_writer(&reader))
				signal_to(0);
		}
		if (i < STREAM && frames_may_sleep(&reader))
			sleep_on(1, &seen);
	}
	thrd_join(thread, NULL);
	assert_false(timed_out);
	assert_int_equal(broken, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(carries_frames_of_all_sizes, setup),
		cmocka_unit_test_setup(copies_from_ring_to_ring, setup),
		cmocka_unit_test_setup(positions_wrap_at_32_bits, setup),
		cmocka_unit_test_setup(what_was_not_read_survives_a_restart, setup),
		cmocka_unit_test_setup(a_full_ring_asks_for_a_signal, setup),
		cmocka_unit_test_setup(signals_only_a_reader_that_sleeps, setup),
		cmocka_unit_test_setup(records_that_cannot_be_are_dropped, setup),
		cmocka_unit_test_setup(positions_that_cannot_be, setup),
		cmocka_unit_test_setup(streams_without_a_lost_signal, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
