/* session.c: a browser's session: shows a token once, then has a cookie. */
#include "session.h"
#include "guests/console/users/journal.h"
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"

/* Who asks, and the CSRF token if it is by a session. */
static void answer(struct http *http, unsigned status, const struct users_token *token, const struct session *session)
{
	char space[HTTP_PIECE_BYTES];
	struct text text = text_in(space, sizeof(space) - 1);
	struct json json = json_in(&text, false);

	json_open(&json, NULL, '{');
	json_string(&json, "name", token->name);
	json_string(&json, "role", users_role_words((enum users_role)token->role));
	json_open(&json, "partitions", '[');
	for (unsigned i = 0; i < token->partitions; i++)
		json_string(&json, NULL, token->partition[i]);
	json_close(&json, ']');
	if (session)
		json_string(&json, "csrf", session->csrf);
	json_close(&json, '}');
	space[text.used] = 0;
	http_answer(http, status, "application/json", space);
}

void api_get_session(struct http *http)
{
	answer(http, 200, api_token(http), http_authorization(http)[0] ? NULL : api_session(http));
}

/* {"token":"..."} */
static bool read_body(struct http *http, char secret[USERS_TOKEN_BYTES])
{
	struct json_value body, key, value;
	struct json_place next = { 0 };
	char name[8];

	if (!api_body(http, &body))
		return false;
	if (json_type(&body) == JSON_OBJECT && json_next(&body, &next, &key, &value) &&
	    json_get_string(&key, name, sizeof(name)) && !strcmp(name, "token") && json_type(&value) == JSON_STRING) {
		/* One that is too long is a wrong one. */
		if (!json_get_string(&value, secret, USERS_TOKEN_BYTES))
			secret[0] = 0;
		return true;
	}
	http_problem(http, 422, "The body is an object with the member token.");
	return false;
}

void api_post_session(struct http *http)
{
	char secret[USERS_TOKEN_BYTES], cookie[160];
	const struct users_token *token;
	const struct session *session;

	if (!read_body(http, secret))
		return;
	token = api_log_in(http, secret);
	memset(secret, 0, sizeof(secret));
	if (!token)
		return;
	session = sessions_begin(token->number, api_host, http_now());
	journal_add("done", "log in");
	bh_snprintf(cookie, sizeof(cookie), HTTP_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict",
		    session->cookie);
	http_header(http, "Set-Cookie", cookie);
	answer(http, 201, token, session);
}

void api_delete_session(struct http *http)
{
	const struct session *session = api_session(http);

	if (session)
		sessions_end(session);
	http_header(http, "Set-Cookie", HTTP_COOKIE "=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
	http_answer(http, 204, NULL, NULL);
}
