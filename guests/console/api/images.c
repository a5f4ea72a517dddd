/* images.c: kernels and initramfs that partitions are made of: which there are, and how others come in pieces. */
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"
#include "session.h"

static void put_members(struct json *json, const struct view_image *image)
{
	struct view_partition partition;

	json_string(json, "name", image->name);
	json_number(json, "bytes", image->bytes);
	json_number(json, "received", image->received);
	json_bool(json, "complete", image->received == image->bytes);
	json_string(json, "origin", image->uploaded ? "upload" : "boot");
	json_open(json, "users", '[');
	for (unsigned i = 0; i < view_partitions(); i++) {
		view_partition(i, &partition);
		if (partition.name[0] && !partition.guest[0] && view_image_used(image->name, i))
			json_string(json, NULL, partition.name);
	}
	json_close(json, ']');
}

static unsigned count(struct http *http)
{
	(void)http;
	return view_images();
}

static void put_free(struct http *http, struct json *json)
{
	struct view_machine machine;

	(void)http;
	view_machine(&machine);
	json_number(json, "free", machine.memory_free);
}

static bool put(struct http *http, struct api_request *request, struct json *json)
{
	struct view_image image;

	(void)http;
	if (!view_image(request->step, &image))
		return true;
	json_open(json, NULL, '{');
	put_members(json, &image);
	json_close(json, '}');
	return true;
}

static enum http_more produce(struct http *http, struct text *text)
{
	static const struct api_list list = { put_free, "images", count, put };

	return api_list(http, text, &list);
}

void api_get_images(struct http *http) { api_json(http, 200, produce); }

static void answer_image(struct http *http, unsigned status, unsigned number)
{
	char answer[HTTP_PIECE_BYTES];
	struct text text = text_in(answer, sizeof(answer) - 1);
	struct json json = json_in(&text, false);
	struct view_image image;

	if (!view_image(number, &image)) {
		http_problem(http, 404, "There is no such image.");
		return;
	}
	json_open(&json, NULL, '{');
	put_members(&json, &image);
	json_close(&json, '}');
	answer[text.used] = 0;
	http_answer(http, status, "application/json", answer);
}

/* ---- a new one ---- */

static bool read_wanted(const struct json_value *object, char *name, size_t size, uint64_t *bytes)
{
	struct json_place next = { 0 };
	struct json_value key, value;
	char member[8];

	if (json_type(object) != JSON_OBJECT)
		return false;
	while (json_next(object, &next, &key, &value)) {
		if (!json_get_string(&key, member, sizeof(member)))
			return false;
		if (!strcmp(member, "name") ? !json_get_string(&value, name, size)
					    : strcmp(member, "bytes") || !json_get_number(&value, bytes))
			return false;
	}
	return *bytes && name[0];
}

void api_post_image(struct http *http)
{
	char name[HTTP_PARAMETER_BYTES] = "", words[VIEW_SENTENCE], location[128];
	struct json_value body;
	enum view_change change;
	uint64_t bytes = 0;

	if (!api_body(http, &body))
		return;
	if (!read_wanted(&body, name, sizeof(name), &bytes)) {
		http_problem(http, 422, "An image has a name of 1 to 63 characters, and a number of bytes.");
		return;
	}
	change = view_image_create(name, bytes, words);
	if (change != VIEW_DONE) {
		api_refuse(http, change, words, NULL);
		return;
	}
	bh_snprintf(location, sizeof(location), API "/images/%s", name);
	http_header(http, "Location", location);
	answer_image(http, 201, (unsigned)view_image_find(name));
}

/* ---- its content ---- */

/* What became of the request so far: `inner` of it. It is answered when all of its body has come. */
enum { PIECE_OK, PIECE_NO_IMAGE, PIECE_NO_OFFSET, PIECE_ELSEWHERE, PIECE_TOO_LONG };

/* The image that the request is about, at its place `step`; the first time it must begin where `received` ends. */
static unsigned find(struct http *http, struct view_image *image)
{
	struct api_request *request = api_request(http);
	int number = view_image_find(http_parameter(http, 0));
	char digits[24];

	if (number < 0 || !view_image((unsigned)number, image) ||
	    (request->opened && request->step != (unsigned)number))
		return PIECE_NO_IMAGE;
	if (!request->opened &&
	    (!http_query(http, "offset", digits, sizeof(digits)) || !api_number(digits, &request->position)))
		return PIECE_NO_OFFSET;
	request->opened = true;
	request->step = (unsigned)number;
	/* Another request may have sent a piece while this one came. */
	return request->position == image->received ? PIECE_OK : PIECE_ELSEWHERE;
}

void api_put_image_piece(struct http *http, const uint8_t *data, size_t bytes)
{
	struct api_request *request = api_request(http);
	char words[VIEW_SENTENCE];
	struct view_image image;

	if (request->inner == PIECE_OK)
		request->inner = find(http, &image);
	if (request->inner != PIECE_OK)
		return;
	if (view_image_write(request->step, data, bytes, words) == VIEW_DONE)
		request->position += bytes;
	else
		request->inner = PIECE_TOO_LONG;
}

void api_put_image(struct http *http)
{
	struct api_request *request = api_request(http);
	struct view_image image = { .received = 0 };
	unsigned found = find(http, &image);
	char words[VIEW_SENTENCE];

	switch (request->inner != PIECE_OK ? request->inner : found) {
	case PIECE_OK: answer_image(http, 200, request->step); return;
	case PIECE_NO_IMAGE: http_problem(http, 404, "There is no such image."); return;
	case PIECE_NO_OFFSET: http_problem(http, 400, "The query says where it begins: ?offset=0."); return;
	case PIECE_ELSEWHERE:
		bh_snprintf(words, sizeof(words), "Offset %llu is wanted.", (unsigned long long)image.received);
		http_problem(http, 409, words);
		return;
	default: http_problem(http, 422, "That is more than the image has bytes."); return;
	}
}

void api_delete_image(struct http *http)
{
	int number = view_image_find(http_parameter(http, 0));
	char words[VIEW_SENTENCE];
	enum view_change change;

	if (number < 0) {
		http_problem(http, 404, "There is no such image.");
		return;
	}
	change = view_image_remove((unsigned)number, words);
	api_removed(http, change, words);
}
