/* who.c: who asks, and whether he may. */
#include "guests/console/users/delays.h"
#include "guests/console/users/journal.h"
#include "guests/console/users/sessions.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"
#include "parts.h"
#include "session.h"

const struct users_token *api_token(struct http *http) { return users_numbered(api_request(http)->token); }

bool api_sees(struct http *http, unsigned number)
{
	const struct users_token *token = api_token(http);

	/* A place of a partition that was removed has no owner. */
	return token && view_owner(number)[0] && users_may_see(token, view_owner(number));
}

static void say_who(struct http *http, const char *detail)
{
	http_header(http, "WWW-Authenticate", "Bearer realm=\"bulkhead\"");
	http_problem(http, 401, detail);
}

static bool has_to_wait(struct http *http, uint32_t claimed)
{
	uint32_t seconds = delays_left(http_source(http), claimed, http_now());
	char text[16];

	if (!seconds)
		return false;
	bh_snprintf(text, sizeof(text), "%u", (unsigned)seconds);
	http_header(http, "Retry-After", text);
	http_problem(http, 429, "There were too many wrong tokens from this address.");
	return true;
}

const struct users_token *api_log_in(struct http *http, const char *text)
{
	const struct users_token *token;
	uint32_t claimed = users_claimed(text);

	if (has_to_wait(http, claimed))
		return NULL;
	token = users_authenticate(text);
	if (token) {
		delays_succeeded(http_source(http), claimed);
		journal_actor(token->name, http_source(http));
		return token;
	}
	delays_failed(http_source(http), claimed, http_now());
	journal_actor("-", http_source(http));
	journal_add("refused", "log in");
	say_who(http, "This token is not valid.");
	return NULL;
}

const struct session *api_session(struct http *http) { return sessions_find(http_cookie(http), http_now()); }

/* A browser sends the cookie by itself; only our own page knows what goes with it. */
static const struct users_token *by_cookie(struct http *http)
{
	const struct session *session = api_session(http);
	bool reads = http_method(http) == HTTP_GET || http_method(http) == HTTP_HEAD;

	if (!session) {
		say_who(http, "This needs a token.");
		return NULL;
	}
	if (!reads && !sessions_csrf_is(session, http_csrf(http))) {
		http_problem(http, 403, "The header X-CSRF-Token does not belong to this session.");
		return NULL;
	}
	return users_numbered(session->token);
}

static const struct users_token *identify(struct http *http)
{
	const char *header = http_authorization(http);

	if (!header[0])
		return by_cookie(http);
	/* The scheme in any capitals (RFC 9110, 11.1). */
	if ((header[0] | 0x20) != 'b' || strlen(header) < 7 || header[6] != ' ') {
		say_who(http, "Only the scheme Bearer is known here.");
		return NULL;
	}
	return api_log_in(http, header + 7);
}

/* What somebody may not see is not there. */
static bool may_touch(struct http *http, const struct users_token *token, bool operate)
{
	int number = view_find(http_parameter(http, 0));

	if (number < 0 || !api_sees(http, (unsigned)number)) {
		http_problem(http, 404, "There is no such partition.");
		return false;
	}
	api_request(http)->partition = (unsigned)number;
	if (!operate || users_may_operate(token, http_parameter(http, 0)))
		return true;
	http_problem(http, 403, "This token may look at the partition, and not operate it.");
	return false;
}

static bool is_administrator(struct http *http, const struct users_token *token)
{
	if (token->role == USERS_ADMINISTRATOR)
		return true;
	http_problem(http, 403, "This is for administrators.");
	return false;
}

static bool sees_all(struct http *http, const struct users_token *token)
{
	if (users_may_see_all(token))
		return true;
	http_problem(http, 403, "This is for those who may see all partitions.");
	return false;
}

bool api_gate(struct http *http, const struct http_route *route)
{
	const struct users_token *token;

	_Static_assert(sizeof(struct api_request) <= HTTP_OWN_BYTES, "it lies there");
	if (route->tag == API_NOTHING)
		return true;
	token = identify(http);
	if (!token)
		return false;
	api_request(http)->token = token->number;
	journal_actor(token->name, http_source(http));
	switch (route->tag) {
	case API_ALL: return sees_all(http, token);
	case API_ADMINISTRATOR: return is_administrator(http, token);
	case API_SEE: return may_touch(http, token, false);
	case API_OPERATE: return may_touch(http, token, true);
	default: return true;
	}
}
