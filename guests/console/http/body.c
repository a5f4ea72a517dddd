/* body.c: bodies of known length and in chunks (RFC 9112, 6 and 7). */
#include "guests/lib/bh_string.h"
#include "parts.h"

static uint64_t body_max(const struct http *http)
{
	uint64_t max = http->request.route->body_max;

	return max ? max : HTTP_BODY_BYTES;
}

static void finish(struct http *http)
{
	http->unread = false;
	if (!http->request.route->piece)
		http->body[http->body_count] = 0;
	http->request.route->run(http);
	if (!http->answered)
		http_problem(http, 500, "Nobody answered this request.");
}

/* If there is no room at once the client goes on by itself after a while (RFC 9110, 10.1.1). */
static void say_continue(struct http *http)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (http->request.expects && http->transport->room(http->wire) >= sizeof(text) - 1)
		http->transport->send(http->wire, text, sizeof(text) - 1);
}

void http_body_start(struct http *http)
{
	if (!http->unread) {
		finish(http);
		return;
	}
	http->state = HTTP_READS_BODY;
	http->chunk = CHUNK_SIZE;
	http->body_left = http->request.length;
	http->head_count = 0;
	http_expect(http, HTTP_BODY_MS);
	say_continue(http);
}

static void deliver(struct http *http, const uint8_t *data, size_t bytes)
{
	const struct http_route *route = http->request.route;

	if (route->piece)
		route->piece(http, data, bytes);
	else
		memcpy(http->body + http->body_count, data, bytes);
	http->body_count += bytes;
	http_progressed(http, bytes, HTTP_BODY_MS);
}

static size_t take_data(struct http *http, const uint8_t *data, size_t bytes)
{
	if (bytes > http->body_left)
		bytes = (size_t)http->body_left;
	deliver(http, data, bytes);
	http->body_left -= bytes;
	if (http->body_left || http->state != HTTP_READS_BODY)
		return bytes;
	if (http->request.chunked)
		http->chunk = CHUNK_DATA_END;
	else
		finish(http);
	return bytes;
}

/* Digits, and an extension that nobody knows; false: it is no such line. */
static bool parse_size(const char *line, uint64_t *size)
{
	unsigned digits = 0;

	*size = 0;
	for (; http_hex(*line) >= 0; line++) {
		*size = *size << 4 | (uint64_t)http_hex(*line);
		if (++digits > 15)
			return false;
	}
	if (!digits || (*line && *line != ';'))
		return false;
	for (; *line; line++)
		if (((unsigned char)*line < 0x20 && *line != '\t') || *line == 0x7f)
			return false;
	return true;
}

static void chunk_size(struct http *http)
{
	if (!parse_size(http->line, &http->body_left))
		http_refuse(http, 400, "The size of a chunk is malformed.");
	else if (http->body_left > body_max(http) - http->body_count)
		http_refuse(http, 413, "The body is too large.");
	else
		http->chunk = http->body_left ? CHUNK_DATA : CHUNK_TRAILER;
}

static void trailer(struct http *http)
{
	unsigned status;

	if (!http->line[0]) {
		finish(http);
		return;
	}
	status = http_parse_header(http, http->line, true);
	if (status == 431)
		http_refuse(http, 431, "The trailer is too large.");
	else if (status)
		http_refuse(http, 400, "The trailer is malformed.");
}

static void body_line(struct http *http)
{
	if (http->chunk == CHUNK_SIZE)
		chunk_size(http);
	else if (http->chunk == CHUNK_TRAILER)
		trailer(http);
	else if (http->line[0])
		http_refuse(http, 400, "A chunk is longer than its size.");
	else
		http->chunk = CHUNK_SIZE;
}

size_t http_body_take(struct http *http, const uint8_t *data, size_t bytes)
{
	if (!http->request.chunked || http->chunk == CHUNK_DATA)
		return take_data(http, data, bytes);
	if (http->chunk == CHUNK_TRAILER && ++http->head_count > HTTP_HEAD_BYTES)
		http_refuse(http, 431, "The trailer is too large.");
	else if (http_line_byte(http, *data))
		body_line(http);
	return 1;
}
