/*
 * http.h: HTTP/1.1 (RFC 9110, RFC 9112) over any transport: what the transport calls. What a handler of requests calls
 * is in route.h and answer.h.
 *
 * One vCPU. None of these functions may be called from within the transport's own functions below.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define HTTP_CONNECTIONS  40
#define HTTP_SOURCE_BYTES 48

/* What a connection can do with the wire. One per TCP or TLS connection. */
struct http_transport {
	size_t (*room)(void *wire);				  /* bytes that send takes now */
	void (*send)(void *wire, const void *data, size_t bytes); /* at most room() of them; copied */
	void (*close)(void *wire); /* after what was sent has left; http calls nothing after it */
};

struct http; /* a connection, from a pool of HTTP_CONNECTIONS */

/*
 * A new connection. `source` is the peer's address as text, for delays and the audit. NULL if none is free, not even by
 * closing one that waits for its next request.
 */
struct http *http_open(const struct http_transport *transport, void *wire, const char *source);

/* Any piece of the stream; all of it is taken or the connection is closed. */
void http_receive(struct http *http, const uint8_t *data, size_t bytes);

/* There is more room than before. */
void http_sent(struct http *http);

/* The peer has closed or reset: http forgets it, close() is not called. */
void http_gone(struct http *http);

/* A few times a second: time-outs (idle, slow head, slow body, slow reader), event streams. The clock only grows. */
void http_tick(uint64_t now_ms);

/*
 * The clock, in seconds since 1970, for the Date of answers. Below that of 2020 it is taken for one that nobody has
 * set: then there is no Date (RFC 9110, 6.6.1). Without this call, too.
 */
void http_set_clock(uint64_t (*seconds)(void));

/* How many of the pool are in use. */
unsigned http_used(void);

/* Something has happened that event streams may want to tell now. */
void http_wake(void);
