#include "peers.h"
#include "events.h"
#include "screen.h"
#include "serial.h"

struct peer peers[PEERS_MAX];
unsigned peer_count;

struct peer *peers_find(const char *name)
{
	for (unsigned i = 0; i < peer_count; i++)
		if (!strcmp(peers[i].name, name))
			return &peers[i];
	return NULL;
}

/* As much as memory allows: all that is asked for, or half of it, and so on. */
static void start_scrollback(struct peer *peer)
{
	for (uint32_t bytes = SCROLLBACK_BYTES; bytes >= 1024; bytes /= 2) {
		char *data = bh_alloc(bytes, 4096);

		if (data) {
			scrollback_start(&peer->scrollback, data, bytes);
			return;
		}
	}
	bh_printf("console: no memory to keep what %s prints\n", peer->name);
}

/* Told from the channel "network" (network.c) by its size, should a partition have that name. */
static const struct bh_info_handle *find_terminal(const char *name)
{
	const struct bh_info *info = bh_info();

	for (uint32_t i = 0; i < info->handles && i < BH_INFO_HANDLES; i++) {
		const struct bh_info_handle *handle = &info->handle[i];

		if (handle->type == BH_HANDLE_CHANNEL && !strcmp(handle->name, name) &&
		    handle->bytes == BH_TERMINAL_BYTES)
			return handle;
	}
	return NULL;
}

static void start_channel(struct peer *peer, unsigned number)
{
	const struct bh_info_handle *channel = find_terminal(peer->name);

	if (!channel)
		return;
	peer->has_channel = true;
	peer->event = EVENT_CHANNELS + number % EVENT_CHANNEL_BITS;
	start_scrollback(peer);
	terminal_open(&peer->terminal, (struct bh_terminal *)(uintptr_t)channel->address, channel->handle,
		      TERMINAL_CONSOLE);

	int64_t error = bh_call3(BH_CHANNEL_BIND, channel->handle, 0, peer->event);

	if (error)
		bh_printf("console: cannot listen to %s: error %d\n", peer->name, (int)error);
}

/* NAME.monitor looks after NAME. */
static void pair_monitors(void)
{
	for (unsigned i = 0; i < peer_count; i++) {
		const char *dot = strchr(peers[i].name, '.');

		if (!dot || strcmp(dot, ".monitor"))
			continue;
		for (unsigned j = 0; j < peer_count; j++) {
			size_t length = (size_t)(dot - peers[i].name);

			if (strlen(peers[j].name) != length || strncmp(peers[j].name, peers[i].name, length))
				continue;
			peers[i].guest = &peers[j];
			peers[j].monitor = &peers[i];
		}
	}
}

void peers_start(void)
{
	const struct bh_info *info = bh_info();
	unsigned channels = 0;

	peer_count = 0;
	for (uint32_t i = 0; i < info->handles && i < BH_INFO_HANDLES; i++) {
		const struct bh_info_handle *handle = &info->handle[i];
		struct peer *peer = &peers[peer_count];

		if (handle->type != BH_HANDLE_PARTITION)
			continue;
		*peer = (struct peer){ .name = handle->name, .kind = handle->kind, .partition = handle->handle };
		start_channel(peer, channels);
		channels += peer->has_channel;
		peer_count++;
	}
	pair_monitors();
}

static void receive(struct peer *peer, bool to_screen)
{
	char text[1024];
	size_t count;

	/* While attached, what the line cannot take yet stays in the channel: nothing is lost. */
	while (!to_screen || serial_room() >= sizeof(text)) {
		count = terminal_read(&peer->terminal, text, sizeof(text));
		if (!count)
			return;
		scrollback_add(&peer->scrollback, text, count);
		if (to_screen)
			screen_raw(text, count);
	}
}

void peers_receive(uint64_t events, const struct peer *attached)
{
	for (unsigned i = 0; i < peer_count; i++)
		if (peers[i].has_channel && (events >> peers[i].event & 1))
			receive(&peers[i], &peers[i] == attached);
}

int64_t peer_stat(const struct peer *peer, enum bh_stat field, uint64_t index)
{
	return bh_call3(BH_PARTITION_STAT, peer->partition, field, index);
}

bool peer_alive(const struct peer *peer)
{
	int64_t state = peer_stat(peer, BH_STAT_STATE, 0);

	return state == BH_STATE_RUNNING || state == BH_STATE_BUILDING || state == BH_STATE_PAUSED ||
	       state == BH_STATE_DYING;
}

const char *peer_kind_words(enum bh_kind kind)
{
	static const char *const words[] = { "?", "guest", "native", "monitor", "console" };

	return kind < sizeof(words) / sizeof(words[0]) ? words[kind] : "?";
}

static const char *cause_words(uint64_t cause)
{
	static const char *const words[] = { "stopped",	 "never started", "stopped by command",
					     "finished", "powered off",	  "failed" };

	return cause < sizeof(words) / sizeof(words[0]) ? words[cause] : "stopped";
}

const char *peer_state_words(uint64_t state, uint64_t cause)
{
	switch (state) {
	case BH_STATE_FAILED_CONFIG: return "failed: configuration";
	case BH_STATE_STOPPED: return cause_words(cause);
	case BH_STATE_BUILDING: return "starting";
	case BH_STATE_RUNNING: return "running";
	case BH_STATE_PAUSED: return "paused";
	case BH_STATE_DYING: return "stopping";
	default: return "unknown";
	}
}
