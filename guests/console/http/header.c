/* header.c: the header fields that matter here (RFC 9110, 5 to 12; RFC 9112, 5 and 6). */
#include "guests/lib/bh_string.h"
#include "parts.h"

static bool is_space(char c) { return c == ' ' || c == '\t'; }

/* The next member of a comma-separated list: its length without space around it; `*at` goes behind it. */
static size_t next_member(const char **at, const char **member)
{
	size_t length = 0;

	while (is_space(**at) || **at == ',')
		(*at)++;
	*member = *at;
	while (**at && **at != ',')
		(*at)++;
	length = (size_t)(*at - *member);
	while (length && is_space((*member)[length - 1]))
		length--;
	return length;
}

static bool member_is(const char *member, size_t length, const char *word)
{
	char copy[32];

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, member, length);
	copy[length] = 0;
	return http_same(copy, word);
}

bool http_lists(const char *list, const char *word)
{
	const char *member;
	size_t length;

	while ((length = next_member(&list, &member)))
		if (member_is(member, length, word))
			return true;
	return false;
}

/* ---- each field: 0 or the status to refuse it with ---- */

static unsigned set_host(struct http_request *request, const char *value)
{
	if (request->has_host)
		return 400;
	for (const char *c = value; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || strchr("/?#@\\\"<>,", *c))
			return 400;
	request->has_host = true;
	return 0;
}

/* One only, and digits only: whoever stands in between could read it otherwise (RFC 9112, 6.3). */
static unsigned set_length(struct http_request *request, const char *value)
{
	if (request->has_length || !*value)
		return 400;
	request->has_length = true;
	for (; *value; value++) {
		if (*value < '0' || *value > '9')
			return 400;
		if (request->length > UINT64_MAX / 16)
			return 413;
		request->length = request->length * 10 + (uint64_t)(*value - '0');
	}
	return 0;
}

static unsigned set_coding(struct http_request *request, const char *value)
{
	if (request->has_coding || request->old)
		return 400;
	request->has_coding = true;
	request->chunked = http_same(value, "chunked");
	return request->chunked ? 0 : 501;
}

static unsigned set_connection(struct http_request *request, const char *value)
{
	request->close = request->close || http_lists(value, "close");
	request->keep = request->keep || http_lists(value, "keep-alive");
	return 0;
}

static unsigned set_expect(struct http_request *request, const char *value)
{
	request->expects = !request->old;
	return http_same(value, "100-continue") ? 0 : 417;
}

/* A weight that says "never" (RFC 9110, 12.4.2). */
static bool is_zero(const char *weight, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (weight[i] != '0' && weight[i] != '.')
			return false;
	return length > 0;
}

/* gzip is refused by a list that names neither it nor "*", or gives it no weight (RFC 9110, 12.5.3). */
static unsigned set_encodings(struct http_request *request, const char *value)
{
	const char *member;
	size_t length;

	request->refuses_gzip = true;
	while ((length = next_member(&value, &member))) {
		size_t name = 0;

		while (name < length && member[name] != ';' && !is_space(member[name]))
			name++;
		if (!member_is(member, name, "gzip") && !member_is(member, name, "*"))
			continue;
		request->refuses_gzip = false;
		for (size_t i = name; i + 2 < length; i++)
			if ((member[i] | 0x20) == 'q' && member[i + 1] == '=')
				request->refuses_gzip = is_zero(member + i + 2, length - i - 2);
	}
	return 0;
}

static unsigned set_cookie(struct http_request *request, const char *value)
{
	size_t name = strlen(HTTP_COOKIE);

	for (const char *at = value; at; at = strchr(at, ';')) {
		size_t length = 0;

		while (is_space(*at) || *at == ';')
			at++;
		if (strncmp(at, HTTP_COOKIE, name) || at[name] != '=')
			continue;
		at += name + 1;
		while (at[length] && at[length] != ';' && !is_space(at[length]))
			length++;
		if (length < sizeof(request->cookie)) {
			memcpy(request->cookie, at, length);
			request->cookie[length] = 0;
		}
	}
	return 0;
}

#define KEEP(name, field)                                                     \
	static unsigned name(struct http_request *request, const char *value) \
	{                                                                     \
		bh_strlcpy(request->field, value, sizeof(request->field));    \
		return 0;                                                     \
	}

KEEP(set_csrf, csrf)
KEEP(set_none_match, none_match)
KEEP(set_last_event, last_event)

/* Two of these would let two readers see two users, or two types. */
#define KEEP_ONE(name, field)                                                 \
	static unsigned name(struct http_request *request, const char *value) \
	{                                                                     \
		if (request->field[0])                                        \
			return 400;                                           \
		bh_strlcpy(request->field, value, sizeof(request->field));    \
		return 0;                                                     \
	}

KEEP_ONE(set_authorization, authorization)
KEEP_ONE(set_type, type)

static const struct {
	const char *name;
	unsigned (*set)(struct http_request *request, const char *value);
} fields[] = {
	{ "host", set_host },
	{ "content-length", set_length },
	{ "transfer-encoding", set_coding },
	{ "connection", set_connection },
	{ "expect", set_expect },
	{ "accept-encoding", set_encodings },
	{ "cookie", set_cookie },
	{ "x-csrf-token", set_csrf },
	{ "if-none-match", set_none_match },
	{ "last-event-id", set_last_event },
	{ "authorization", set_authorization },
	{ "content-type", set_type },
};

/* Cuts space off both ends; false if it holds what no value may (RFC 9110, 5.5). */
static bool trim(char **value)
{
	char *end;

	while (is_space(**value))
		(*value)++;
	end = *value + strlen(*value);
	while (end > *value && is_space(end[-1]))
		*--end = 0;
	for (const char *c = *value; *c; c++)
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			return false;
	return true;
}

/* A line that begins with space would continue the one before (obs-fold): refused, as is space before the colon. */
unsigned http_parse_header(struct http *http, char *line, bool trailer)
{
	char *value = line;

	if (++http->request.headers > HTTP_HEADERS)
		return 431;
	while (http_is_token(*value))
		value++;
	if (value == line || *value != ':')
		return 400;
	*value++ = 0;
	if (!trim(&value))
		return 400;
	for (unsigned i = 0; !trailer && i < sizeof(fields) / sizeof(fields[0]); i++)
		if (http_same(line, fields[i].name))
			return fields[i].set(&http->request, value);
	return 0;
}
