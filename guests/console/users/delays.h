/* delays.h: who fails to say who he is waits, each time longer. By source (an address as text). */
#pragma once
#include <stdint.h>

#define DELAYS_SOURCES 64
#define DELAYS_MAX_S   300
#define DELAYS_FREE    2 /* failures that cost nothing: typing errors */

/* Seconds that `source` still has to wait; 0: it may try. */
uint32_t delays_left(const char *source, uint64_t now_ms);
void delays_failed(const char *source, uint64_t now_ms);
void delays_succeeded(const char *source);
