/* receive.c: from bytes to a request (RFC 9112, 2.2). */
#include "guests/lib/bh_string.h"
#include "parts.h"

void http_refuse(struct http *http, unsigned status, const char *detail)
{
	http->unread = true;
	http_problem(http, status, detail);
}

/* Only CR LF ends a line: whoever takes less could see other requests than somebody in between. */
bool http_line_byte(struct http *http, uint8_t byte)
{
	if (byte == 0 || (byte == '\n') != http->after_return) {
		http_refuse(http, 400, "A line ends with CR LF, and holds neither CR, LF nor 0.");
		return false;
	}
	http->after_return = byte == '\r';
	if (byte == '\r')
		return false;
	if (byte == '\n') {
		http->line[http->line_count] = 0;
		http->line_count = 0;
		return true;
	}
	if (http->line_count + 1 == sizeof(http->line)) {
		http_refuse(http, http->in_headers ? 431 : 414, "A line is too long.");
		return false;
	}
	http->line[http->line_count++] = (char)byte;
	return false;
}

static const char *detail_of(unsigned status)
{
	switch (status) {
	case 404: return "There is no such resource: its path has an empty segment.";
	case 413: return "The body is too large.";
	case 414: return "The target is too long.";
	case 417: return "The only expectation that is met is 100-continue.";
	case 431: return "There are too many headers.";
	case 501: return "This method or transfer coding is not implemented.";
	case 505: return "Only HTTP/1.0 and HTTP/1.1 are spoken here.";
	default: return "The request is malformed.";
	}
}

/* If it is refused before its body has come, a short one is thrown away, and the connection stays. */
static bool skippable(const struct http_request *request)
{
	return !request->chunked && !request->expects && request->length <= HTTP_BODY_BYTES;
}

static void head_done(struct http *http)
{
	struct http_request *request = &http->request;
	bool has_body = request->chunked || request->length;

	http->closing = request->old ? !request->keep : request->close;
	http->unread = has_body && !skippable(request);
	http->skip = has_body && !http->unread ? request->length : 0;
	if (!request->old && !request->has_host)
		http_refuse(http, 400, "The Host header is missing.");
	else if (request->has_length && request->has_coding)
		http_refuse(http, 400, "Content-Length and Transfer-Encoding exclude each other.");
	else if (http_find(http)) {
		http->skip = 0;
		http->unread = has_body;
		http_body_start(http);
	}
}

static void head_line(struct http *http)
{
	unsigned status;

	if (!http->line[0] && http->in_headers) {
		head_done(http);
		return;
	}
	/* Empty lines before a request are those of clients that end a body with one (RFC 9112, 2.2). */
	if (!http->line[0])
		return;
	status = http->in_headers ? http_parse_header(http, http->line, false)
				  : http_parse_request_line(http, http->line);
	http->in_headers = true;
	if (status)
		http_refuse(http, status, detail_of(status));
}

static void head_byte(struct http *http, uint8_t byte)
{
	if (!http->head_count++)
		http_expect(http, HTTP_HEAD_MS);
	if (http->head_count > HTTP_HEAD_BYTES)
		http_refuse(http, 431, "The head of the request is too large.");
	else if (http_line_byte(http, byte))
		head_line(http);
}

static size_t skip(struct http *http, size_t bytes)
{
	size_t count = bytes < http->skip ? bytes : (size_t)http->skip;

	http->skip -= count;
	return count;
}

size_t http_take(struct http *http, const uint8_t *data, size_t bytes)
{
	size_t taken = skip(http, bytes);

	while (taken < bytes) {
		switch (http->state) {
		case HTTP_READS_HEAD: head_byte(http, data[taken++]); break;
		case HTTP_READS_BODY: taken += http_body_take(http, data + taken, bytes - taken); break;
		case HTTP_ANSWERS: taken += skip(http, bytes - taken); return http->closing ? bytes : taken;
		default: return bytes;
		}
	}
	return taken;
}

void http_next(struct http *http)
{
	http->state = HTTP_READS_HEAD;
	http->line_count = http->head_count = 0;
	http->after_return = http->in_headers = http->closing = http->unread = false;
	http->body_count = 0;
	memset(&http->request, 0, sizeof(http->request));
	http->request.query = "";
	http->answered = http->chunked = http->streams = http->finished = false;
	http->producer = NULL;
	http->extra_count = http->out_count = http->out_sent = http->memory_left = 0;
	memset(http->own, 0, sizeof(http->own));
	http_expect(http, HTTP_IDLE_MS);
}
