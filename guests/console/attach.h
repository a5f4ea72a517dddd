/* attach.h: a partition's terminal on the console's line. Ctrl-] comes back. */
#pragma once
#include <stdbool.h>
#include "peers.h"

#define ATTACH_ESCAPE 0x1d /* Ctrl-] */

/* The peer that the line is attached to; NULL: the shell has it. */
struct peer *attach_peer(void);

/* Attaches to a peer with a channel and shows the last `bytes` of what it printed. */
void attach_start(struct peer *peer, uint32_t bytes);

/* Attaches again, without showing anything, and sends the escape key: it was typed twice. */
void attach_escape_again(struct peer *peer);

/* The peer goes: the shell has the line again if it was attached to it. */
void attach_forget(const struct peer *peer);

/* One typed byte; false: it was the escape key, and the shell has the line again. */
bool attach_input(char byte);
