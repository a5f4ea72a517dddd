#include "sessions.h"
#include "guests/lib/bh_string.h"
#include "secret.h"

static struct session sessions[SESSIONS_MAX];

static bool older(const struct session *session, const struct session *than)
{
	return !than || session->used < than->used;
}

static struct session *find_free(uint32_t token)
{
	struct session *oldest = NULL, *own = NULL, *unused = NULL;
	unsigned count = 0;

	for (struct session *session = sessions; session < sessions + SESSIONS_MAX; session++) {
		if (!session->token)
			unused = session;
		else if (older(session, oldest))
			oldest = session;
		count += session->token == token;
		if (session->token == token && older(session, own))
			own = session;
	}
	if (count >= SESSIONS_OF_ONE)
		return own;
	return unused ? unused : oldest;
}

static void make_secret(const struct users_host *host, char text[SESSION_TEXT])
{
	uint8_t bytes[SESSION_BYTES];

	host->random(bytes, sizeof(bytes));
	secret_to_hex(text, bytes, sizeof(bytes));
}

const struct session *sessions_begin(uint32_t token, const struct users_host *host, uint64_t now_ms)
{
	struct session *session = find_free(token);

	*session = (struct session){ .token = token, .began = now_ms, .used = now_ms };
	make_secret(host, session->cookie);
	make_secret(host, session->csrf);
	return session;
}

static bool is_over(const struct session *session, uint64_t now_ms)
{
	return now_ms - session->used > SESSION_IDLE_MS || now_ms - session->began > SESSION_LONGEST_MS ||
	       !users_numbered(session->token);
}

/* Looks at all of them, so that the time does not say which was nearly right. */
const struct session *sessions_find(const char *cookie, uint64_t now_ms)
{
	struct session *found = NULL;

	if (strlen(cookie) != SESSION_TEXT - 1)
		return NULL;
	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		if (secret_same(sessions[i].cookie, cookie, SESSION_TEXT - 1) && sessions[i].token)
			found = &sessions[i];
	if (!found)
		return NULL;
	if (is_over(found, now_ms)) {
		sessions_end(found);
		return NULL;
	}
	found->used = now_ms;
	return found;
}

bool sessions_csrf_is(const struct session *session, const char *csrf)
{
	return strlen(csrf) == SESSION_TEXT - 1 && secret_same(session->csrf, csrf, SESSION_TEXT - 1);
}

void sessions_end(const struct session *session) { memset(&sessions[session - sessions], 0, sizeof(*session)); }

void sessions_end_all(uint32_t token)
{
	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		if (sessions[i].token == token)
			sessions_end(&sessions[i]);
}
