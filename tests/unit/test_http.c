/* HTTP/1.1 from bytes to bytes, over a wire that the test holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "fake_wire.h"
#include "guests/console/http/answer.h"
#include "guests/console/http/route.h"

#define HEAD_OF(start) start " HTTP/1.1\r\nHost: h\r\n"
#define GET(path)      HEAD_OF("GET " path) "\r\n"

static struct wire wire, more[HTTP_CONNECTIONS];
static uint64_t clock_ms = 1000;
static char uploaded[64];
static uint64_t upload_bytes;
static bool news, let_in = true;

/* ---- what is served ---- */

static void hello(struct http *http) { http_answer(http, 200, "text/plain", "hello\n"); }

static void name(struct http *http)
{
	char text[200], query[32] = "-";

	http_query(http, "q", query, sizeof(query));
	snprintf(text, sizeof(text), "[%s][%s]", http_parameter(http, 0), query);
	http_answer(http, 200, "text/plain", text);
}

static void echo(struct http *http)
{
	size_t bytes;
	const char *body = http_body(http, &bytes);
	char text[HTTP_BODY_BYTES + 1];

	memcpy(text, body, bytes + 1);
	assert_int_equal(text[bytes], 0);
	http_answer(http, 200, "text/plain", text);
}

static void piece(struct http *http, const uint8_t *data, size_t bytes)
{
	if (upload_bytes < sizeof(uploaded) - 1)
		memcpy(uploaded + upload_bytes, data,
		       bytes < sizeof(uploaded) - 1 - upload_bytes ? bytes : sizeof(uploaded) - 1 - upload_bytes);
	upload_bytes += bytes;
	if (memchr(data, '!', bytes))
		http_problem(http, 422, "No exclamation mark, please.");
}

/* Pieces were delivered; nothing of them, and nothing of an earlier body, is kept. */
static void uploaded_all(struct http *http)
{
	size_t bytes = 1;
	const char *body = http_body(http, &bytes);

	http_answer(http, bytes || *body ? 500 : 204, NULL, NULL);
}

static enum http_more count(struct http *http, struct text *text)
{
	uint32_t *step = http_own(http);

	text_printf(text, "line %05u of the long answer\n", *step);
	return ++*step < 3000 ? HTTP_MORE : HTTP_END;
}

static void long_answer(struct http *http) { http_produce(http, 200, "text/plain", count); }

static enum http_more two(struct http *http, struct text *text)
{
	uint32_t *step = http_own(http);

	text_add(text, "half,");
	return ++*step < 2 ? HTTP_MORE : HTTP_END;
}

static void short_answer(struct http *http) { http_produce(http, 200, "text/plain", two); }

static enum http_more too_much(struct http *http, struct text *text)
{
	(void)http;
	for (unsigned i = 0; i < 10000; i++)
		text_add(text, "x");
	return HTTP_END;
}

static void broken_answer(struct http *http) { http_produce(http, 200, "text/plain", too_much); }

static enum http_more tell(struct http *http, struct text *text)
{
	(void)http;
	if (!news)
		return HTTP_LATER;
	news = false;
	text_add(text, "data: news\n\n");
	return HTTP_LATER;
}

static void events(struct http *http) { http_stream(http, tell); }
static void silent(struct http *http) { (void)http; }

static const struct http_file file = { "/", "text/html", "gzip", "\"abc\"", (const uint8_t *)"COMPRESSED", 10 };

static bool otherwise(struct http *http)
{
	if (strcmp(http_path(http), file.path))
		return false;
	http_send_file(http, &file);
	return true;
}

static bool gate(struct http *http, const struct http_route *route)
{
	if (let_in || route->tag)
		return true;
	http_header(http, "WWW-Authenticate", "Bearer");
	http_header(http, "X-Evil", "a\r\nSet-Cookie: b");
	http_problem(http, 401, "Who \"are\" you?");
	return false;
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/hello", hello, NULL, 0, NULL, 1 },
	{ HTTP_GET, "/names/{name}", name, NULL, 0, NULL, 1 },
	{ HTTP_GET, "/names/{name}/more", hello, NULL, 0, NULL, 1 },
	{ HTTP_POST, "/echo", echo, "application/json", 0, NULL, 0 },
	{ HTTP_GET, "/echo", hello, NULL, 0, NULL, 1 },
	{ HTTP_PUT, "/upload", uploaded_all, "application/octet-stream", 1 << 20, piece, 1 },
	{ HTTP_GET, "/long", long_answer, NULL, 0, NULL, 1 },
	{ HTTP_GET, "/short", short_answer, NULL, 0, NULL, 1 },
	{ HTTP_GET, "/broken", broken_answer, NULL, 0, NULL, 1 },
	{ HTTP_GET, "/events", events, NULL, 0, NULL, 1 },
	{ HTTP_GET, "/silent", silent, NULL, 0, NULL, 1 },
	{ HTTP_POST, "/hello", hello, NULL, 0, NULL, 1 },
};
static const struct http_table table = { routes, sizeof(routes) / sizeof(routes[0]), gate, otherwise };

static int fresh(void **state)
{
	(void)state;
	http_serve(&table);
	let_in = true;
	news = false;
	upload_bytes = 0;
	memset(uploaded, 0, sizeof(uploaded));
	http_tick(clock_ms += 1000);
	return wire_open(&wire, "10.0.0.1") ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	wire_hangs_up(&wire);
	return 0;
}

static void reopen(void)
{
	wire_hangs_up(&wire);
	assert_true(wire_open(&wire, "10.0.0.1"));
}

static void sees(const char *text)
{
	if (!strstr(wire.out, text))
		fail_msg("expected: %s\nsent: %s", text, wire.out);
}

static unsigned status(void)
{
	unsigned number = 0;

	if (sscanf(wire.out, "HTTP/1.1 %u ", &number) != 1)
		fail_msg("no status line in: %s", wire.out);
	return number;
}

static unsigned answers(void)
{
	unsigned found = 0;

	for (const char *at = wire.out; (at = strstr(at, "HTTP/1.1 ")); at++)
		found++;
	return found;
}

/* ---- well-formed requests ---- */

static void answers_and_stays(void **state)
{
	(void)state;
	wire_types(&wire, GET("/hello"));
	assert_int_equal(status(), 200);
	sees("\r\nContent-Length: 6\r\n");
	sees("\r\nContent-Type: text/plain\r\n");
	sees("\r\nX-Content-Type-Options: nosniff\r\n");
	sees("\r\n\r\nhello\n");
	assert_false(wire.closed);
	wire_types(&wire, GET("/hello"));
	assert_int_equal(answers(), 2);
}

static void byte_by_byte(void **state)
{
	(void)state;
	for (const char *c = GET("/names/a%20b?x=1&q=%C3%A4+z"); *c; c++)
		wire_says(&wire, c, 1);
	sees("\r\n\r\n[a b][\xc3\xa4 z]");
}

static void forms_of_targets(void **state)
{
	(void)state;
	wire_types(&wire, HEAD_OF("GET http://else:80/names/x?q=1") "\r\n");
	sees("[x][1]");
	wire_types(&wire, HEAD_OF("GET https://else/hello") "\r\n");
	wire_types(&wire, GET("/names/y/more"));
	wire_types(&wire, GET("/names/z?q=%zz"));
	sees("[z][-]");
	assert_int_equal(answers(), 4);
}

static void pipelined(void **state)
{
	(void)state;
	wire.room = 100;
	wire_types(&wire, GET("/hello") "\r\n" GET("/names/1") GET("/names/2"));
	while (wire.room == 0)
		wire_takes(&wire, 7);
	wire_takes(&wire, SIZE_MAX);
	assert_int_equal(answers(), 3);
	assert_true(strstr(wire.out, "hello") < strstr(wire.out, "[1]"));
	assert_true(strstr(wire.out, "[1]") < strstr(wire.out, "[2]"));
	assert_false(wire.closed);
}

static void too_much_pipelined(void **state)
{
	(void)state;
	wire.room = 10;
	for (unsigned i = 0; i < 1000; i++)
		wire_types(&wire, GET("/hello"));
	wire_takes(&wire, SIZE_MAX);
	assert_int_equal(answers(), 1);
	http_tick(clock_ms += 3000);
	assert_true(wire.closed);
}

static void closes_when_told(void **state)
{
	(void)state;
	wire_types(&wire, HEAD_OF("GET /hello") "Connection: foo, Close\r\n\r\n" GET("/hello"));
	sees("\r\nConnection: close\r\n");
	assert_int_equal(answers(), 1);
	assert_true(wire.closed);
}

static void old_version(void **state)
{
	(void)state;
	wire_types(&wire, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	sees("\r\nConnection: keep-alive\r\n");
	assert_false(wire.closed);
	wire_types(&wire, "GET /long HTTP/1.0\r\n\r\n");
	assert_null(strstr(wire.out, "chunked"));
	sees("line 02999 of the long answer\n");
	assert_true(wire.closed);
}

static void head_has_no_body(void **state)
{
	(void)state;
	wire_types(&wire, HEAD_OF("HEAD /hello") "\r\n");
	sees("\r\nContent-Length: 6\r\n");
	assert_null(strstr(wire.out, "hello"));
	wire_types(&wire, HEAD_OF("HEAD /long") "\r\n" HEAD_OF("HEAD /events") "\r\n" HEAD_OF(
				  "HEAD /nowhere") "\r\n" HEAD_OF("HEAD /") "\r\n");
	assert_int_equal(answers(), 5);
	assert_null(strstr(wire.out, "line 0"));
	assert_null(strstr(wire.out, "about:blank"));
	assert_null(strstr(wire.out, "COMPRESSED"));
	assert_string_equal(wire.out + wire.count - 4, "\r\n\r\n");
}

static void options(void **state)
{
	(void)state;
	wire_types(&wire, HEAD_OF("OPTIONS /echo") "\r\n" HEAD_OF("OPTIONS *") "\r\n");
	assert_int_equal(answers(), 2);
	assert_int_equal(status(), 204);
	sees("\r\nAllow: GET, HEAD, POST, OPTIONS\r\n");
	assert_null(strstr(wire.out, "Content-Length"));
}

/* ---- bodies ---- */

#define POST_JSON HEAD_OF("POST /echo") "Content-Type: Application/JSON; charset=utf-8\r\n"

static void body_of_known_length(void **state)
{
	(void)state;
	wire_types(&wire, POST_JSON "Content-Length: 5\r\n\r\n12");
	assert_int_equal(wire.count, 0);
	wire_types(&wire, "345" GET("/hello"));
	sees("\r\n\r\n12345HTTP/1.1 200 OK");
	wire_types(&wire, POST_JSON "Content-Length: 0\r\n\r\n");
	assert_int_equal(answers(), 3);
}

static void body_in_chunks(void **state)
{
	(void)state;
	for (const char *c = POST_JSON
	     "Transfer-Encoding: Chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0000A\r\n0123456789\r\n0\r\n"
	     "Content-Length: 7\r\n\r\n" GET("/hello");
	     *c; c++)
		wire_says(&wire, c, 1);
	sees("\r\n\r\nabc0123456789HTTP/1.1 200 OK");
	assert_false(wire.closed);
}

static void continues(void **state)
{
	(void)state;
	wire_types(&wire, POST_JSON "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_string_equal(wire.out, "HTTP/1.1 100 Continue\r\n\r\n");
	wire_types(&wire, "{}");
	sees("HTTP/1.1 200 OK");
	let_in = false;
	wire_types(&wire, POST_JSON "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	sees("HTTP/1.1 401 Unauthorized\r\n");
	assert_int_equal(answers(), 3);
}

static void uploads(void **state)
{
	(void)state;
	wire_types(&wire,
		   HEAD_OF("PUT /upload") "Content-Type: application/octet-stream\r\nContent-Length: 100000\r\n\r\n");
	for (unsigned i = 0; i < 10000; i++)
		wire_types(&wire, "0123456789");
	assert_int_equal(upload_bytes, 100000);
	assert_int_equal(status(), 204);
	wire_types(&wire,
		   HEAD_OF("PUT /upload") "Content-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nab!");
	sees("HTTP/1.1 422 ");
	wire_types(&wire, "cd");
	assert_int_equal(upload_bytes, 100003);
	assert_false(wire.closed); /* it may still read */
	http_tick(clock_ms += 3000);
	assert_true(wire.closed);
}

/* ---- refused ---- */

struct refusal {
	const char *request;
	unsigned status;
};

static void refused(const struct refusal *cases, unsigned count, bool closes)
{
	for (unsigned i = 0; i < count; i++) {
		reopen();
		wire_types(&wire, cases[i].request);
		if (status() != cases[i].status)
			fail_msg("request: %s\nexpected: %u\nsent: %s", cases[i].request, cases[i].status, wire.out);
		if (!!strstr(wire.out, "\r\nConnection: close\r\n") != closes)
			fail_msg("request: %s\nsent: %s", cases[i].request, wire.out);
	}
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void malformed(void **state)
{
	static const struct refusal cases[] = {
		{ "GET /hello\r\n", 400 },
		{ "GET  /hello HTTP/1.1\r\n", 400 },
		{ " GET /hello HTTP/1.1\r\n", 400 },
		{ "GET /hello HTTP/1.1 \r\n", 400 },
		{ "GET /hello HTTX/1.1\r\n", 400 },
		{ "GET /hello HTTP/11\r\n", 400 },
		{ "GET /hello HTTP/2.0\r\n", 505 },
		{ "GET /hello HTTP/0.9\r\n", 505 },
		{ "PRI * HTTP/2.0\r\n\r\n", 505 },
		{ "BREW /hello HTTP/1.1\r\n", 501 },
		{ "TRACE /hello HTTP/1.1\r\n", 501 },
		{ "get /hello HTTP/1.1\r\n", 501 },
		{ "G(T /hello HTTP/1.1\r\n", 400 },
		{ "GET * HTTP/1.1\r\n", 400 },
		{ "GET hello HTTP/1.1\r\n", 400 },
		{ "GET ftp://x/hello HTTP/1.1\r\n", 400 },
		{ "GET http:///hello HTTP/1.1\r\n", 400 },
		{ "GET /hello HTTP/1.1\nHost: h\n\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost: h\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\rHost: h\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\n\r\n", 400 },
		{ HEAD_OF("GET /hello") "Host: h\r\n\r\n", 400 },
		{ "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
		{ HEAD_OF("GET /hello") " folded\r\n\r\n", 400 },
		{ HEAD_OF("GET /hello") "A: b\r\n\tfolded\r\n\r\n", 400 },
		{ HEAD_OF("GET /hello") "Space : b\r\n\r\n", 400 },
		{ HEAD_OF("GET /hello") ": b\r\n\r\n", 400 },
		{ HEAD_OF("GET /hello") "nothing\r\n\r\n", 400 },
		{ HEAD_OF("GET /hello") "A: \x01\r\n\r\n", 400 },
		{ HEAD_OF("GET /hello") "Authorization: a\r\nAuthorization: b\r\n\r\n", 400 },
		{ HEAD_OF("POST /echo") "Expect: the unexpected\r\n\r\n", 417 },
	};

	(void)state;
	refused(cases, COUNT(cases), true);
}

static void path_tricks(void **state)
{
	static const struct refusal cases[] = {
		{ GET("/../hello"), 400 },	 { GET("/x/../hello"), 400 },	  { GET("/x/.."), 400 },
		{ GET("/./hello"), 400 },	 { GET("/%2e%2e/hello"), 400 },	  { GET("/.%2E"), 400 },
		{ GET("/names/a%2fmore"), 400 }, { GET("/names/a%00"), 400 },	  { GET("/names/a%0a"), 400 },
		{ GET("/names\\x"), 400 },	 { GET("/names/%4"), 400 },	  { GET("/names/%"), 400 },
		{ GET("/names/%zz"), 400 },	 { GET("/hello#x"), 400 },	  { GET("//hello"), 404 },
		{ GET("/names//more"), 404 },	 { GET("/names/\xc3\xa4"), 400 },
	};
	static const struct refusal plain[] = {
		{ GET("/hello/"), 404 }, { GET("/names/"), 404 }, { GET("/Hello"), 404 },     { GET("/names"), 404 },
		{ GET("/hell"), 404 },	 { GET("/helloo"), 404 }, { GET("/names/a/b"), 404 },
	};

	(void)state;
	refused(cases, COUNT(cases), true);
	refused(plain, COUNT(plain), false);
	reopen();
	wire_says(&wire, "GET /he\0llo HTTP/1.1\r\n", 22);
	assert_int_equal(status(), 400);
}

static void smuggling(void **state)
{
	static const struct refusal cases[] = {
		{ POST_JSON "Content-Length: 5\r\nContent-Length: 5\r\n\r\n12345", 400 },
		{ POST_JSON "Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345", 400 },
		{ POST_JSON "Content-Length: 5, 5\r\n\r\n12345", 400 },
		{ POST_JSON "Content-Length: +5\r\n\r\n12345", 400 },
		{ POST_JSON "Content-Length: 0x5\r\n\r\n12345", 400 },
		{ POST_JSON "Content-Length: -1\r\n\r\n", 400 },
		{ POST_JSON "Content-Length:\r\n\r\n", 400 },
		{ POST_JSON "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: identity\r\n\r\n", 501 },
		{ POST_JSON "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
		{ POST_JSON "Transfer-Encoding: \x0b"
			    "chunked\r\n\r\n",
		  400 },
		{ "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\n0x1\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\n 1\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\n1 \r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\n\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\n1;\x01\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n", 413 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\n0\r\nno trailer\r\n\r\n", 400 },
	};

	(void)state;
	refused(cases, COUNT(cases), true);
}

static void bodies_that_do_not_fit(void **state)
{
	static const struct refusal closing[] = {
		{ POST_JSON "Content-Length: 1000000000\r\n\r\n", 413 },
		{ POST_JSON "Content-Length: 4097\r\n\r\n", 413 },
		{ POST_JSON "Content-Length: 99999999999999999999999999\r\n\r\n", 413 },
		{ POST_JSON "Transfer-Encoding: chunked\r\n\r\n1001\r\n", 413 },
		{ HEAD_OF("GET /hello") "Content-Length: 3\r\n\r\nabc", 413 },
	};
	static const struct refusal staying[] = {
		{ HEAD_OF("POST /echo") "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415 },
		{ HEAD_OF("POST /echo") "Content-Length: 2\r\n\r\n{}", 415 },
		{ POST_JSON "\r\n", 411 },
		{ HEAD_OF("DELETE /echo") "\r\n", 405 },
		{ HEAD_OF("POST /nowhere") "\r\n", 404 },
		{ GET("/silent"), 500 },
		{ GET("/broken"), 500 },
	};

	(void)state;
	refused(closing, COUNT(closing), true);
	refused(staying, COUNT(staying), false);
}

static void chunks_that_add_up(void **state)
{
	char chunk[0x800 + 10];

	(void)state;
	snprintf(chunk, sizeof(chunk), "800\r\n%0*d\r\n", 0x800, 7);
	wire_types(&wire, POST_JSON "Transfer-Encoding: chunked\r\n\r\n");
	wire_types(&wire, chunk);
	wire_types(&wire, chunk);
	assert_int_equal(wire.count, 0);
	wire_types(&wire, "1\r\n");
	assert_int_equal(status(), 413);
}

static void trailers_that_do_not_end(void **state)
{
	(void)state;
	wire_types(&wire, POST_JSON "Transfer-Encoding: chunked\r\n\r\n0\r\n");
	for (unsigned i = 0; i < 100 && !wire.count; i++)
		wire_types(&wire, "X: y\r\n");
	assert_int_equal(status(), 431);
}

static void tells_what_is_allowed(void **state)
{
	(void)state;
	wire_types(&wire, HEAD_OF("DELETE /hello") "\r\n");
	sees("\r\nAllow: GET, HEAD, POST, OPTIONS\r\n");
	sees("{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\",\"status\":405,\"detail\":\"");
	sees("\r\nContent-Type: application/problem+json\r\n");
}

static void long_heads(void **state)
{
	static char text[70000];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	wire_says(&wire, text, sizeof(text));
	assert_int_equal(status(), 414);
	memcpy(text + 1100, " HTTP/1.1\r\n", 11);
	reopen();
	wire_says(&wire, text, sizeof(text));
	assert_int_equal(status(), 414);
	reopen();
	wire_types(&wire, HEAD_OF("GET /hello"));
	wire_says(&wire, text + 2000, 60000);
	assert_int_equal(status(), 431);
	reopen();
	wire_types(&wire, HEAD_OF("GET /hello"));
	for (unsigned i = 0; i < 100; i++)
		wire_types(&wire, "A: b\r\n");
	assert_int_equal(status(), 431);
	reopen();
	wire_types(&wire, HEAD_OF("GET /hello"));
	for (unsigned i = 0; i < 20; i++) {
		wire_types(&wire, "A: ");
		wire_says(&wire, text + 2000, 1000);
		wire_types(&wire, "\r\n");
	}
	assert_int_equal(status(), 431);
}

static void gate_answers_before_the_body(void **state)
{
	(void)state;
	let_in = false;
	wire_types(&wire, POST_JSON "Content-Length: 4000\r\n\r\n");
	assert_int_equal(answers(), 1);
	assert_int_equal(status(), 401);
	sees("\r\nWWW-Authenticate: Bearer\r\n");
	sees("Who .are. you?");
	assert_null(strstr(wire.out, "Set-Cookie"));
	for (unsigned i = 0; i < 1000; i++)
		wire_types(&wire, "xxxx");
	assert_int_equal(answers(), 1);
	/* A short body is thrown away; a longer one ends the connection. */
	wire_types(&wire, GET("/hello") POST_JSON "Content-Length: 4\r\n\r\nGET " GET("/hello"));
	sees("HTTP/1.1 200 OK");
	assert_int_equal(answers(), 4);
}

/* ---- long answers, streams, files ---- */

static void produced_in_chunks(void **state)
{
	static char body[200000];
	size_t bytes = 0;
	char *at;

	(void)state;
	wire.room = 0;
	wire_types(&wire, GET("/long"));
	for (unsigned i = 0; i < 100000 && !strstr(wire.out, "\r\n0\r\n\r\n"); i++)
		wire_takes(&wire, 1 + i % 1500);
	sees("\r\nTransfer-Encoding: chunked\r\n");
	at = strstr(wire.out, "\r\n\r\n") + 4;
	for (unsigned long size; (size = strtoul(at, &at, 16));) {
		memcpy(body + bytes, at + 2, size);
		bytes += size;
		at += 2 + size;
		assert_memory_equal(at, "\r\n", 2);
	}
	assert_string_equal(at, "\r\n\r\n");
	assert_int_equal(bytes, 3000 * strlen("line 00000 of the long answer\n"));
	for (unsigned i = 0; i < 3000; i++) {
		char line[40];

		snprintf(line, sizeof(line), "line %05u of the long answer\n", i);
		assert_memory_equal(body + i * strlen(line), line, strlen(line));
	}
	assert_false(wire.closed);
}

static void short_ones_have_a_length(void **state)
{
	(void)state;
	wire_types(&wire, GET("/short"));
	sees("\r\nContent-Length: 10\r\n");
	sees("\r\n\r\nhalf,half,");
}

static void streams_events(void **state)
{
	(void)state;
	wire_types(&wire, GET("/events"));
	sees("\r\nContent-Type: text/event-stream\r\n");
	assert_string_equal(wire.out + wire.count - 4, "\r\n\r\n");
	news = true;
	http_wake();
	sees("\r\n\r\n00000c\r\ndata: news\n\n\r\n");
	for (unsigned i = 0; i < 100; i++)
		http_tick(clock_ms += 1000);
	assert_false(wire.closed);
	sees("000004\r\n: \n\n\r\n");
	assert_int_equal(answers(), 1);
	wire.room = 0; /* it reads no more */
	for (unsigned i = 0; i < 40; i++)
		http_tick(clock_ms += 1000);
	assert_true(wire.closed);
}

static void files(void **state)
{
	(void)state;
	wire.room = 0;
	wire_types(&wire, GET("/"));
	while (wire.room == 0 && !strstr(wire.out, "COMPRESSED"))
		wire_takes(&wire, 3);
	wire_takes(&wire, SIZE_MAX);
	sees("\r\nContent-Encoding: gzip\r\n");
	sees("\r\nETag: \"abc\"\r\n");
	sees("\r\nContent-Length: 10\r\n");
	wire.count = 0;
	wire_types(&wire, HEAD_OF("GET /") "If-None-Match: \"x\", W/\"abc\"\r\n\r\n");
	assert_int_equal(status(), 304);
	assert_null(strstr(wire.out, "COMPRESSED"));
	wire.count = 0;
	wire_types(&wire, HEAD_OF("GET /") "Accept-Encoding: br, gzip;q=0\r\n\r\n");
	assert_int_equal(status(), 406);
	wire.count = 0;
	wire_types(&wire, HEAD_OF("GET /") "If-None-Match: \"abcd\"\r\nAccept-Encoding: br, gzip;q=0.5\r\n\r\n");
	assert_int_equal(status(), 200);
}

static void one_cookie(void **state)
{
	(void)state;
	wire_types(&wire, HEAD_OF("GET /hello") "Cookie: a=b; x__Host-bulkhead=no; __Host-bulkhead=yes;c=d\r\n");
	assert_string_equal(http_cookie(wire.http), "yes");
}

/* ---- time ---- */

static void idle_is_closed(void **state)
{
	(void)state;
	http_tick(clock_ms += 29000);
	assert_false(wire.closed);
	http_tick(clock_ms += 2000);
	assert_true(wire.closed);
	assert_int_equal(wire.count, 0);
}

static void slow_head(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		wire_types(&wire, i ? "a" : "GET /hello HTTP/1.1\r\nA:");
		http_tick(clock_ms += 1000);
	}
	assert_int_equal(status(), 408);
	http_tick(clock_ms += 3000);
	assert_true(wire.closed);
}

static void slow_body(void **state)
{
	(void)state;
	wire_types(&wire, POST_JSON "Content-Length: 4000\r\n\r\n");
	for (unsigned i = 0; i < 16; i++) {
		wire_types(&wire, "a");
		http_tick(clock_ms += 1000);
	}
	assert_int_equal(status(), 408);
}

static void slow_reader(void **state)
{
	(void)state;
	wire.room = 0;
	wire_types(&wire, GET("/long"));
	for (unsigned i = 0; i < 21; i++) {
		wire_takes(&wire, 10);
		http_tick(clock_ms += 1000);
	}
	assert_true(wire.closed);
}

static void a_reader_that_goes_on_is_waited_for(void **state)
{
	(void)state;
	wire.room = 0;
	wire_types(&wire, GET("/long"));
	for (unsigned i = 0; i < 80; i++) {
		wire_takes(&wire, 1100);
		http_tick(clock_ms += 1000);
	}
	assert_false(wire.closed);
	wire_takes(&wire, SIZE_MAX);
	sees("line 02999");
}

static void the_pool(void **state)
{
	(void)state;
	wire_hangs_up(&wire);
	for (unsigned i = 0; i < HTTP_CONNECTIONS; i++) {
		assert_true(wire_open(&more[i], "10.0.0.2"));
		http_tick(clock_ms += 10);
	}
	/* The one that has waited longest makes room; those within a request stay. */
	assert_true(wire_open(&wire, "10.0.0.3"));
	assert_true(more[0].closed);
	wire_types(&wire, "GET");
	for (unsigned i = 1; i < HTTP_CONNECTIONS; i++)
		wire_types(&more[i], "GET");
	assert_true(wire_open(&more[0], "10.0.0.2") == false);
	wire_hangs_up(&wire);
	assert_true(wire_open(&wire, "10.0.0.2"));
	for (unsigned i = 1; i < HTTP_CONNECTIONS; i++)
		wire_hangs_up(&more[i]);
}

static uint64_t moment;
static uint64_t clock_of_moment(void) { return moment; }

static void dates(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" }, /* RFC 9110, 5.6.7 */
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 1709251199, "Thu, 29 Feb 2024 23:59:59 GMT" },
		{ 1709251200, "Fri, 01 Mar 2024 00:00:00 GMT" },
		{ 4102444800, "Fri, 01 Jan 2100 00:00:00 GMT" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
	};
	char space[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text text = text_in(space, sizeof(space) - 1);

		text_date(&text, cases[i].seconds);
		space[text.used] = 0;
		assert_string_equal(space, cases[i].text);
	}
}

/* A clock that nobody has set is none. */
static void an_answer_has_its_date(void **state)
{
	(void)state;
	wire_types(&wire, GET("/hello"));
	assert_null(strstr(wire.out, "Date"));
	http_set_clock(clock_of_moment);
	moment = 1000;
	wire_types(&wire, GET("/hello"));
	assert_null(strstr(wire.out, "Date"));
	moment = 1709251199;
	wire_types(&wire, GET("/long"));
	sees("\r\nDate: Thu, 29 Feb 2024 23:59:59 GMT\r\n");
	http_set_clock(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, leave)
	const struct CMUnitTest tests[] = {
		TEST(answers_and_stays),
		TEST(dates),
		TEST(an_answer_has_its_date),
		TEST(byte_by_byte),
		TEST(forms_of_targets),
		TEST(pipelined),
		TEST(too_much_pipelined),
		TEST(closes_when_told),
		TEST(old_version),
		TEST(head_has_no_body),
		TEST(options),
		TEST(body_of_known_length),
		TEST(body_in_chunks),
		TEST(continues),
		TEST(uploads),
		TEST(malformed),
		TEST(path_tricks),
		TEST(smuggling),
		TEST(bodies_that_do_not_fit),
		TEST(chunks_that_add_up),
		TEST(trailers_that_do_not_end),
		TEST(tells_what_is_allowed),
		TEST(long_heads),
		TEST(gate_answers_before_the_body),
		TEST(produced_in_chunks),
		TEST(short_ones_have_a_length),
		TEST(streams_events),
		TEST(files),
		TEST(one_cookie),
		TEST(idle_is_closed),
		TEST(slow_head),
		TEST(slow_body),
		TEST(slow_reader),
		TEST(a_reader_that_goes_on_is_waited_for),
		TEST(the_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
