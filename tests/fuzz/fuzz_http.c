/* Any bytes in any pieces as requests, over a wire with any room: it answers or closes, and sends what it may. */
#include "guests/console/http/answer.h"
#include "guests/console/http/route.h"
#include "tests/unit/fake_wire.h"

static struct wire wire;
static uint64_t clock_ms;

static void show(struct http *http)
{
	char text[256], query[16] = "";
	size_t bytes = 0;
	const char *body = http_body(http, &bytes);

	http_query(http, "q", query, sizeof(query));
	WIRE_REQUIRE(body[bytes] == 0 && http_path(http)[0] == '/' && !strstr(http_path(http), "/../"));
	snprintf(text, sizeof(text), "%s %s %.40s", query, http_parameter(http, 0), body);
	http_answer(http, 200, "text/plain", text);
}

static enum http_more count(struct http *http, struct text *text)
{
	uint32_t *step = http_own(http);

	for (unsigned i = 0; i < 100; i++)
		text_printf(text, "%u,", *step);
	return ++*step < 40 ? HTTP_MORE : HTTP_END;
}

static void produce(struct http *http) { http_produce(http, 200, "text/plain", count); }

static enum http_more tell(struct http *http, struct text *text)
{
	uint32_t *step = http_own(http);

	if (++*step % 3)
		return HTTP_LATER;
	text_add(text, "data: x\n\n");
	return *step > 20 ? HTTP_END : HTTP_LATER;
}

static void stream(struct http *http) { http_stream(http, tell); }

static void piece(struct http *http, const uint8_t *data, size_t bytes)
{
	if (memchr(data, '!', bytes))
		http_problem(http, 422, "stop");
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/a", show, NULL, 0, NULL, 0 },    { HTTP_GET, "/a/{x}", show, NULL, 0, NULL, 0 },
	{ HTTP_POST, "/a", show, "t/t", 0, NULL, 0 },  { HTTP_PUT, "/a", show, "t/t", 100000, piece, 0 },
	{ HTTP_GET, "/l", produce, NULL, 0, NULL, 0 }, { HTTP_GET, "/s", stream, NULL, 0, NULL, 0 },
};

static bool otherwise(struct http *http)
{
	static const struct http_file file = { "/", "t/t", "gzip", "\"e\"", (const uint8_t *)"0123456789", 10 };

	if (strcmp(http_path(http), "/"))
		return false;
	http_send_file(http, &file);
	return true;
}

/* A byte of noise now and then says how much is received or sent next, and how much time passes. */
static void step(const uint8_t **data, size_t *size)
{
	uint8_t how = *(*data)++;
	size_t bytes = how & 0x3f;

	--*size;
	if (how >> 6 == 2)
		http_tick(clock_ms += bytes * 300);
	if (how >> 6 == 1)
		wire_takes(&wire, bytes * 8);
	if (how >> 6 == 3)
		bytes *= 64;
	if (bytes > *size)
		bytes = *size;
	wire_says(&wire, *data, bytes);
	*data += bytes;
	*size -= bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_table table = { routes, sizeof(routes) / sizeof(routes[0]), NULL, otherwise };

	if (size > 20000)
		return 0;
	http_serve(&table);
	WIRE_REQUIRE(wire_open(&wire, "fuzz"));
	while (size && !wire.closed)
		step(&data, &size);
	WIRE_REQUIRE(!wire.count || !strncmp(wire.out, "HTTP/1.1 ", wire.count < 9 ? wire.count : 9));
	/* In the end everybody is gone. */
	wire.room = 0;
	for (unsigned i = 0; i < 3 && !wire.closed; i++)
		http_tick(clock_ms += 40000);
	WIRE_REQUIRE(wire.closed || wire.count);
	wire_hangs_up(&wire);
	return 0;
}
