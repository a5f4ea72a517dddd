/*
 * route.h: which requests there are, who handles them, and what a handler can ask about one.
 *
 * A route's function runs when the whole request is there, and answers (answer.h) before it returns; long answers are
 * produced piece by piece later.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "http.h"

#define HTTP_TARGET_BYTES    1024 /* a longer target: 414 */
#define HTTP_BODY_BYTES	     4096 /* the largest body that a route can have as a whole */
#define HTTP_PARAMETERS	     2
#define HTTP_PARAMETER_BYTES 64 /* a longer segment matches no {name} */
#define HTTP_OWN_BYTES	     192
#define HTTP_COOKIE	     "__Host-bulkhead" /* the one cookie that is looked at */

enum http_method {
	HTTP_GET = 0x1,
	HTTP_HEAD = 0x2, /* answered by a route of GET */
	HTTP_POST = 0x4,
	HTTP_PUT = 0x8,
	HTTP_DELETE = 0x10,
	HTTP_PATCH = 0x20,
	HTTP_OPTIONS = 0x40 /* answered by http itself */
};

struct http_route {
	enum http_method method;
	const char *path; /* "/api/v1/partitions/{name}": {...} is one segment, and a parameter */
	void (*run)(struct http *http);
	const char *type;  /* of the body, which must be there; NULL: the request has none */
	uint64_t body_max; /* 0: HTTP_BODY_BYTES; only with `piece` can it be more */
	/* NULL: the body is kept, for http_body. Otherwise it comes in pieces; this may answer before the last. */
	void (*piece)(struct http *http, const uint8_t *data, size_t bytes);
	uint32_t tag; /* for the gate */
};

struct http_table {
	const struct http_route *routes; /* the first that fits is taken */
	unsigned count;
	/* Before a body is taken and before `run`: true, or it has answered. NULL: everybody may do everything. */
	bool (*gate)(struct http *http, const struct http_route *route);
	/* GET of what no route has; true: it has answered. NULL: there is nothing else. */
	bool (*otherwise)(struct http *http);
};

/* The table stays the caller's. Before the first connection. */
void http_serve(const struct http_table *table);

/* ---- the request; texts are valid until the answer is complete ---- */

enum http_method http_method(const struct http *http); /* HTTP_HEAD for a HEAD */
const char *http_path(const struct http *http);	       /* decoded, begins with '/', without "." ".." "//" */
const char *http_parameter(const struct http *http, unsigned index);

/* The value of `key` in the query, decoded, cut to `size` - 1; false if it is not there or holds what cannot be. */
bool http_query(const struct http *http, const char *key, char *to, size_t size);

/* Of the headers; "" if it was not there. */
const char *http_authorization(const struct http *http);
const char *http_cookie(const struct http *http); /* value of HTTP_COOKIE */
const char *http_csrf(const struct http *http);	  /* X-CSRF-Token */
const char *http_last_event(const struct http *http);

/* The body as a whole; empty if it came in pieces. It ends with a 0 that does not count. */
const char *http_body(const struct http *http, size_t *bytes);

const char *http_source(const struct http *http);
uint64_t http_now(void); /* as http_tick was told */

/* HTTP_OWN_BYTES for the gate and the handler, zero at the start of each request, aligned to 16. */
void *http_own(struct http *http);
