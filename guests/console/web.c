/* web.c: joins what ip/, tls/, http/, users/, api/ and page/ do, of which none knows all others. */
#include "web.h"
#include "api/api.h"
#include "contact.h"
#include "given.h"
#include "guests/lib/bh.h"
#include "http/http.h"
#include "ip/clock.h"
#include "ip/ip.h"
#include "ip/redirect.h"
#include "lwip/timeouts.h"
#include "mbedtls/sha256.h"
#include "page/page.h"
#include "state.h"
#include "tls/entropy.h"
#include "tls/tls.h"
#include "users/journal.h"

#define TICK_MS	    250
#define WRONG_LINES 5 /* that are told */
#define FIRST	    "first"

static void random_bytes(void *to, size_t bytes) { entropy_fill(to, bytes); }

static void sha256(const void *data, size_t bytes, uint8_t hash[USERS_HASH_BYTES])
{
	mbedtls_sha256_ret(data, bytes, hash, 0);
}

static const struct users_host host = { random_bytes, sha256, clock_now };

static uint64_t http_connections(unsigned argument) { return (void)argument, http_used(); }

static void tick(void *context)
{
	(void)context;
	api_tick(ip_now_ms());
	sys_timeout(TICK_MS, tick, NULL);
}

/* Entries before and behind it have other times. */
static void clock_corrected(const char *server, int64_t seconds)
{
	bool ahead = seconds < 0;
	unsigned long long by = (unsigned long long)(ahead ? -seconds : seconds);

	bh_printf("time server %s: clock was %llu s %s\n", server, by, ahead ? "ahead" : "behind");
	journal_actor("time server", server);
	journal_add("done", "clock set, was %llu s %s", by, ahead ? "ahead" : "behind");
}

/* ---- who may ---- */

static const struct bh_console_file *tokens;
static unsigned wrong_lines;

static void wrong_line(unsigned line)
{
	if (++wrong_lines < WRONG_LINES)
		given_wrong(tokens, line, "this is no line of `token export`, or its name is there twice");
	else if (wrong_lines == WRONG_LINES)
		given_wrong(tokens, line, "and more lines are wrong from here on");
}

static bool has_token(void)
{
	for (unsigned i = 0; i < USERS_TOKENS; i++)
		if (users_entry(i))
			return true;
	return false;
}

/* Nobody could come in. Who has the serial line may make any token; it is shown there, and nowhere else. */
static void make_first(void)
{
	struct users_token first = { .role = USERS_ADMINISTRATOR, .name = FIRST };
	char text[USERS_TOKEN_BYTES];

	if (users_create(&first, text) != USERS_DONE)
		return;
	contact_note("token %s of administrator " FIRST ", for this boot", text);
	memset(text, 0, sizeof(text));
	journal_add("done", "token %s made", FIRST);
}

/* The file is read once: a token that was revoked since does not come back when the console starts again. */
static void start_users(struct state *state, const struct bh_console_file *files)
{
	enum users_found found = users_start(&state->users, &host);
	size_t bytes = 0;
	const char *text;

	if (found == USERS_FOUND)
		return;
	if (found == USERS_DAMAGED)
		contact_note("its tokens were damaged, and are lost");
	tokens = &files[BH_FILE_TOKENS];
	text = given_read(tokens, &bytes);
	if (text)
		users_import_text(text, bytes, wrong_line);
	if (!has_token())
		make_first();
}

void web_start(const struct bh_network_records *records)
{
	struct state *state = state_open();
	const struct tls_identity identity = { records->console.hostname, records->file, &state->certificate };

	state_seed(state);
	if (!ip_start(records))
		return;
	state_reseed(state);
	clock_start(records->console.time_server, &state->clock, clock_corrected);
	journal_start(&state->journal, clock_now);
	journal_actor("console", "");
	journal_add("done", bh_info()->restarts ? "started again" : "started");
	start_users(state, records->file);
	api_start(&host, page_answer, ip_now_ms());
	http_set_clock(clock_now);
	sys_timeout(TICK_MS, tick, NULL);
	contact_add_pool(&(struct contact_pool){ "http.connections", HTTP_CONNECTIONS, http_connections, 0 });
	if (!redirect_start())
		bh_printf("console: no memory for port 80\n");
	tls_start(&identity);
}
