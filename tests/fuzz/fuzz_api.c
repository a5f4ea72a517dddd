/* Any path and body for the API, by anybody: it answers, and what it says is JSON is JSON. */
#include "guests/console/api/api.h"
#include "guests/console/api/json_read.h"
#include "tests/unit/fake_view.h"
#include "tests/unit/fake_wire.h"

static struct wire wire;
static struct fake_tokens tokens;

static void start(void)
{
	static struct users_store store;

	memset(&store, 0, sizeof(store));
	fake_machine_start();
	users_start(&store, &fake_host);
	fake_tokens_make(&tokens);
	api_start(&fake_host, NULL, 0);
	api_tick(1);
}

/* Those that come with a length are whole in one piece. */
static void check_answer(void)
{
	char *body = strstr(wire.out, "\r\n\r\n");
	struct json_value value;
	struct json_error error;

	WIRE_REQUIRE(wire.closed || wire.count);
	if (!body || !strstr(wire.out, "json\r\n") || !strstr(wire.out, "\r\nContent-Length: "))
		return;
	WIRE_REQUIRE(json_read(body + 4, wire.count - (size_t)(body + 4 - wire.out), &value, &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = { "GET", "POST", "DELETE", "HEAD" };
	static const char *const types[] = { "application/json", "application/octet-stream" };
	const char *const who[] = { tokens.ann, tokens.vic, tokens.oda, "bh_" };
	const uint8_t *end = size ? memchr(data + 1, '\n', size - 1) : NULL;
	char head[1500];

	if (!end || end - data > 900)
		return 0;
	start();
	WIRE_REQUIRE(wire_open(&wire, "fuzz"));

	size_t bytes = size - (size_t)(end + 1 - data);
	int length = snprintf(head, sizeof(head),
			      "%s /%.*s HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"
			      "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
			      methods[data[0] & 3], (int)(end - data - 1), data + 1, who[data[0] >> 2 & 3],
			      types[data[0] >> 4 & 1], bytes);

	wire_says(&wire, head, (size_t)length);
	wire_says(&wire, end + 1, bytes);
	if (data[0] & 0x80) /* something happens */
		fake_machine.state[FAKE_BETA] = BH_STATE_PAUSED;
	api_tick(1000);
	if ((data[0] & 3) != 3) /* HEAD has no body */
		check_answer();
	wire_hangs_up(&wire);
	return 0;
}
