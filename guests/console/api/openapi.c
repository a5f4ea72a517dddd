/* openapi.c: the API's own description. */
#include "guests/lib/bh_format.h"
#include "parts.h"

extern const uint8_t api_openapi_text[], api_openapi_end[]; /* openapi.S */

static char tag[24];
static struct http_file file = { .path = API "/openapi.json", .type = "application/json", .tag = tag };

/* FNV-1a: it tells versions apart, no more. */
void api_openapi_start(void)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (const uint8_t *byte = api_openapi_text; byte < api_openapi_end; byte++)
		hash = (hash ^ *byte) * 0x100000001b3ull;
	bh_snprintf(tag, sizeof(tag), "\"%016llx\"", (unsigned long long)hash);
	file.data = api_openapi_text;
	file.bytes = (size_t)(api_openapi_end - api_openapi_text);
}

void api_get_openapi(struct http *http) { http_send_file(http, &file); }
