/* Any bytes as a request to port 80: one answer, of the right form, that says nothing a browser could misunderstand. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "guests/console/ip/redirect.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char begin[] = "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://";
	static char answer[REDIRECT_ANSWER_BYTES];
	size_t bytes = size < REDIRECT_REQUEST_BYTES ? size : REDIRECT_REQUEST_BYTES;
	size_t length = redirect_answer((const char *)data, bytes, "own", answer);
	const char *at = answer + sizeof(begin) - 1;

	redirect_is_complete((const char *)data, bytes);
	REQUIRE(length < sizeof(answer) && length == strlen(answer));
	REQUIRE(!memcmp(answer, begin, sizeof(begin) - 1) && *at != '/');
	for (bool host = true; *at != '\r'; at++) {
		host = host && *at != '/';
		REQUIRE(*at > ' ' && *at < 0x7f && !strchr(host ? "\"<>\\@?#" : "\"<>\\", *at));
	}
	REQUIRE(!strcmp(at, "\r\nContent-Length: 0\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"));
	return 0;
}
