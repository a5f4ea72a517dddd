/* Any bytes as JSON: what is read can be looked up to its end, and is right when it is written again. */
#include <string.h>
#include "guests/console/api/json_read.h"
#include "guests/console/api/json_write.h"
#include "tests/fuzz/require.h"

static char out[1 << 20];

static void copy_scalar(const struct json_value *value, const char *key, struct json *json)
{
	char string[300];
	uint64_t number;

	if (json_get_string(value, string, sizeof(string)))
		json_string(json, key, string);
	else if (json_get_number(value, &number))
		json_number(json, key, number);
	else
		json_text(json, key, value->at, (size_t)(value->end - value->at));
}

static void copy(const struct json_value *value, const char *name, struct json *json, unsigned depth)
{
	struct json_place next = { 0 };
	struct json_value key = { 0 }, member;
	bool object = json_type(value) == JSON_OBJECT;
	char string[300];

	REQUIRE(depth <= JSON_DEPTH + 1 && value->at < value->end);
	if (!object && json_type(value) != JSON_ARRAY) {
		copy_scalar(value, name, json);
		return;
	}
	json_open(json, name, *value->at);
	while (json_next(value, &next, &key, &member)) {
		if (object)
			json_get_string(&key, string, sizeof(string));
		copy(&member, object ? "key" : NULL, json, depth + 1);
	}
	json_close(json, object ? '}' : ']');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = text_in(out, sizeof(out));
	struct json json = json_in(&text, false);
	struct json_value value;
	struct json_error error = { 0 };

	if (size > 20000)
		return 0;
	json_text(&json, NULL, (const char *)data, size);
	REQUIRE(json_read(out, text.used, &value, &error));
	if (!json_read((const char *)data, size, &value, &error)) {
		REQUIRE(error.what && error.at <= size);
		return 0;
	}
	text.used = 0;
	json = json_in(&text, false);
	copy(&value, NULL, &json, 1);
	REQUIRE(!text.cut && json_read(out, text.used, &value, &error));
	return 0;
}
