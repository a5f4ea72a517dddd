/* parts.h: a connection, as the sources of this folder share it. */
#pragma once
#include "answer.h"
#include "http.h"
#include "route.h"

#define HTTP_LINE_BYTES	   4096	 /* a longer header: 431 */
#define HTTP_HEAD_BYTES	   16384 /* a longer head: 431 */
#define HTTP_HEADERS	   64
#define HTTP_PENDING_BYTES 4096 /* of requests that follow before the answer is complete */
#define HTTP_FRONT_BYTES   1536 /* of `out`: status line and headers of the answer */
#define HTTP_OUT_BYTES	   8192
#define HTTP_EXTRA_BYTES   512
#define HTTP_CHUNK_HEAD	   8 /* "001000\r\n" */

enum http_state {
	HTTP_FREE,
	HTTP_READS_HEAD,
	HTTP_READS_BODY,
	HTTP_ANSWERS,
	HTTP_LINGERS, /* the last answer is out; what the peer still sends is thrown away, so that it can read that */
};

enum http_chunk { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER };

struct http_request {
	enum http_method method;
	bool old; /* HTTP/1.0 */
	char target[HTTP_TARGET_BYTES];
	const char *query; /* within target; not decoded */
	unsigned headers;
	bool has_host, has_length, has_coding, chunked, keep, close, expects, refuses_gzip, takes_none;
	uint64_t length;
	char authorization[160], cookie[80], csrf[80], type[64], none_match[160], last_event[32];
	char parameter[HTTP_PARAMETERS][HTTP_PARAMETER_BYTES];
	const struct http_route *route;
};

struct http {
	enum http_state state;
	const struct http_transport *transport;
	void *wire;
	char source[HTTP_SOURCE_BYTES];
	uint64_t deadline;  /* of what the peer is to do next */
	uint64_t progress;  /* bytes since the deadline was set */
	uint64_t heartbeat; /* of a stream: when something must be said */

	/* what comes in */
	char line[HTTP_LINE_BYTES];
	size_t line_count, head_count;
	bool after_return;
	bool in_headers; /* the request line is complete */
	bool closing;	 /* no request comes after this one */
	bool unread;	 /* the request is not complete, and nobody reads on */
	enum http_chunk chunk;
	uint64_t skip;	    /* of the body of a request that was answered without it */
	uint64_t body_left; /* of the body or the chunk */
	uint64_t body_count;
	char body[HTTP_BODY_BYTES + 1];
	uint8_t pending[HTTP_PENDING_BYTES];
	size_t pending_count;
	struct http_request request;

	/* what goes out */
	bool answered, chunked, streams, finished;
	http_producer producer;
	char extra[HTTP_EXTRA_BYTES];
	size_t extra_count;
	char out[HTTP_OUT_BYTES];
	size_t out_count, out_sent;
	const uint8_t *memory; /* goes out after `out` */
	size_t memory_left;
	_Alignas(16) uint8_t own[HTTP_OWN_BYTES];
};

/* parse.c: one line of the head, without its end; 0 or the status to refuse it with. */
unsigned http_parse_request_line(struct http *http, char *line);
/* The target to path and query, where it stands; 0 or a status. */
unsigned http_parse_target(struct http_request *request);
/* One hexadecimal digit; -1: it is none. */
int http_hex(char c);
bool http_is_token(char c);
/* Equal but for capitals. */
bool http_same(const char *a, const char *b);

/* header.c: a line of the head, or of the trailer, which is checked and not believed; 0 or a status. */
unsigned http_parse_header(struct http *http, char *line, bool trailer);
/* A member of a list equals `word`, but for capitals. */
bool http_lists(const char *list, const char *word);

/* receive.c: one byte of a line that ends with CR LF; true: `line` is complete, with a 0 in place of these. */
bool http_line_byte(struct http *http, uint8_t byte);
/* Takes bytes until they are used up or an answer is due; returns how many. */
size_t http_take(struct http *http, const uint8_t *data, size_t bytes);
/* Refuses the request; nothing that comes after it is read. */
void http_refuse(struct http *http, unsigned status, const char *detail);
/* Ready for the next request. */
void http_next(struct http *http);

/* body.c */
void http_body_start(struct http *http);
size_t http_body_take(struct http *http, const uint8_t *data, size_t bytes);

/* route.c: finds who is to handle the request, or answers. False: it has been answered. */
bool http_find(struct http *http);

/* answer.c: sends what there is room for; true when the answer is complete. */
bool http_output(struct http *http);

/* answer.c: memory that stays as body. */
void http_send_memory(struct http *http, unsigned status, const char *type, const uint8_t *data, uint64_t bytes);

/* connection.c: the time for what the peer is to do next begins now. */
void http_expect(struct http *http, uint64_t milliseconds);
/* Some of it was done. */
void http_progressed(struct http *http, size_t bytes, uint64_t milliseconds);

#define HTTP_IDLE_MS   30000
#define HTTP_HEAD_MS   10000
#define HTTP_BODY_MS   15000 /* for each KiB */
#define HTTP_SEND_MS   20000 /* for each KiB */
#define HTTP_LINGER_MS 2000
#define HTTP_BEAT_MS   15000
