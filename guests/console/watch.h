/* watch.h: says so when a partition changes state by itself. */
#pragma once
#include <stdbool.h>
#include "peers.h"

/* Takes the states of all as known. */
void watch_start(void);

/* Takes the state of `peer` as known: whoever typed the command has been told. */
void watch_seen(struct peer *peer);

/* The next peer whose state is no longer the known one, which it now is; NULL: none. `text` then
 * says what happened. */
#define WATCH_TEXT_BYTES 160
struct peer *watch_next(char text[WATCH_TEXT_BYTES]);
