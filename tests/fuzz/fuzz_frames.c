/*
 * A ring of frames whose peer writes what it likes into the channel between any two steps. Neither end may leave the
 * ring or hand out a frame that cannot be, and a well-behaved pair must work again afterwards.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "guests/lib/frames.h"

static void check(int holds)
{
	if (!holds)
		abort();
}

static uint8_t buffer[BH_FRAME_MAX];

static void write_some(struct frames *writer, uint32_t value)
{
	struct bh_frame header = { .bytes = BH_FRAME_MIN + value % (BH_FRAME_MAX - BH_FRAME_MIN + 1) };

	check(frames_free(writer) <= BH_FRAMES_BYTES);
	if (!frames_room(writer, header.bytes))
		return;
	frames_put(writer, 0, buffer, header.bytes);
	frames_commit(writer, &header);
	frames_must_signal_reader(writer);
}

static void read_some(struct frames *reader, struct frames *to)
{
	struct bh_frame header;
	uint32_t broken = 0;

	if (!frames_next(reader, &header, &broken)) {
		check(broken <= 1);
		frames_may_sleep(reader);
		return;
	}
	check(header.bytes >= BH_FRAME_MIN && header.bytes <= BH_FRAME_MAX);
	frames_get(reader, 0, buffer, header.bytes);
	if (frames_room(to, header.bytes)) {
		frames_fill(to, 0, reader, 0, header.bytes);
		frames_commit(to, &header);
	}
	frames_done(reader, &header);
	frames_must_signal_writer(reader);
}

/* The shared words and the record that comes next are what hurts most. */
static void disturb(struct bh_port_channel *channel, struct frames *reader, uint8_t where, uint32_t value)
{
	switch (where % 4) {
	case 0: ((uint32_t *)&channel->out_writer)[where / 4 % 2] = value; break;
	case 1: ((uint32_t *)&channel->out_reader)[where / 4 % 2] = value; break;
	case 2: channel->out_writer.written += value % 4096; break;
	default: memcpy(channel->out + (reader->position & (BH_FRAMES_BYTES - 16)), &value, 4);
	}
}

static void works_again(struct frames *writer, struct frames *reader)
{
	struct bh_frame header = { .bytes = 60 };
	uint32_t broken = 0;

	for (unsigned i = 0; i < 2; i++)
		while (frames_next(reader, &header, &broken))
			frames_done(reader, &header);
	memset(buffer, 'x', sizeof(buffer));
	for (unsigned i = 0; i < 10; i++) {
		write_some(writer, 46);
		check(frames_next(reader, &header, &broken) && header.bytes == 60);
		frames_done(reader, &header);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bh_port_channel channel[2];
	struct frames writer, reader, to;

	memset(channel, 0, sizeof(channel));
	frames_open_writer(&writer, &channel->out_writer, &channel->out_reader, channel->out);
	frames_open_reader(&reader, &channel->out_writer, &channel->out_reader, channel->out);
	frames_open_writer(&to, &channel[1].in_writer, &channel[1].in_reader, channel[1].in);
	for (; size >= 6; data += 6, size -= 6) {
		uint32_t value;

		memcpy(&value, data + 2, 4);
		switch (data[0] % 4) {
		case 0: write_some(&writer, value); break;
		case 1: read_some(&reader, &to); break;
		case 2: channel[1].in_reader.read = data[1] & 1 ? to.position : value; break;
		default: disturb(channel, &reader, data[1], value);
		}
	}
	frames_open_writer(&writer, &channel->out_writer, &channel->out_reader, channel->out);
	frames_open_reader(&reader, &channel->out_writer, &channel->out_reader, channel->out);
	channel->out_reader.read = reader.position;
	works_again(&writer, &reader);
	return 0;
}
