/* list.c: answers that are put together from pieces. */
#include "guests/lib/bh_string.h"
#include "parts.h"

void api_json(struct http *http, unsigned status, http_producer producer)
{
	http_produce(http, status, "application/json", producer);
}

static void open_list(struct http *http, struct text *text, const struct api_list *list)
{
	struct json json = json_in(text, false);

	json_open(&json, NULL, '{');
	if (list->head)
		list->head(http, &json);
	json_open(&json, list->key, '[');
}

enum http_more api_list(struct http *http, struct text *text, const struct api_list *list)
{
	struct api_request *request = api_request(http);
	struct json json = json_in(text, request->after);
	size_t before = text->used;

	if (!request->opened) {
		request->opened = true;
		open_list(http, text, list);
		return HTTP_MORE;
	}
	if (request->step >= list->count(http)) {
		text_add(text, "]}\n");
		return HTTP_END;
	}
	if (list->element(http, request, &json)) {
		request->step++;
		request->inner = 0;
	} else {
		request->inner++;
	}
	request->after = request->after || text->used > before;
	return HTTP_MORE;
}

/* One byte is six at most when it is escaped. */
bool api_escape_some(struct http *http, struct text *text, api_reader reader)
{
	struct api_request *request = api_request(http);
	char piece[HTTP_PIECE_BYTES / 8];
	size_t length = 0;

	while (length + 8 <= sizeof(piece)) {
		unsigned count = reader(http, request->position, piece + length);

		if (!count)
			break;
		length += count;
		request->position += count;
	}
	json_escape(text, piece, length);
	return length > 0;
}
