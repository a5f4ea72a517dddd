/*
 * sessions.h: a browser that has shown a token gets a cookie in its place, and a second secret (CSRF token) that a page
 * of another site cannot know. Private memory: sessions end with the service.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "users.h"

#define SESSIONS_MAX	   16
#define SESSIONS_OF_ONE	   8 /* of a token */
#define SESSION_BYTES	   24
#define SESSION_TEXT	   (2 * SESSION_BYTES + 1)
#define SESSION_IDLE_MS	   (30 * 60 * 1000ull)
#define SESSION_LONGEST_MS (12 * 3600 * 1000ull)

struct session {
	uint32_t token; /* number; 0: this entry is free */
	char cookie[SESSION_TEXT], csrf[SESSION_TEXT];
	uint64_t began, used; /* ms */
};

/* Never fails: if there are too many, or too many of this token, of those the one not used for longest ends. */
const struct session *sessions_begin(uint32_t token, const struct users_host *host, uint64_t now_ms);

/* The session with that cookie, from now on used; NULL: none, or it is over. */
const struct session *sessions_find(const char *cookie, uint64_t now_ms);
bool sessions_csrf_is(const struct session *session, const char *csrf);

void sessions_end(const struct session *session);
void sessions_end_all(uint32_t token);
