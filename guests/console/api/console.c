/*
 * console.c: what a partition prints, and what is typed to it.
 *
 * The stream's events are "output": id: the position after it, data: the bytes in base64. It begins with what is kept,
 * or behind Last-Event-ID; what went by meanwhile is told by "lost".
 */
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"
#include "parts.h"

#define PIECE 1024

static bool has_console(struct http *http)
{
	struct view_partition partition;

	view_partition(api_request(http)->partition, &partition);
	if (partition.console)
		return true;
	http_problem(http, 404, "This partition has no console.");
	return false;
}

/* ---- what is kept, as it is ---- */

static enum http_more produce_kept(struct http *http, struct text *text)
{
	struct api_request *request = api_request(http);
	uint64_t first, end, left = request->end - request->position;
	char piece[PIECE];

	view_console(request->partition, &first, &end);
	if (request->position < first || !left)
		return HTTP_END;

	size_t count = view_console_read(request->partition, request->position, piece,
					 left < sizeof(piece) ? (size_t)left : sizeof(piece));

	text_bytes(text, piece, count);
	request->position += count;
	return count ? HTTP_MORE : HTTP_END;
}

void api_get_console(struct http *http)
{
	struct api_request *request = api_request(http);

	if (!has_console(http))
		return;
	view_console(request->partition, &request->position, &request->end);
	http_produce(http, 200, "application/octet-stream", produce_kept);
}

/* ---- as it comes ---- */

static void put_event(struct text *text, const char *piece, size_t bytes, uint64_t end)
{
	struct json json = json_in(text, false);

	text_printf(text, "id: %llu\nevent: output\ndata: ", (unsigned long long)end);
	json_base64(&json, NULL, piece, bytes);
	text_add(text, "\n\n");
}

static enum http_more produce_stream(struct http *http, struct text *text)
{
	struct api_request *request = api_request(http);
	uint64_t first, end;
	char piece[PIECE];
	size_t count;

	if (!api_sees(http, request->partition))
		return HTTP_END;
	view_console(request->partition, &first, &end);
	if (request->position < first) {
		text_printf(text, "id: %llu\nevent: lost\ndata: %llu\n\n", (unsigned long long)first,
			    (unsigned long long)(first - request->position));
		request->position = first;
		return HTTP_MORE;
	}
	count = view_console_read(request->partition, request->position, piece, sizeof(piece));
	if (!count)
		return HTTP_LATER;
	request->position += count;
	put_event(text, piece, count, request->position);
	return HTTP_MORE;
}

void api_get_console_stream(struct http *http)
{
	struct api_request *request = api_request(http);
	uint64_t first, end, last;

	if (!has_console(http))
		return;
	view_console(request->partition, &first, &end);
	request->position = first;
	/* A number from before a restart of this service means nothing now. */
	if (api_number(http_last_event(http), &last) && last <= end)
		request->position = last;
	http_stream(http, produce_stream);
}

/* ---- typed ---- */

void api_post_console(struct http *http)
{
	char answer[40];
	size_t bytes;
	const char *typed = http_body(http, &bytes);

	if (!has_console(http))
		return;
	bh_snprintf(answer, sizeof(answer), "{\"taken_bytes\":%u}\n",
		    (unsigned)view_console_type(api_request(http)->partition, typed, bytes));
	http_answer(http, 200, "application/json", answer);
}
