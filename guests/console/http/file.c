/* file.c: files that are built in (RFC 9110, 8.8.3, 12.5.3 and 13.1.2). */
#include "answer.h"
#include "guests/lib/bh_string.h"
#include "parts.h"

/* Weak comparison, which is the one for If-None-Match. */
static bool has_it(const struct http *http, const char *tag)
{
	const char *list = http->request.none_match;

	for (const char *at = strstr(list, tag); at; at = strstr(at + 1, tag))
		if (at == list || strchr(" \t,/", at[-1]))
			return true;
	return !strcmp(list, "*");
}

void http_send_file(struct http *http, const struct http_file *file)
{
	if (file->encoding && http->request.refuses_gzip) {
		http_header(http, "Vary", "Accept-Encoding");
		http_problem(http, 406, "This file is here as gzip only.");
		return;
	}
	http_header(http, "ETag", file->tag);
	http_header(http, "Cache-Control", "no-cache");
	http_header(http, "Content-Security-Policy",
		    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
		    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'");
	if (file->encoding)
		http_header(http, "Vary", "Accept-Encoding");
	if (has_it(http, file->tag)) {
		http_send_memory(http, 304, NULL, NULL, 0);
		return;
	}
	if (file->encoding)
		http_header(http, "Content-Encoding", file->encoding);
	http_send_memory(http, 200, file->type, file->data, file->bytes);
}
