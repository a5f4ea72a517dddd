/* route.c: who handles a request. */
#include "guests/lib/bh_string.h"
#include "parts.h"

static const struct http_table *table;

void http_serve(const struct http_table *given) { table = given; }

static bool take_parameter(struct http_request *request, unsigned index, const char *from, size_t length)
{
	if (index >= HTTP_PARAMETERS || !length || length >= HTTP_PARAMETER_BYTES)
		return false;
	memcpy(request->parameter[index], from, length);
	request->parameter[index][length] = 0;
	return true;
}

static size_t segment(const char *at)
{
	size_t length = 0;

	while (at[length] && at[length] != '/')
		length++;
	return length;
}

/* Segment by segment; both begin with '/'. */
static bool fits(struct http_request *request, const char *pattern)
{
	const char *path = request->target;
	unsigned parameters = 0;

	while (*path == '/' && *pattern == '/') {
		size_t wanted = segment(++pattern), length = segment(++path);

		if (*pattern == '{') {
			if (!take_parameter(request, parameters++, path, length))
				return false;
		} else if (wanted != length || strncmp(path, pattern, length)) {
			return false;
		}
		path += length;
		pattern += wanted;
	}
	return !*path && !*pattern;
}

static enum http_method route_method(const struct http_request *request)
{
	return request->method == HTTP_HEAD ? HTTP_GET : request->method;
}

/* All methods of the routes that the path fits; the route for this one in the request. */
static unsigned find(struct http_request *request)
{
	unsigned methods = 0;

	for (unsigned i = 0; table && i < table->count; i++) {
		const struct http_route *route = &table->routes[i];

		if (request->route || !fits(request, route->path))
			continue;
		methods |= route->method;
		if (route->method == route_method(request))
			request->route = route;
	}
	return methods;
}

static void say_allow(struct http *http, unsigned methods)
{
	static const char *const names[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS" };
	char list[64] = "";
	struct text text = text_in(list, sizeof(list) - 1);

	methods |= HTTP_OPTIONS | (methods & HTTP_GET ? HTTP_HEAD : 0u);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (methods >> i & 1) {
			text_add(&text, text.used ? ", " : "");
			text_add(&text, names[i]);
		}
	list[text.used] = 0;
	http_header(http, "Allow", list);
}

static void no_route(struct http *http, unsigned methods)
{
	struct http_request *request = &http->request;

	if (!methods && route_method(request) == HTTP_GET && table && table->otherwise && table->otherwise(http))
		return;
	if (!methods && strcmp(request->target, "*")) {
		http_problem(http, 404, "There is no such resource.");
		return;
	}
	say_allow(http, methods);
	if (request->method == HTTP_OPTIONS)
		http_answer(http, 204, NULL, NULL);
	else
		http_problem(http, 405, "The resource does not have this method.");
}

/* The media type without its parameters. */
static bool type_fits(const struct http_request *request)
{
	char type[sizeof(request->type)];
	size_t length = 0;

	while (request->type[length] && !strchr("; \t", request->type[length]))
		length++;
	memcpy(type, request->type, length);
	type[length] = 0;
	return http_same(type, request->route->type);
}

/* True: what the head says of a body is what the route takes. */
static bool body_fits(struct http *http)
{
	const struct http_request *request = &http->request;
	const struct http_route *route = request->route;
	uint64_t max = !route->type ? 0 : route->body_max ? route->body_max : HTTP_BODY_BYTES;

	if (route->type && !request->has_length && !request->has_coding)
		http_problem(http, 411, "Content-Length is missing.");
	else if (request->length > max || (request->chunked && !max))
		http_refuse(http, 413, max ? "The body is too large." : "The request takes no body.");
	else if (route->type && !type_fits(request))
		http_problem(http, 415, "The body is of another type than this resource takes.");
	else
		return true;
	return false;
}

bool http_find(struct http *http)
{
	unsigned methods = find(&http->request);

	if (!http->request.route) {
		no_route(http, methods);
		return false;
	}
	return body_fits(http) && (!table->gate || table->gate(http, http->request.route));
}

/* ---- what a handler asks ---- */

enum http_method http_method(const struct http *http) { return http->request.method; }
const char *http_path(const struct http *http) { return http->request.target; }
const char *http_parameter(const struct http *http, unsigned index) { return http->request.parameter[index]; }
const char *http_authorization(const struct http *http) { return http->request.authorization; }
const char *http_cookie(const struct http *http) { return http->request.cookie; }
const char *http_csrf(const struct http *http) { return http->request.csrf; }
const char *http_last_event(const struct http *http) { return http->request.last_event; }
const char *http_source(const struct http *http) { return http->source; }
void *http_own(struct http *http) { return http->own; }

const char *http_body(const struct http *http, size_t *bytes)
{
	/* What came in pieces has been delivered, and was not kept. */
	bool kept = !http->request.route->piece;

	*bytes = kept ? (size_t)http->body_count : 0;
	return kept ? http->body : "";
}

static bool decode(const char *from, char *to, size_t size)
{
	size_t length = 0;

	for (; *from && *from != '&' && length + 1 < size; from++) {
		int value = *from == '+' ? ' ' : (unsigned char)*from;

		if (value == '%') {
			if (http_hex(from[1]) < 0 || http_hex(from[2]) < 0)
				return false;
			value = http_hex(from[1]) << 4 | http_hex(from[2]);
			from += 2;
		}
		if (!value)
			return false;
		to[length++] = (char)value;
	}
	to[length] = 0;
	return true;
}

bool http_query(const struct http *http, const char *key, char *to, size_t size)
{
	size_t length = strlen(key);

	for (const char *at = http->request.query; at; at = strchr(at, '&')) {
		at += *at == '&';
		if (!strncmp(at, key, length) && at[length] == '=')
			return decode(at + length + 1, to, size);
	}
	return false;
}
