/* audit.c: the journal of changes (users/journal.h). */
#include "guests/console/users/journal.h"
#include "parts.h"

static unsigned count(struct http *http) { return (unsigned)(api_request(http)->end - api_request(http)->position); }

static bool put(struct http *http, struct api_request *request, struct json *json)
{
	const struct journal_entry *entry = journal_entry(request->position + request->step);

	(void)http;
	if (!entry)
		return true;
	json_open(json, NULL, '{');
	json_number(json, "number", entry->number);
	json_number(json, "time", entry->seconds);
	json_string(json, "who", entry->who);
	json_string(json, "source", entry->source);
	json_string(json, "what", entry->what);
	json_string(json, "result", entry->result);
	json_close(json, '}');
	return true;
}

static enum http_more produce(struct http *http, struct text *text)
{
	static const struct api_list list = { NULL, "entries", count, put };

	return api_list(http, text, &list);
}

void api_get_audit(struct http *http)
{
	api_request(http)->position = journal_first();
	api_request(http)->end = journal_next();
	api_json(http, 200, produce);
}
