/* network_words.h: what the commands about networks have in common: finding what was typed, and saying what is wrong.
 */
#pragma once
#include <stdbool.h>
#include "network.h"

/* There are networks, and a channel to their service. If not, says so. */
bool network_words_ready(void);

/* The service runs. If not, says so, and why. */
bool network_words_running(void);

/* The request was done. If not, says what came of it. */
bool network_words_done(enum network_outcome outcome);

/* The network called `typed`; -1, and says which there are. */
int network_words_network(const char *typed);

/* The port called `typed`, or the only one of the guest of that name; NULL, and says which there are. */
const struct network_port *network_words_port(const char *typed);

/* `typed` is a network, a port or a guest with ports. If not, says what there is. */
bool network_words_any(const char *typed);
