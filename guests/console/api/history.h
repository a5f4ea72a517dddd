/*
 * history.h: what partitions used in the last minutes: for pages that are opened later. Sampled by api_tick, in private
 * memory of a fixed size.
 */
#pragma once
#include <stdint.h>

#define HISTORY_SAMPLES	   60
#define HISTORY_EVERY_MS   5000
#define HISTORY_PARTITIONS 128 /* those behind have none */

/* Forgets all. */
void history_start(void);

/* Takes those samples that are due: a few partitions at a time, so that no tick is long. */
void history_tick(uint64_t now_ms);
