/* The API's streams and the page's files, on a fake machine; test_api.py checks all other answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "fake_view.h"
#include "fake_wire.h"
#include "guests/console/api/api.h"
#include "guests/console/users/delays.h"
#include "guests/console/users/journal.h"
#include "guests/console/users/sessions.h"

static struct wire wire;
static struct fake_tokens tokens;
static uint64_t clock_ms;

static bool page(struct http *http)
{
	static const struct http_file files[] = {
		{ "/", "text/html", "gzip", "\"1\"", (const uint8_t *)"PAGE", 4 },
		{ "/app.js", "text/javascript", "gzip", "\"2\"", (const uint8_t *)"SCRIPT", 6 },
	};

	return api_send_file(http, files, 2);
}

static int fresh(void **state)
{
	static struct users_store store;

	(void)state;
	memset(&store, 0, sizeof(store));
	fake_machine_start();
	users_start(&store, &fake_host);
	fake_tokens_make(&tokens);
	api_start(&fake_host, page, clock_ms += 1000);
	return wire_open(&wire, "10.0.0.9") ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	wire_hangs_up(&wire);
	return 0;
}

static void ask(const char *line, const char *token, const char *more)
{
	char text[1000];

	wire.count = 0;
	wire.out[0] = 0;
	snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n%s\r\n", line, token, more);
	wire_types(&wire, text);
}

static void sees(const char *text)
{
	if (!strstr(wire.out, text))
		fail_msg("expected: %s\nsent: %s", text, wire.out);
}

static void sees_not(const char *text)
{
	if (strstr(wire.out, text))
		fail_msg("unexpected: %s\nsent: %s", text, wire.out);
}

static void becomes(unsigned partition, unsigned state, unsigned cause)
{
	fake_machine.state[partition] = state;
	fake_machine.cause[partition] = cause;
	wire.count = 0;
	wire.out[0] = 0;
	api_tick(clock_ms += 100);
}

static void events_of_what_may_be_seen(void **state)
{
	(void)state;
	ask("GET /api/v1/events", tokens.oda, "");
	sees("event: partition\ndata: "
	     "{\"name\":\"beta\",\"state\":\"stopped\",\"cause\":\"powered-off\",\"restarts\":2}\n\n");
	sees_not("alpha");
	becomes(FAKE_ALPHA, BH_STATE_STOPPED, BH_CAUSE_FAILED);
	assert_int_equal(wire.count, 0);
	becomes(FAKE_BETA, BH_STATE_RUNNING, BH_CAUSE_NONE);
	sees("{\"name\":\"beta\",\"state\":\"running\",\"cause\":\"none\",\"restarts\":2}");
	becomes(FAKE_BETA, BH_STATE_RUNNING, BH_CAUSE_NONE);
	assert_int_equal(wire.count, 0);
	users_revoke("oda");
	becomes(FAKE_BETA, BH_STATE_STOPPED, BH_CAUSE_NONE);
	sees_not("beta");
	sees("0\r\n\r\n");
}

static void events_go_on_after_a_break(void **state)
{
	unsigned long long number = 0;
	char header[60];

	(void)state;
	ask("GET /api/v1/events", tokens.vic, "");
	sees("\"name\":\"alpha\"");
	sees("\"name\":\"o\\\"d\\\\d\\u0001\xef\xbf\xbd<b>\"");
	becomes(FAKE_ALPHA, BH_STATE_PAUSED, BH_CAUSE_NONE);
	assert_int_equal(sscanf(strstr(wire.out, "id: "), "id: %llu", &number), 1);
	wire_hangs_up(&wire);
	becomes(FAKE_ALPHA, BH_STATE_STOPPED, BH_CAUSE_STOPPED);
	becomes(FAKE_BETA, BH_STATE_RUNNING, BH_CAUSE_NONE);
	assert_true(wire_open(&wire, "10.0.0.9"));
	snprintf(header, sizeof(header), "Last-Event-ID: %llu\r\n", number);
	ask("GET /api/v1/events", tokens.vic, header);
	sees("{\"name\":\"alpha\",\"state\":\"stopped\",\"cause\":\"stopped\"");
	sees("{\"name\":\"beta\",\"state\":\"running\"");
	sees_not("paused");
	sees_not("alpha.monitor");
}

static void slow_readers_of_events_begin_again(void **state)
{
	(void)state;
	ask("GET /api/v1/events", tokens.vic, "");
	wire.room = 0;
	for (unsigned i = 0; i < 1000; i++) {
		becomes(FAKE_ALPHA, i % 2 ? BH_STATE_PAUSED : BH_STATE_RUNNING, BH_CAUSE_NONE);
		if (i % 100 == 0)
			wire_takes(&wire, 1100);
		wire.room = 0;
	}
	wire.count = 0;
	wire_takes(&wire, SIZE_MAX);
	sees("\"name\":\"alpha\",\"state\":\"paused\"");
	sees("\"name\":\"alpha.monitor\"");
	assert_false(wire.closed);
}

static void a_console_as_a_stream(void **state)
{
	(void)state;
	fake_machine_prints(FAKE_BETA, "foobar");
	ask("GET /api/v1/partitions/beta/console/stream", tokens.oda, "");
	sees("id: 6\nevent: output\ndata: \"Zm9vYmFy\"\n\n");
	wire.count = 0;
	fake_machine_prints(FAKE_BETA, "foob");
	http_wake();
	sees("id: 10\nevent: output\ndata: \"Zm9vYg==\"\n\n");
	wire.count = 0;
	fake_machine.kept = 3;
	fake_machine_prints(FAKE_BETA, "123456");
	http_wake();
	sees("id: 13\nevent: lost\ndata: 3\n\n");
	sees("id: 16\nevent: output\ndata: \"NDU2\"\n\n");
	wire_hangs_up(&wire);
	wire_open(&wire, "10.0.0.9");
	ask("GET /api/v1/partitions/beta/console/stream", tokens.oda, "Last-Event-ID: 15\r\n");
	sees("id: 16\nevent: output\ndata: \"Ng==\"\n\n");
	wire.count = 0;
	users_revoke("oda");
	http_wake();
	sees("0\r\n\r\n");
}

static void not_everything_has_a_console(void **state)
{
	(void)state;
	ask("GET /api/v1/partitions/alpha.monitor/console/stream", tokens.ann, "");
	sees("HTTP/1.1 404 ");
	ask("GET /api/v1/partitions/alpha/console/stream", tokens.oda, "");
	sees("HTTP/1.1 404 ");
}

static void a_long_console(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 7000; i++)
		fake_machine_prints(FAKE_BETA, "0123456789");
	wire.room = 0;
	ask("GET /api/v1/partitions/beta/console", tokens.oda, "");
	for (unsigned i = 0; i < 100000 && !strstr(wire.out, "\r\n0\r\n\r\n"); i++)
		wire_takes(&wire, 777);
	sees("\r\n0\r\n\r\n");
	assert_true(wire.count > 65536 && wire.count < 67000);
}

static void the_page(void **state)
{
	(void)state;
	wire_types(&wire, "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /app.js HTTP/1.1\r\nHost: h\r\n\r\n");
	sees("PAGE");
	sees("SCRIPT");
	sees("Content-Security-Policy: default-src 'none'; script-src 'self';");
	wire_types(&wire, "GET /other.js HTTP/1.1\r\nHost: h\r\n\r\n");
	sees("HTTP/1.1 404 ");
}

/* All behind one router have one address: who guesses there, or has a token of yesterday, is not to stop the others. */
static void a_wrong_token_delays_no_other(void **state)
{
	char wrong[USERS_TOKEN_BYTES];

	(void)state;
	snprintf(wrong, sizeof(wrong), "%s", tokens.ann);
	wrong[strlen(wrong) - 1] ^= 1;
	for (unsigned i = 0; i < 10; i++) {
		ask("GET /api/v1/partitions", wrong, "");
		sees(i <= DELAYS_FREE ? "HTTP/1.1 401 " : "HTTP/1.1 429 ");
		ask("GET /api/v1/partitions", tokens.vic, "");
		sees("HTTP/1.1 200 ");
	}
	/* Neither is the right one of that number taken meanwhile, nor does it help that another one was right. */
	ask("GET /api/v1/partitions", tokens.ann, "");
	sees("HTTP/1.1 429 ");
	wrong[4] ^= 1; /* of no token */
	for (unsigned i = 0; i < 10; i++) {
		ask("GET /api/v1/partitions", i % 2 ? wrong : "bh_0_nonsense", "");
		sees(i <= DELAYS_FREE ? "HTTP/1.1 401 " : "HTTP/1.1 429 ");
		ask("GET /api/v1/partitions", tokens.oda, "");
		sees("HTTP/1.1 200 ");
	}
	api_tick(clock_ms += 1000);
	ask("GET /api/v1/partitions", tokens.ann, "");
	sees("HTTP/1.1 200 ");
}

/* The console starts when the machine has long been on: what comes before its first tick lives as long as the rest. */
static void before_the_first_tick(void **state)
{
	char text[400], cookie[80];

	(void)state;
	wire_hangs_up(&wire);
	clock_ms += SESSION_LONGEST_MS;
	api_start(&fake_host, page, clock_ms);
	assert_true(wire_open(&wire, "10.0.0.9"));
	snprintf(text, sizeof(text),
		 "POST /api/v1/session HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
		 "Content-Length: %u\r\n\r\n{\"token\":\"%s\"}",
		 (unsigned)strlen(tokens.vic) + 12, tokens.vic);
	wire.count = 0;
	wire_types(&wire, text);
	sees("HTTP/1.1 201 ");
	assert_int_equal(sscanf(strstr(wire.out, "Set-Cookie: "), "Set-Cookie: %79[^;]", cookie), 1);
	api_tick(clock_ms += 250);
	assert_false(wire.closed);
	wire.count = 0;
	snprintf(text, sizeof(text), "GET /api/v1/session HTTP/1.1\r\nHost: h\r\nCookie: %s\r\n\r\n", cookie);
	wire_types(&wire, text);
	sees("HTTP/1.1 200 ");
}

static void lives(unsigned ms)
{
	for (unsigned i = 0; i < ms; i += 250) {
		fake_machine.elapsed += 250000000;
		api_tick(clock_ms += 250);
	}
}

/* Of beta's one vCPU a quarter of the time, as the fake has it; of its port 50 and 11.1 KB a second. */
static void history_of_what_may_be_seen(void **state)
{
	(void)state;
	ask("GET /api/v1/history", tokens.oda, "");
	sees("{\"interval_ns\":5000000000,\"partitions\":[");
	sees_not("alpha");
	lives(18000);
	ask("GET /api/v1/history", tokens.oda, "");
	sees("{\"name\":\"beta\",\"cpu_us\":[250000,250000,250000],\"exits\":[");
	sees("\"in_bytes\":[50000,50000,50000],\"out_bytes\":[11111,11111,11111]}]}");
	sees_not("alpha");
	lives(400000);
	assert_true(wire_open(&wire, "10.0.0.9"));
	ask("GET /api/v1/history", tokens.ann, "");
	sees("\"name\":\"alpha.monitor\"");
	sees("\"name\":\"o\\\"d\\\\d\\u0001\xef\xbf\xbd<b>\"");
	/* As if it had been started anew: no rate is negative, and none too large. */
	fake_machine.elapsed = 0;
	lives(5000);
	ask("GET /api/v1/history", tokens.oda, "");
	sees(",250000,0],");
}

static void changes_are_in_the_journal(void **state)
{
	const struct journal_entry *entry;

	(void)state;
	ask("DELETE /api/v1/tokens/vic", tokens.ann, "");
	sees("HTTP/1.1 204 ");
	entry = journal_entry(journal_next() - 1);
	assert_string_equal(entry->what, "revoke token vic");
	assert_string_equal(entry->who, "ann");
	assert_string_equal(entry->source, "10.0.0.9");
	ask("GET /api/v1/machine", "bh_nonsense", "");
	sees("HTTP/1.1 401 ");
	assert_string_equal(journal_entry(journal_next() - 1)->result, "refused");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, leave)
	const struct CMUnitTest tests[] = {
		TEST(events_of_what_may_be_seen),
		TEST(events_go_on_after_a_break),
		TEST(slow_readers_of_events_begin_again),
		TEST(a_console_as_a_stream),
		TEST(not_everything_has_a_console),
		TEST(a_long_console),
		TEST(the_page),
		TEST(a_wrong_token_delays_no_other),
		TEST(before_the_first_tick),
		TEST(history_of_what_may_be_seen),
		TEST(changes_are_in_the_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
