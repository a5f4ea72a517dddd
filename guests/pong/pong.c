/* pong.c: answers what ping asks over the channel "talk". See guests/ping. */
#include "bh.h"
#include "guests/ping/talk.h"
#include "terminal.h"

#define REPORT_EVERY 100

int main(unsigned vcpu)
{
	const struct bh_info_handle *handle = bh_find("talk", BH_HANDLE_CHANNEL);
	const uint64_t events = 1ull << TALK_EVENT_TALK;
	struct terminal terminal;
	struct talk *talk;
	uint64_t epoch = 0, sequence, value, answered = 0, count = 0;

	if (vcpu != 0)
		return 0;
	if (!handle || handle->bytes < sizeof(struct talk))
		bh_fail("no channel \"talk\"\n");
	if (!terminal_open_console(&terminal, vcpu, TALK_EVENT_TERMINAL))
		bh_fail("no channel \"console\"\n");
	talk = (struct talk *)handle->address;
	bh_call3(BH_CHANNEL_BIND, handle->handle, vcpu, TALK_EVENT_TALK);
	terminal_printf(&terminal, "pong: ready\r\n");

	for (;;) {
		/* Look before waiting: a request may have come before the event was bound. */
		if (talk_read(&talk->request, &sequence, &value)) {
			talk_write(&talk->reply, sequence, talk_answer(value));
			bh_call1(BH_CHANNEL_SIGNAL, handle->handle);
			count += sequence != answered;
			if (sequence != answered && count % REPORT_EVERY == 0)
				terminal_printf(&terminal, "pong: %u answers\r\n", (unsigned)count);
			answered = sequence;
		}
		bh_call3(BH_WAIT, events, BH_FOREVER, 0);

		int64_t stat = bh_call1(BH_CHANNEL_STAT, handle->handle);

		if (epoch && (uint64_t)stat >> 1 != epoch)
			terminal_printf(&terminal, "pong: ping was started anew (epoch %u)\r\n", (unsigned)(stat >> 1));
		epoch = (uint64_t)stat >> 1;
	}
}
