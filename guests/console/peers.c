#include "peers.h"
#include "attach.h"
#include "events.h"
#include "screen.h"
#include "serial.h"

struct peer peers[PEERS_MAX];
unsigned peer_count;

struct peer *peers_find(const char *name)
{
	for (unsigned i = 0; i < peer_count; i++)
		if (name[0] && !strcmp(peers[i].name, name))
			return &peers[i];
	return NULL;
}

/* As much as memory allows: all that is asked for, or half of it, and so on. */
static void start_scrollback(struct peer *peer)
{
	if (peer->scrollback.data) {
		scrollback_start(&peer->scrollback, peer->scrollback.data, peer->scrollback.size);
		return;
	}
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
	for (unsigned i = 0; i < peer_count; i++)
		peers[i].guest = peers[i].monitor = NULL;
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

static void remove_peer(struct peer *peer)
{
	char *data = peer->scrollback.data;
	uint32_t size = peer->scrollback.size;

	attach_forget(peer);
	*peer = (struct peer){ .name = "" };
	peer->scrollback.data = data;
	peer->scrollback.size = size;
}

static const struct bh_info_handle *handle_of(const struct peer *peer)
{
	const struct bh_info *info = bh_info();

	for (uint32_t i = 0; i < info->handles && i < BH_INFO_HANDLES; i++)
		if (info->handle[i].type == BH_HANDLE_PARTITION && info->handle[i].handle == peer->partition)
			return &info->handle[i];
	return NULL;
}

static struct peer *peer_of(const struct bh_info_handle *handle)
{
	for (unsigned i = 0; i < peer_count; i++)
		if (peers[i].name[0] && peers[i].partition == handle->handle)
			return &peers[i];
	return NULL;
}

static struct peer *free_place(void)
{
	for (unsigned i = 0; i < peer_count; i++)
		if (!peers[i].name[0])
			return &peers[i];
	return peer_count < PEERS_MAX ? &peers[peer_count++] : NULL;
}

static unsigned count_channels(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < peer_count; i++)
		count += peers[i].has_channel;
	return count;
}

static void add_peer(const struct bh_info_handle *handle)
{
	struct peer *peer = free_place();
	struct scrollback scrollback;

	if (!peer)
		return;
	scrollback = peer->scrollback;
	*peer = (struct peer){ .kind = handle->kind, .partition = handle->handle, .scrollback = scrollback };
	peer->runtime = handle->rights & BH_RIGHT_CREATE;
	bh_strlcpy(peer->name, handle->name, sizeof(peer->name));
	start_channel(peer, count_channels());
}

void peers_refresh(void)
{
	const struct bh_info *info = bh_info();

	for (unsigned i = 0; i < peer_count; i++)
		if (peers[i].name[0] && !handle_of(&peers[i]))
			remove_peer(&peers[i]);
	for (uint32_t i = 0; i < info->handles && i < BH_INFO_HANDLES; i++)
		if (info->handle[i].type == BH_HANDLE_PARTITION && !peer_of(&info->handle[i]))
			add_peer(&info->handle[i]);
	pair_monitors();
}

void peers_start(void)
{
	memset(peers, 0, sizeof(peers));
	peer_count = 0;
	peers_refresh();
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
