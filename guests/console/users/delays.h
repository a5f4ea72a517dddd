/*
 * delays.h: who fails to say who he is waits, each time longer. By source (an address as text) and by the token whose
 * secret was wrong: behind one address there may be many, and who knows his secret has nothing to do with another's.
 */
#pragma once
#include <stdint.h>

#define DELAYS_SOURCES 64
#define DELAYS_MAX_S   300
#define DELAYS_FREE    2 /* failures that cost nothing: typing errors */

/* `token`: the number of the one that is claimed, if there is such a one; 0: of none. */

/* Seconds that `source` still has to wait; 0: it may try. */
uint32_t delays_left(const char *source, uint32_t token, uint64_t now_ms);
void delays_failed(const char *source, uint32_t token, uint64_t now_ms);
void delays_succeeded(const char *source, uint32_t token);
