/* web.c: joins what ip/, tls/, http/, users/, api/ and page/ do, of which none knows all others. */
#include "web.h"
#include "api/api.h"
#include "guests/lib/bh.h"
#include "ip/ip.h"
#include "ip/redirect.h"
#include "lwip/timeouts.h"
#include "mbedtls/sha256.h"
#include "page/page.h"
#include "tls/entropy.h"
#include "tls/tls.h"
#include "users/journal.h"

#define TICK_MS 250

static void random_bytes(void *to, size_t bytes) { entropy_fill(to, bytes); }

static void sha256(const void *data, size_t bytes, uint8_t hash[USERS_HASH_BYTES])
{
	mbedtls_sha256_ret(data, bytes, hash, 0);
}

static void tick(void *context)
{
	(void)context;
	api_tick(ip_now_ms());
	sys_timeout(TICK_MS, tick, NULL);
}

void web_start(const struct bh_network_records *records)
{
	static const struct users_host host = { random_bytes, sha256, ip_clock };

	if (!ip_start(records))
		return;
	journal_start(ip_clock);
	users_start(NULL, &host);
	api_start(&host, page_answer);
	sys_timeout(TICK_MS, tick, NULL);
	if (!redirect_start())
		bh_printf("console: no memory for port 80\n");
	tls_start(records->console.hostname);
}
