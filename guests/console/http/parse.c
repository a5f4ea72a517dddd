/* parse.c: request line and target (RFC 9112, 3). */
#include "guests/lib/bh_string.h"
#include "parts.h"

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
	{ "GET", HTTP_GET },	   { "HEAD", HTTP_HEAD },   { "POST", HTTP_POST },	 { "PUT", HTTP_PUT },
	{ "DELETE", HTTP_DELETE }, { "PATCH", HTTP_PATCH }, { "OPTIONS", HTTP_OPTIONS },
};

int http_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_is_token(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static char small(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

bool http_same(const char *a, const char *b)
{
	while (*a && small(*a) == small(*b))
		a++, b++;
	return small(*a) == small(*b);
}

static unsigned parse_method(struct http_request *request, const char *name)
{
	if (!*name)
		return 400;
	for (const char *c = name; *c; c++)
		if (!http_is_token(*c))
			return 400;
	for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!strcmp(methods[i].name, name)) {
			request->method = methods[i].method;
			return 0;
		}
	return 501;
}

static unsigned parse_version(struct http_request *request, const char *version)
{
	if (strncmp(version, "HTTP/", 5) || http_hex(version[5]) < 0 || http_hex(version[5]) > 9 || version[6] != '.' ||
	    http_hex(version[7]) < 0 || http_hex(version[7]) > 9 || version[8])
		return 400;
	request->old = version[7] == '0';
	return version[5] == '1' ? 0 : 505;
}

unsigned http_parse_request_line(struct http *http, char *line)
{
	struct http_request *request = &http->request;
	char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
	unsigned status;

	if (!version)
		return 400;
	*target++ = 0;
	*version++ = 0;
	status = parse_version(request, version);
	if (!status)
		status = parse_method(request, line);
	if (status)
		return status;
	if (bh_strlcpy(request->target, target, sizeof(request->target)) >= sizeof(request->target))
		return 414;
	return http_parse_target(request);
}

/* Absolute form (RFC 9112, 3.2.2): what comes before the path is cut off. */
static void cut_authority(char *target)
{
	char *host = !strncmp(target, "http://", 7) ? target + 7 : !strncmp(target, "https://", 8) ? target + 8 : NULL;
	char *path = host;

	if (!host)
		return;
	while (*path && !strchr("/?#", *path))
		path++;
	if (path == host)
		return;
	if (*path == '/')
		memmove(target, path, strlen(path) + 1);
	else
		memmove(target + 1, path, strlen(path) + 1), *target = '/';
}

/* Decodes %XX where it stands. A slash or a 0 may not hide in one: everybody is to see the same segments. */
static bool decode_path(char *path)
{
	char *to = path;

	for (const char *from = path; *from; from++) {
		int value = (unsigned char)*from;

		if (value == '%') {
			if (http_hex(from[1]) < 0 || http_hex(from[2]) < 0)
				return false;
			value = http_hex(from[1]) << 4 | http_hex(from[2]);
			from += 2;
			if (value == '/' || value == 0)
				return false;
		} else if (value == '\\') {
			return false;
		}
		if (value < 0x20 || value == 0x7f)
			return false;
		*to++ = (char)value;
	}
	*to = 0;
	return true;
}

/* No segment is "." or "..". */
static bool plain_segments(const char *path)
{
	for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
		size_t dots = at[1] != '.' ? 0 : at[2] != '.' ? 1 : 2;

		if (dots && (at[1 + dots] == '/' || !at[1 + dots]))
			return false;
	}
	return true;
}

unsigned http_parse_target(struct http_request *request)
{
	char *query;

	if (!strcmp(request->target, "*"))
		return request->method == HTTP_OPTIONS ? 0 : 400;
	for (const char *c = request->target; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '#')
			return 400;
	cut_authority(request->target);
	query = strchr(request->target, '?');
	if (query)
		*query++ = 0;
	request->query = query ? query : "";
	if (request->target[0] != '/' || !decode_path(request->target) || !plain_segments(request->target))
		return 400;
	return strstr(request->target, "//") ? 404 : 0;
}
