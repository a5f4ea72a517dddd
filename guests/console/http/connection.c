/* connection.c: the pool of connections, and the time that each has. */
#include "guests/lib/bh_string.h"
#include "parts.h"

static struct http pool[HTTP_CONNECTIONS];
static uint64_t now;

uint64_t http_now(void) { return now; }

void http_expect(struct http *http, uint64_t milliseconds)
{
	http->deadline = now + milliseconds;
	http->progress = 0;
}

/* One byte now and then is no progress: it would hold the connection for ever. */
void http_progressed(struct http *http, size_t bytes, uint64_t milliseconds)
{
	http->progress += bytes;
	if (http->progress >= 1024)
		http_expect(http, milliseconds);
}

static void end(struct http *http)
{
	http->state = HTTP_FREE;
	http->transport->close(http->wire);
}

static void answer_done(struct http *http)
{
	if (!http->closing) {
		http_next(http);
	} else if (http->unread) {
		http->state = HTTP_LINGERS;
		http_expect(http, HTTP_LINGER_MS);
	} else {
		end(http);
	}
}

/* Answers, and takes the requests that came meanwhile, until the wire or the peer has to do something. */
static void run(struct http *http)
{
	for (;;) {
		size_t taken;

		if (http->state == HTTP_ANSWERS) {
			if (!http_output(http))
				return;
			answer_done(http);
		}
		if (http->state == HTTP_FREE || !http->pending_count)
			return;
		taken = http_take(http, http->pending, http->pending_count);
		http->pending_count -= taken;
		memmove(http->pending, http->pending + taken, http->pending_count);
		if (!taken)
			return;
	}
}

/* What nobody can take now waits; a peer that sends more than has room gets no more answers after this one. */
static void keep(struct http *http, const uint8_t *data, size_t bytes)
{
	if (bytes > sizeof(http->pending) - http->pending_count) {
		http->closing = http->unread = true;
		http->pending_count = 0;
		return;
	}
	memcpy(http->pending + http->pending_count, data, bytes);
	http->pending_count += bytes;
}

void http_receive(struct http *http, const uint8_t *data, size_t bytes)
{
	while (bytes) {
		size_t taken = http->pending_count ? 0 : http_take(http, data, bytes);

		data += taken;
		bytes -= taken;
		run(http);
		if (http->state == HTTP_FREE)
			return;
		/* It is still being answered. */
		if (bytes && http->state == HTTP_ANSWERS) {
			if (!http->closing)
				keep(http, data, bytes);
			return;
		}
	}
}

void http_sent(struct http *http) { run(http); }

void http_gone(struct http *http) { http->state = HTTP_FREE; }

/* ---- opening ---- */

static bool waits(const struct http *http) { return http->state == HTTP_READS_HEAD && !http->head_count; }

/* A free one, or the one that has waited longest for its next request. */
static struct http *find(void)
{
	struct http *oldest = NULL;

	for (unsigned i = 0; i < HTTP_CONNECTIONS; i++) {
		struct http *http = &pool[i];

		if (http->state == HTTP_FREE)
			return http;
		if (waits(http) && (!oldest || http->deadline < oldest->deadline))
			oldest = http;
	}
	if (oldest)
		end(oldest);
	return oldest;
}

struct http *http_open(const struct http_transport *transport, void *wire, const char *source)
{
	struct http *http = find();

	if (!http)
		return NULL;
	http->transport = transport;
	http->wire = wire;
	http->pending_count = 0;
	http->skip = 0;
	bh_strlcpy(http->source, source, sizeof(http->source));
	http_next(http);
	return http;
}

/* ---- time ---- */

static void expire(struct http *http)
{
	bool reads = http->state == HTTP_READS_BODY || (http->state == HTTP_READS_HEAD && http->head_count);

	if (!reads) {
		end(http);
		return;
	}
	http_refuse(http, 408, "The request did not come in time.");
	run(http);
}

/* A stream with nothing to send has all the time there is. */
static bool late(const struct http *http)
{
	bool idle = http->state == HTTP_ANSWERS && http->streams && http->out_sent == http->out_count;

	return !idle && now >= http->deadline;
}

unsigned http_used(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < HTTP_CONNECTIONS; i++)
		count += pool[i].state != HTTP_FREE;
	return count;
}

void http_wake(void)
{
	for (unsigned i = 0; i < HTTP_CONNECTIONS; i++)
		if (pool[i].state == HTTP_ANSWERS && pool[i].streams)
			run(&pool[i]);
}

void http_tick(uint64_t now_ms)
{
	now = now_ms;
	for (unsigned i = 0; i < HTTP_CONNECTIONS; i++)
		if (pool[i].state != HTTP_FREE && late(&pool[i]))
			expire(&pool[i]);
	http_wake();
}
