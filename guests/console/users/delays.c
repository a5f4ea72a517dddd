#include "delays.h"
#include "guests/lib/bh_string.h"
#include <stdbool.h>
#include <stddef.h>

#define FORGET_MS (15 * 60 * 1000ull)

struct source {
	char name[48];
	uint32_t token;
	unsigned failures; /* 0: this entry is free */
	uint64_t until, last;
};

static struct source sources[DELAYS_SOURCES];

static struct source *find(const char *name, uint32_t token)
{
	for (unsigned i = 0; i < DELAYS_SOURCES; i++)
		if (sources[i].failures && sources[i].token == token &&
		    !strncmp(sources[i].name, name, sizeof(sources[i].name) - 1))
			return &sources[i];
	return NULL;
}

/* A free entry, or the one whose last failure is longest ago. */
static struct source *find_free(void)
{
	struct source *oldest = &sources[0];

	for (unsigned i = 0; i < DELAYS_SOURCES; i++) {
		if (!sources[i].failures)
			return &sources[i];
		if (sources[i].last < oldest->last)
			oldest = &sources[i];
	}
	return oldest;
}

uint32_t delays_left(const char *name, uint32_t token, uint64_t now_ms)
{
	const struct source *source = find(name, token);

	return source && source->until > now_ms ? (uint32_t)((source->until - now_ms + 999) / 1000) : 0;
}

void delays_failed(const char *name, uint32_t token, uint64_t now_ms)
{
	struct source *source = find(name, token);
	uint64_t seconds = 0;

	if (!source) {
		source = find_free();
		*source = (struct source){ .token = token, .last = now_ms };
		bh_strlcpy(source->name, name, sizeof(source->name));
	}
	if (now_ms - source->last > FORGET_MS)
		source->failures = 0;
	source->failures++;
	source->last = now_ms;
	if (source->failures > DELAYS_FREE)
		seconds = source->failures - DELAYS_FREE > 9 ? DELAYS_MAX_S
							     : 1ull << (source->failures - DELAYS_FREE - 1);
	source->until = now_ms + 1000 * (seconds < DELAYS_MAX_S ? seconds : DELAYS_MAX_S);
}

void delays_succeeded(const char *name, uint32_t token)
{
	struct source *source = find(name, token);

	if (source)
		source->failures = 0;
}
