/*
 * ping.c: asks pong over the channel "talk", checks each answer, and says now and then how far it
 * is.
 *
 * Between two reports it asks ROUNDS times as fast as it can, then rests a second. pong may be
 * stopped and started at any time: ping then says so, waits, and asks again.
 */
#include "bh.h"
#include "guests/ping/talk.h"
#include "terminal.h"

#define ROUNDS	    100
#define PATIENCE_MS 1000

static struct terminal terminal;
static struct talk *talk;
static bh_handle channel;
static uint64_t epoch; /* pong's, as last seen */

/* Says when pong was started anew or does not run; the answer is whether it runs. */
static bool look_after_pong(void)
{
	static bool missed;
	int64_t stat = bh_call1(BH_CHANNEL_STAT, channel);

	if (stat < 0)
		bh_fail("BH_CHANNEL_STAT: error %d\n", (int)stat);
	if ((uint64_t)stat >> 1 != epoch && epoch)
		terminal_printf(&terminal, "ping: pong was started anew (epoch %u)\r\n", (unsigned)(stat >> 1));
	epoch = (uint64_t)stat >> 1;
	if (!(stat & 1) && !missed)
		terminal_printf(&terminal, "ping: pong does not run; I wait\r\n");
	missed = !(stat & 1);
	return stat & 1;
}

/* Asks until the answer is there; false when it is wrong. Nothing is lost by asking the same twice.
 */
static bool ask(uint64_t sequence, uint64_t value)
{
	uint64_t got = 0, answer = 0;

	for (;;) {
		talk_write(&talk->request, sequence, value);
		bh_call1(BH_CHANNEL_SIGNAL, channel);

		uint64_t deadline = bh_rdtsc() + bh_ticks_ms(PATIENCE_MS);

		while (bh_rdtsc() < deadline) {
			if (talk_read(&talk->reply, &got, &answer) && got == sequence)
				return answer == talk_answer(value);
			bh_call3(BH_WAIT, 1ull << TALK_EVENT_TALK, deadline, 0);
		}
		look_after_pong();
	}
}

int main(unsigned vcpu)
{
	const struct bh_info_handle *handle = bh_find("talk", BH_HANDLE_CHANNEL);
	uint64_t sequence = 0, value, ignored;

	if (vcpu != 0)
		return 0;
	if (!handle || handle->bytes < sizeof(struct talk))
		bh_fail("no channel \"talk\"\n");
	if (!terminal_open_console(&terminal, vcpu, TALK_EVENT_TERMINAL))
		bh_fail("no channel \"console\"\n");
	channel = handle->handle;
	talk = (struct talk *)handle->address;
	bh_call3(BH_CHANNEL_BIND, channel, vcpu, TALK_EVENT_TALK);

	/* After a restart go on behind the last request: old replies then mean nothing. */
	if (talk_read(&talk->request, &sequence, &ignored))
		terminal_printf(&terminal, "ping: going on after %u rounds\r\n", (unsigned)sequence);
	look_after_pong();

	for (;;) {
		uint64_t start = bh_rdtsc();

		for (unsigned i = 0; i < ROUNDS; i++) {
			value = ++sequence * 2654435761u;
			if (!ask(sequence, value))
				bh_fail("pong's answer to %#lx is wrong\n", value);
		}
		look_after_pong();
		terminal_printf(&terminal, "ping: %u rounds, %u ticks each\r\n", (unsigned)sequence,
				(unsigned)((bh_rdtsc() - start) / ROUNDS));
		bh_sleep_ms(1000);
	}
}
