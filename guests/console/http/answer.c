/* answer.c: from a handler's answer to what goes out. */
#include "answer.h"
#include "guests/lib/bh_string.h"
#include "parts.h"
#include "status.h"

#define CLOCK_IS_SET 1577836800u /* the first second of 2020 */

static uint64_t (*clock_seconds)(void);

static bool harmless(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

void http_header(struct http *http, const char *name, const char *value)
{
	struct text text = text_in(http->extra + http->extra_count, sizeof(http->extra) - http->extra_count);

	if (http->answered || !harmless(value))
		return;
	text_add(&text, name);
	text_add(&text, ": ");
	text_add(&text, value);
	text_add(&text, "\r\n");
	if (!text.cut)
		http->extra_count += text.used;
}

/* The first answer counts. It begins with an empty body. */
static bool begin(struct http *http)
{
	if (http->answered)
		return false;
	http->answered = true;
	http->state = HTTP_ANSWERS;
	http->closing = http->closing || http->unread;
	http->out_count = http->out_sent = HTTP_FRONT_BYTES;
	http_expect(http, HTTP_SEND_MS);
	return true;
}

/* How the end of the body is told (RFC 9112, 6.3): by length, by chunks, by the connection's end. */
static void add_framing(struct http *http, struct text *head, unsigned status, const uint64_t *length)
{
	if (length && status != 204 && status != 304)
		text_printf(head, "Content-Length: %llu\r\n", (unsigned long long)*length);
	else if (!length && !http->request.old)
		text_add(head, "Transfer-Encoding: chunked\r\n");
	http->chunked = !length && !http->request.old;
	http->closing = http->closing || (!length && http->request.old);
	if (http->closing)
		text_add(head, "Connection: close\r\n");
	else if (http->request.old)
		text_add(head, "Connection: keep-alive\r\n");
}

void http_set_clock(uint64_t (*seconds)(void)) { clock_seconds = seconds; }

static void add_date(struct text *head)
{
	uint64_t now = clock_seconds ? clock_seconds() : 0;

	if (now < CLOCK_IS_SET)
		return;
	text_add(head, "Date: ");
	text_date(head, now);
	text_add(head, "\r\n");
}

/* The head goes directly in front of what `out` holds of the body, which a HEAD does not get. */
static void put_head(struct http *http, unsigned status, const char *type, const uint64_t *length)
{
	char space[HTTP_FRONT_BYTES - HTTP_CHUNK_HEAD];
	struct text head = text_in(space, sizeof(space));

	text_printf(&head, "HTTP/1.1 %u %s\r\n", status, http_status_words(status));
	add_date(&head);
	if (type)
		text_printf(&head, "Content-Type: %s\r\n", type);
	text_bytes(&head, http->extra, http->extra_count);
	text_add(&head, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
	add_framing(http, &head, status, length);
	text_add(&head, "\r\n");
	http->out_sent = HTTP_FRONT_BYTES - HTTP_CHUNK_HEAD - head.used;
	if (!http->chunked)
		http->out_sent += HTTP_CHUNK_HEAD;
	memcpy(http->out + http->out_sent, space, head.used);
	if (http->request.method == HTTP_HEAD || !length)
		http->out_count = http->out_sent + head.used;
	if (http->request.method == HTTP_HEAD) {
		http->memory_left = 0;
		http->producer = NULL;
		http->finished = true;
	}
}

void http_answer(struct http *http, unsigned status, const char *type, const char *body)
{
	uint64_t length = body ? strlen(body) : 0;

	if (length > HTTP_PIECE_BYTES)
		length = HTTP_PIECE_BYTES;
	http_header(http, "Cache-Control", "no-store");
	if (!begin(http))
		return;
	if (body)
		memcpy(http->out + HTTP_FRONT_BYTES, body, length);
	http->out_count += length;
	http->finished = true;
	put_head(http, status, type, &length);
}

void http_problem(struct http *http, unsigned status, const char *detail)
{
	char body[512];

	http_problem_text(body, sizeof(body), status, detail);
	http_answer(http, status, "application/problem+json", body);
}

void http_send_memory(struct http *http, unsigned status, const char *type, const uint8_t *data, uint64_t bytes)
{
	if (!begin(http))
		return;
	http->memory = data;
	http->memory_left = bytes;
	http->finished = true;
	put_head(http, status, type, &bytes);
}

/* ---- produced ---- */

/* What the producer says, as long as a whole piece has room; false: a piece was cut. */
static bool fill(struct http *http, size_t from)
{
	struct text text = text_in(http->out + from, sizeof(http->out) - from - HTTP_CHUNK_HEAD);
	enum http_more more = HTTP_MORE;

	while (more == HTTP_MORE && text.room - text.used >= HTTP_PIECE_BYTES)
		more = http->producer(http, &text);
	http->finished = more == HTTP_END;
	http->out_count = from + text.used;
	return !text.cut;
}

static void frame_chunk(struct http *http, size_t from)
{
	size_t bytes = http->out_count - from;
	char head[HTTP_CHUNK_HEAD + 1];

	if (bytes) {
		struct text text = text_in(head, sizeof(head));

		text_printf(&text, "%06x\r\n", (unsigned)bytes);
		memcpy(http->out + from - HTTP_CHUNK_HEAD, head, HTTP_CHUNK_HEAD);
		memcpy(http->out + http->out_count, "\r\n", 2);
		http->out_count += 2;
	}
	if (http->finished) {
		memcpy(http->out + http->out_count, "0\r\n\r\n", 5);
		http->out_count += 5;
	}
}

void http_produce(struct http *http, unsigned status, const char *type, http_producer producer)
{
	uint64_t length;
	size_t end;

	http_header(http, "Cache-Control", "no-store");
	if (!begin(http))
		return;
	http->producer = producer;
	if (!fill(http, HTTP_FRONT_BYTES)) {
		http->answered = false;
		http_problem(http, 500, "A part of the answer is larger than there is room for.");
		return;
	}
	length = http->out_count - HTTP_FRONT_BYTES;
	if (http->finished) {
		put_head(http, status, type, &length);
		return;
	}
	end = http->out_count;
	put_head(http, status, type, NULL);
	if (!http->producer || end == HTTP_FRONT_BYTES)
		return;
	http->out_count = end;
	if (http->chunked)
		frame_chunk(http, HTTP_FRONT_BYTES);
}

void http_stream(struct http *http, http_producer producer)
{
	http_header(http, "Cache-Control", "no-store");
	if (!begin(http))
		return;
	http->producer = producer;
	http->streams = true;
	http->heartbeat = http_now() + HTTP_BEAT_MS;
	put_head(http, 200, "text/event-stream", NULL);
}

/* A comment (HTML, 9.2.6), so that a peer that is gone is found. */
static enum http_more beat(struct http *http, struct text *text)
{
	(void)http;
	text_add(text, ": \n\n");
	return HTTP_LATER;
}

static bool refill(struct http *http)
{
	size_t from = http->chunked ? HTTP_CHUNK_HEAD : 0;
	http_producer producer = http->producer;
	bool whole = fill(http, from);

	if (whole && http->streams && http->out_count == from && !http->finished && http_now() >= http->heartbeat) {
		http->producer = beat;
		fill(http, from);
		http->producer = producer;
	}
	if (http->out_count > from)
		http->heartbeat = http_now() + HTTP_BEAT_MS;
	http->out_sent = http->chunked && http->out_count == from ? from : 0;
	if (http->chunked)
		frame_chunk(http, from);
	if (http->out_count > http->out_sent)
		http_expect(http, HTTP_SEND_MS);
	return whole;
}

static size_t send(struct http *http, const void *data, size_t bytes)
{
	size_t room = http->transport->room(http->wire);

	if (bytes > room)
		bytes = room;
	if (bytes) {
		http->transport->send(http->wire, data, bytes);
		http_progressed(http, bytes, HTTP_SEND_MS);
	}
	return bytes;
}

/* Returns false when the wire takes no more now. */
static bool send_some(struct http *http)
{
	size_t sent;

	if (http->out_sent < http->out_count) {
		sent = send(http, http->out + http->out_sent, http->out_count - http->out_sent);
		http->out_sent += sent;
		return sent > 0;
	}
	sent = send(http, http->memory, http->memory_left);
	http->memory += sent;
	http->memory_left -= sent;
	return sent > 0;
}

bool http_output(struct http *http)
{
	for (;;) {
		while (http->out_sent < http->out_count || http->memory_left)
			if (!send_some(http))
				return false;
		if (http->finished)
			return true;
		if (!refill(http)) {
			http->closing = true;
			return true;
		}
		if (http->out_sent == http->out_count && !http->finished)
			return false;
	}
}
