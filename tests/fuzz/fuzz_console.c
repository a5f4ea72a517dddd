/* The whole shell with noise typed and printed, and a net service that writes noise: it may say what it likes, but not
 * fall over, leave its buffers, or wait for ever. */
#include <stdint.h>
#include <stddef.h>
#include <string.h>
#define assert_true(x)	   ((x) ? (void)0 : abort())
#define assert_non_null(x) assert_true((x) != NULL)
#define fail_msg(...)	   abort()
#include "../unit/fake_console.h"

static uint64_t noise;
static unsigned writes;

static uint32_t next(void)
{
	noise = noise * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(noise >> 33);
}

/*
 * Words of the channel change, more often those that count. Every third time what is tapped makes sense as far as its
 * lengths go. Whoever still waits after a while presses Ctrl-C.
 */
static void write_noise(void)
{
	struct bh_network_channel *channel = &fake_network.channel;
	struct bh_tap_record record = { noise, 64 + next() % 1500, 64, (uint8_t)next(), next() % 3 };
	uint8_t frame[64];

	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(next() % 3 ? next() : 0);
	switch (next() % 6) {
	case 0: fake_network.words[next() % (BH_NETWORK_CHANNEL_BYTES / 8)] = next(); break;
	case 1: channel->tap_written += next() % 100000; break;
	case 2: channel->macs = next(); break;
	case 3: fake_network_life += next() % 4 == 0; break;
	default: fake_tap_put(&record, sizeof(record)); fake_tap_put(frame, sizeof(frame));
	}
	if (channel->a >= BH_NETWORKS) /* the fake's own service believes what it is asked */
		channel->a %= BH_NETWORKS;
	if (++writes % 50 == 0 && !*fake_typed)
		fake_typed = "\x03";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char keys[256];
	size_t typed = 0, printed = size ? data[0] : 0;

	if (attach_peer())
		attach_input(ATTACH_ESCAPE);
	fake_networks = true;
	fake_start();
	fake_network_more = write_noise;
	writes = 0;
	noise = printed;
	for (size_t i = 1; i < size && typed < sizeof(keys) - 1; i++)
		if (data[i])
			keys[typed++] = (char)data[i];
	keys[typed] = 0;
	if (printed <= typed)
		fake_print(printed % 2 ? GUEST : HELLO, keys + printed);
	(void)fake_read;
	(void)fake_tap;
	fake_type(keys);
	return 0;
}
