/* fake_wire.h: the end of a connection that a test holds: what http sends, with as much room as the test gives. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guests/console/http/http.h"

struct wire {
	char out[1 << 18]; /* ends with 0 */
	size_t count, room;
	bool closed;
	struct http *http;
};

#define WIRE_REQUIRE(condition)   \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static size_t wire_room(void *context)
{
	struct wire *wire = context;

	WIRE_REQUIRE(!wire->closed);
	return wire->room;
}

static void wire_send(void *context, const void *data, size_t bytes)
{
	struct wire *wire = context;

	WIRE_REQUIRE(!wire->closed && bytes && bytes <= wire->room);
	if (wire->room != SIZE_MAX)
		wire->room -= bytes;
	if (bytes > sizeof(wire->out) - 1 - wire->count) /* only the beginning is of interest */
		bytes = sizeof(wire->out) - 1 - wire->count;
	memcpy(wire->out + wire->count, data, bytes);
	wire->count += bytes;
	wire->out[wire->count] = 0;
}

static void wire_close(void *context)
{
	struct wire *wire = context;

	WIRE_REQUIRE(!wire->closed);
	wire->closed = true;
}

static const struct http_transport wire_transport = { wire_room, wire_send, wire_close };

static inline bool wire_open(struct wire *wire, const char *source)
{
	wire->count = 0;
	wire->out[0] = 0;
	wire->room = SIZE_MAX;
	wire->closed = false;
	wire->http = http_open(&wire_transport, wire, source);
	return wire->http != NULL;
}

/* The peer sends; what is answered at once is in `out`, after what was there. */
static inline void wire_says(struct wire *wire, const void *data, size_t bytes)
{
	if (!wire->closed)
		http_receive(wire->http, data, bytes);
}

static inline void wire_types(struct wire *wire, const char *text) { wire_says(wire, text, strlen(text)); }

/* There is room for `bytes` more. */
static inline void wire_takes(struct wire *wire, size_t bytes)
{
	wire->room = bytes;
	if (!wire->closed)
		http_sent(wire->http);
}

static inline void wire_hangs_up(struct wire *wire)
{
	if (!wire->closed)
		http_gone(wire->http);
	wire->closed = true;
}
