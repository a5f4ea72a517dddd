/* command_tap.c: the frames of a network as they pass, in words, or as a file that tcpdump and Wireshark read. */
#include "base64.h"
#include "commands.h"
#include "network_words.h"
#include "packet.h"
#include "pcap.h"
#include "pump.h"
#include "screen.h"
#include "serial.h"
#include "tap.h"

#define COUNT_MAX  1000000
#define TURN	   64	/* frames between two looks at the keyboard and at what others print */
#define STEP_MS	   50	/* looks after the ring this often, should a signal be lost */
#define QUEUE_MOST 4096 /* waiting for the line; what is more stays in the ring, and Ctrl-C is not kept waiting */

struct view {
	struct tap tap;
	uint64_t shown, most;
	bool file;     /* pcap in base64 */
	uint64_t told; /* TSC when it was last said that frames were lost */
	uint64_t lost; /* since then */
	struct base64 base64;
};

/* ---- in words ---- */

static void show_words(const struct view *view, const struct tap_frame *frame)
{
	const struct network_port *port = network_port_numbered(frame->port);
	uint32_t head = frame->kept < PACKET_HEAD_BYTES ? frame->kept : PACKET_HEAD_BYTES;
	uint8_t bytes[PACKET_HEAD_BYTES];
	char line[PACKET_LINE_BYTES];

	tap_copy(&view->tap, 0, bytes, head);
	screen_printf("%02u:%02u:%02u.%06u %s %s\n", (unsigned)(frame->seconds / 3600 % 24),
		      (unsigned)(frame->seconds / 60 % 60), (unsigned)(frame->seconds % 60), frame->microseconds,
		      port ? port->name : "?", packet_line(line, bytes, head, frame->bytes));
}

/* ---- as a file ---- */

static void put_line(void *context, const char *line)
{
	(void)context;
	screen_printf("%s\n", line);
}

static void begin_file(struct view *view)
{
	uint8_t header[PCAP_FILE_BYTES];

	screen_printf("-----BEGIN PCAP-----\n");
	base64_start(&view->base64, put_line, NULL);
	pcap_file_header(header, BH_TAP_SNAPSHOT_MAX);
	base64_add(&view->base64, header, sizeof(header));
}

static void add_to_file(struct view *view, const struct tap_frame *frame)
{
	uint8_t bytes[256];

	pcap_record_header(bytes, frame->seconds, frame->microseconds, frame->kept, frame->bytes);
	base64_add(&view->base64, bytes, PCAP_RECORD_BYTES);
	for (uint32_t at = 0, count; at < frame->kept; at += count) {
		count = frame->kept - at < sizeof(bytes) ? frame->kept - at : sizeof(bytes);
		tap_copy(&view->tap, at, bytes, count);
		base64_add(&view->base64, bytes, count);
	}
}

static void end_file(struct view *view)
{
	base64_end(&view->base64);
	screen_printf("-----END PCAP-----\n");
}

/* ---- the loop ---- */

static bool line_is_free(void) { return SERIAL_OUT_BYTES - serial_room() < QUEUE_MOST; }

/* Once a second at most: the line has no room for more. */
static void tell_lost(struct view *view)
{
	view->lost += tap_lost(&view->tap);
	if (!view->lost || view->file || bh_rdtsc() - view->told < bh_ticks_ms(1000))
		return;
	screen_printf("[%llu lost]\n", (unsigned long long)view->lost);
	view->told = bh_rdtsc();
	view->lost = 0;
}

/* Shows what is there, as far as the line takes it; returns how many frames. */
static unsigned show_some(struct view *view)
{
	struct tap_frame frame;
	unsigned count = 0;

	while (count < TURN && view->shown < view->most && line_is_free() && tap_next(&view->tap, &frame)) {
		if (view->file)
			add_to_file(view, &frame);
		else
			show_words(view, &frame);
		tap_done(&view->tap, &frame);
		view->shown++;
		count++;
	}
	tell_lost(view);
	return count;
}

static void show_until_told(struct view *view)
{
	for (;;) {
		/* First: what it has left in the ring is still shown. */
		bool dead = tap_dead(&view->tap);
		unsigned count = show_some(view);

		if (view->shown == view->most || serial_interrupted() || (dead && !count && line_is_free()))
			return;
		/* 0: does not wait, but sees to keys and partitions. */
		pump_wait(count == TURN ? 0 : bh_rdtsc() + bh_ticks_ms(STEP_MS));
	}
}

static void summary(const struct view *view)
{
	const struct tap *tap = &view->tap;

	screen_printf("%llu frame%s shown", (unsigned long long)view->shown, view->shown == 1 ? "" : "s");
	if (tap->lost_here)
		screen_printf(", %llu lost: the line is too slow for them", (unsigned long long)tap->lost_here);
	if (tap->broken)
		screen_printf(", %llu times something that cannot be was thrown away", (unsigned long long)tap->broken);
	screen_printf(".\n");
}

static void finish(struct view *view)
{
	bool dead = tap_dead(&view->tap);

	tap_lost(&view->tap);
	if (view->file)
		end_file(view);
	summary(view);
	/* Started anew, it has no tap on. */
	if (dead)
		screen_printf("The net service ended.\n");
	else
		network_words_done(tap_stop(&view->tap));
}

void command_tap(const struct arguments *arguments)
{
	static struct view view;
	int network;

	if (!network_words_ready())
		return;
	network = network_words_network(arguments->word);
	view = (struct view){ .file = arguments->flag == 'p' };
	if (network < 0 || !shell_count(arguments, UINT64_MAX, COUNT_MAX, &view.most) || !network_words_running() ||
	    !network_words_done(tap_start(&view.tap, (unsigned)network)))
		return;
	if (view.file)
		begin_file(&view);
	else
		screen_printf("Tapping %s; Ctrl-C ends it.\n", networks[network].name);
	show_until_told(&view);
	finish(&view);
}
