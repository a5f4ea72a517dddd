/*
 * answer.h: answers of handlers. Each request gets exactly one; the first that is given counts.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "http.h"
#include "text.h"

#define HTTP_PIECE_BYTES 2048 /* room that a producer has at each call, at least */

/* A header of the answer to come. No CR, LF or 0 in `value`; all together 512 bytes. */
void http_header(struct http *http, const char *name, const char *value);

/* `body` is copied: at most HTTP_PIECE_BYTES. `type` NULL: no body (204). */
void http_answer(struct http *http, unsigned status, const char *type, const char *body);

/* Problem details (RFC 9457). `detail`: a sentence of our own; what is not printable in it becomes '.'. */
void http_problem(struct http *http, unsigned status, const char *detail);

/* ---- produced ---- */

enum http_more {
	HTTP_MORE,  /* call again when there is room */
	HTTP_END,   /* that was all */
	HTTP_LATER, /* event streams: nothing to tell now */
};

/*
 * Adds a piece of at most HTTP_PIECE_BYTES to `text`. Where it stands it keeps in http_own. A piece that is cut ends
 * the connection.
 */
typedef enum http_more (*http_producer)(struct http *http, struct text *text);

void http_produce(struct http *http, unsigned status, const char *type, http_producer producer);

/* text/event-stream: the producer is called until the peer goes, or it says HTTP_END. */
void http_stream(struct http *http, http_producer producer);

/* ---- files that are built in ---- */

struct http_file {
	const char *path, *type;
	const char *encoding; /* as it lies here: "gzip"; NULL: as it is */
	const char *tag;      /* of the content, with its quotes */
	const uint8_t *data;
	size_t bytes;
};

/* With ETag; 304 if the client has it, 406 if it does not take the encoding. */
void http_send_file(struct http *http, const struct http_file *file);
