/* redirect_answer.c: what port 80 answers. Pure. */
#include <stdint.h>
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"
#include "redirect.h"

#define HOST_BYTES   256
#define TARGET_BYTES 1536

bool redirect_is_complete(const char *request, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (request[i] != '\n')
			continue;
		if (i + 1 < bytes && request[i + 1] == '\n')
			return true;
		if (i + 2 < bytes && request[i + 1] == '\r' && request[i + 2] == '\n')
			return true;
	}
	return bytes >= REDIRECT_REQUEST_BYTES;
}

/* The line that begins at `at`, without its end; `*next` is where the following one begins. */
static size_t line_bytes(const char *text, size_t bytes, size_t at, size_t *next)
{
	const char *end = memchr(text + at, '\n', bytes - at);
	size_t length = end ? (size_t)(end - (text + at)) : bytes - at;

	*next = at + length + (end ? 1 : 0);
	return length && text[at + length - 1] == '\r' ? length - 1 : length;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool is_host_field(const char *line, size_t bytes)
{
	static const char name[] = "host:";

	if (bytes < sizeof(name) - 1)
		return false;
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		if (lower(line[i]) != name[i])
			return false;
	return true;
}

/* A name or an address, without a port (RFC 3986, 3.2.2; of its characters those that hosts have). */
static bool take_host(const char *text, size_t bytes, char host[HOST_BYTES])
{
	size_t length = 0;
	bool bracket = false;

	while (bytes && (*text == ' ' || *text == '\t'))
		text++, bytes--;
	for (size_t i = 0; i < bytes && text[i] != ' ' && text[i] != '\t'; i++) {
		char c = text[i], l = lower(c);

		if (c == ':' && !bracket)
			break;
		if (c == '[' || c == ']')
			bracket = c == '[';
		else if ((l < 'a' || l > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != ':')
			return false;
		if (length + 1 >= HOST_BYTES)
			return false;
		host[length++] = c;
	}
	host[length] = 0;
	return length > 0 && !bracket;
}

static bool find_host(const char *request, size_t bytes, char host[HOST_BYTES])
{
	size_t at, length, next;

	line_bytes(request, bytes, 0, &at);
	for (; at < bytes; at = next) {
		length = line_bytes(request, bytes, at, &next);
		if (!length)
			return false;
		if (is_host_field(request + at, length))
			return take_host(request + at + 5, length - 5, host);
	}
	return false;
}

/* The path and query of the first line; "/" if there is none that may be repeated. */
static void find_target(const char *request, size_t bytes, char target[TARGET_BYTES])
{
	size_t next, length = line_bytes(request, bytes, 0, &next), count = 0, at = 0;

	bh_strlcpy(target, "/", TARGET_BYTES);
	while (at < length && request[at] != ' ')
		at++;
	while (at < length && request[at] == ' ')
		at++;
	while (at + count < length && request[at + count] > ' ' && request[at + count] < 0x7f)
		count++;
	/* Two slashes would begin with another host. */
	if (!count || count >= TARGET_BYTES || request[at] != '/' || (count > 1 && request[at + 1] == '/') ||
	    (at + count < length && request[at + count] != ' '))
		return;
	for (size_t i = 0; i < count; i++)
		if (request[at + i] == '"' || request[at + i] == '<' || request[at + i] == '>' ||
		    request[at + i] == '\\')
			return;
	memcpy(target, request + at, count);
	target[count] = 0;
}

size_t redirect_answer(const char *request, size_t bytes, const char *own, char answer[REDIRECT_ANSWER_BYTES])
{
	char host[HOST_BYTES], target[TARGET_BYTES];

	if (!find_host(request, bytes, host))
		bh_strlcpy(host, own, sizeof(host));
	find_target(request, bytes, target);
	return (size_t)bh_snprintf(answer, REDIRECT_ANSWER_BYTES,
				   "HTTP/1.1 308 Permanent Redirect\r\n"
				   "Location: https://%s%s\r\n"
				   "Content-Length: 0\r\n"
				   "Cache-Control: no-store\r\n"
				   "Connection: close\r\n\r\n",
				   host, target);
}
