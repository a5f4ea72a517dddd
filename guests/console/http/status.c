#include "status.h"
#include "text.h"

static const struct {
	unsigned status;
	const char *words;
} all[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

const char *http_status_words(unsigned status)
{
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].status == status)
			return all[i].words;
	return "Unknown";
}

void http_problem_text(char *to, size_t size, unsigned status, const char *detail)
{
	struct text text = text_in(to, size - 4);

	text_printf(&text, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":\"",
		    http_status_words(status), status);
	for (; *detail; detail++) {
		char c = *detail >= ' ' && *detail < 0x7f && *detail != '"' && *detail != '\\' ? *detail : '.';

		text_bytes(&text, &c, 1);
	}
	text.room = size - 1;
	text_add(&text, "\"}\n");
	to[text.used] = 0;
}
