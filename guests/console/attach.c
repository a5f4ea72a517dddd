#include "attach.h"
#include "screen.h"

static struct peer *attached;

struct peer *attach_peer(void) { return attached; }

static void show_tail(const struct peer *peer, uint32_t bytes)
{
	uint32_t before = scrollback_tail(&peer->scrollback, bytes);
	char text[512];

	while (before) {
		uint32_t count = scrollback_copy(&peer->scrollback, before, text, sizeof(text));

		screen_raw(text, count);
		before -= count;
	}
}

void attach_start(struct peer *peer, uint32_t bytes)
{
	screen_printf("[attached to %s; Ctrl-] comes back to the shell]\n", peer->name);
	if (!peer_alive(peer))
		screen_printf("[%s does not run: nothing reads what you type]\n", peer->name);
	peers_receive(UINT64_MAX, NULL);
	show_tail(peer, bytes);
	attached = peer;
}

void attach_escape_again(struct peer *peer)
{
	const char key = ATTACH_ESCAPE;

	screen_printf("[attached to %s again]\n", peer->name);
	attached = peer;
	terminal_write(&peer->terminal, &key, 1);
}

void attach_forget(const struct peer *peer)
{
	if (attached != peer)
		return;
	attached = NULL;
	screen_printf("\n[%s was removed]\n", peer->name);
}

bool attach_input(char byte)
{
	if (byte == ATTACH_ESCAPE) {
		attached = NULL;
		/* Colours and the like that the partition left on. */
		screen_raw("\x1b[0m", 4);
		screen_printf("\n[back in the shell]\n");
		return false;
	}
	if (!terminal_write(&attached->terminal, &byte, 1))
		screen_raw("\a", 1);
	return true;
}
