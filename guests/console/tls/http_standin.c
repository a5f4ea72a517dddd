#include "http_standin.h"
#include <stdbool.h>
#include "guests/lib/bh_string.h"

#define CONNECTIONS 40
#define PATIENCE_MS 10000

struct http {
	const struct http_transport *transport; /* NULL: free */
	void *wire;
	uint64_t since; /* 0: not seen by a tick yet */
	uint32_t last;	/* bytes received */
};

static struct http pool[CONNECTIONS];

struct http *http_open(const struct http_transport *transport, void *wire, const char *source)
{
	(void)source;
	for (struct http *http = pool; http < pool + CONNECTIONS; http++) {
		if (http->transport)
			continue;
		*http = (struct http){ .transport = transport, .wire = wire };
		return http;
	}
	return NULL;
}

static void end(struct http *http)
{
	const struct http_transport *transport = http->transport;

	http->transport = NULL;
	transport->close(http->wire);
}

void http_receive(struct http *http, const uint8_t *data, size_t bytes)
{
	static const char answer[] =
		"HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\nConnection: close\r\n\r\nNot here.\n";

	for (size_t i = 0; i < bytes; i++) {
		http->last = http->last << 8 | data[i];
		if (http->last != 0x0d0a0d0a)
			continue;
		if (http->transport->room(http->wire) >= sizeof(answer) - 1)
			http->transport->send(http->wire, answer, sizeof(answer) - 1);
		end(http);
		return;
	}
}

void http_sent(struct http *http) { (void)http; }

void http_gone(struct http *http) { http->transport = NULL; }

void http_tick(uint64_t now_ms)
{
	for (struct http *http = pool; http < pool + CONNECTIONS; http++) {
		if (!http->transport)
			continue;
		if (!http->since)
			http->since = now_ms;
		else if (now_ms - http->since > PATIENCE_MS)
			end(http);
	}
}
