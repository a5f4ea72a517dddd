/* change.c: partitions that are made and removed, and the configuration that comes of it. */
#include "guests/console/http/status.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"
#include "session.h"

static unsigned status_of(enum view_change change)
{
	switch (change) {
	case VIEW_MISSING: return 404;
	case VIEW_BAD: return 422;
	case VIEW_NO_ROOM: return 507;
	default: return 409;
	}
}

void api_refuse(struct http *http, enum view_change change, const char *words, const char *key)
{
	char answer[HTTP_PIECE_BYTES];
	struct text text = text_in(answer, sizeof(answer) - 1);
	struct json json = json_in(&text, false);

	json_open(&json, NULL, '{');
	json_string(&json, "type", "about:blank");
	json_string(&json, "title", http_status_words(status_of(change)));
	json_number(&json, "status", status_of(change));
	json_string(&json, "detail", words);
	if (key && key[0])
		json_string(&json, "key", key);
	json_close(&json, '}');
	answer[text.used] = 0;
	http_answer(http, status_of(change), "application/problem+json", answer);
}

void api_removed(struct http *http, enum view_change change, const char *words)
{
	if (change == VIEW_DONE)
		http_answer(http, 204, NULL, NULL);
	else
		api_refuse(http, change, words, NULL);
}

/* ---- a new one ---- */

#define KEYS	    24
#define TEXTS_BYTES 4096

/* What the request says; one at a time, since nothing waits. */
static struct {
	char kind[8], name[64];
	struct view_key key[KEYS];
	unsigned keys;
	char texts[TEXTS_BYTES];
	size_t used;
} wanted;

static const char *keep(const struct json_value *value)
{
	char *text = wanted.texts + wanted.used;

	if (!json_get_string(value, text, sizeof(wanted.texts) - wanted.used))
		return NULL;
	wanted.used += strlen(text) + 1;
	return text;
}

static const char *read_keys(const struct json_value *object)
{
	struct json_place next = { 0 };
	struct json_value name, value;

	if (json_type(object) != JSON_OBJECT)
		return "keys is an object, as in bulkhead.conf: {\"memory\":\"256M\"}";
	while (json_next(object, &next, &name, &value)) {
		struct view_key *key = &wanted.key[wanted.keys];

		if (wanted.keys == KEYS)
			return "there are more keys than there can be";
		key->name = keep(&name);
		key->value = keep(&value);
		if (!key->name || !key->value)
			return "names and values of keys are strings, of 4000 bytes together at most";
		wanted.keys++;
	}
	return NULL;
}

static const char *read_member(const char *member, const struct json_value *value)
{
	if (!strcmp(member, "name"))
		return json_get_string(value, wanted.name, sizeof(wanted.name)) ? NULL : "name is a string";
	if (!strcmp(member, "kind"))
		return json_get_string(value, wanted.kind, sizeof(wanted.kind)) ? NULL : "kind is guest or native";
	if (!strcmp(member, "keys"))
		return wanted.keys ? "keys stands there twice" : read_keys(value);
	return "a partition has the members name, kind and keys only";
}

static const char *read_partition(const struct json_value *object)
{
	struct json_place next = { 0 };
	struct json_value key, value;
	const char *wrong = NULL;
	char member[16];

	memset(&wanted, 0, sizeof(wanted));
	if (json_type(object) != JSON_OBJECT)
		return "the body is an object";
	while (!wrong && json_next(object, &next, &key, &value)) {
		if (!json_get_string(&key, member, sizeof(member)))
			member[0] = 0;
		wrong = read_member(member, &value);
	}
	if (wrong)
		return wrong;
	if (strcmp(wanted.kind, "guest") && strcmp(wanted.kind, "native"))
		return "kind is guest or native";
	return wanted.name[0] ? NULL : "a name is missing";
}

void api_post_partition(struct http *http)
{
	char words[VIEW_SENTENCE], wrong_key[BH_NAME_BYTES] = "", location[128];
	struct json_value body;
	enum view_change change;
	const char *wrong;

	if (!api_body(http, &body))
		return;
	wrong = read_partition(&body);
	if (wrong) {
		bh_snprintf(words, sizeof(words), "No partition was made: %s.", wrong);
		api_refuse(http, VIEW_BAD, words, NULL);
		return;
	}
	change = view_create(wanted.kind, wanted.name, wanted.key, wanted.keys, words, wrong_key);
	if (change != VIEW_DONE) {
		api_refuse(http, change, words, wrong_key);
		return;
	}
	bh_snprintf(location, sizeof(location), API "/partitions/%s", wanted.name);
	http_header(http, "Location", location);
	api_request(http)->partition = (unsigned)view_find(wanted.name);
	api_answer_partition(http, 201);
}

void api_delete_partition(struct http *http)
{
	int number = view_find(http_parameter(http, 0));
	char words[VIEW_SENTENCE];
	enum view_change change;

	if (number < 0) {
		http_problem(http, 404, "There is no such partition.");
		return;
	}
	change = view_remove((unsigned)number, words);
	api_removed(http, change, words);
}

/* ---- the configuration ---- */

static enum http_more produce(struct http *http, struct text *text)
{
	struct api_request *request = api_request(http);
	char piece[HTTP_PIECE_BYTES / 2];
	size_t bytes = view_configuration(request->position, piece, sizeof(piece));

	text_bytes(text, piece, bytes);
	request->position += bytes;
	return bytes ? HTTP_MORE : HTTP_END;
}

void api_get_configuration(struct http *http) { http_produce(http, 200, "text/plain; charset=utf-8", produce); }
