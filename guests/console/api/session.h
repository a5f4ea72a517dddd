/* session.h: logging in, for who.c and session.c. */
#pragma once
#include "guests/console/users/sessions.h"
#include "json_read.h"
#include "parts.h"

/* The token in `text`; NULL: it was answered that there is none, or that it is not yet time for another try. */
const struct users_token *api_log_in(struct http *http, const char *text);
/* The session of the request's cookie; NULL: none. */
const struct session *api_session(struct http *http);

/* The body as JSON; false: it was answered that it is none. */
bool api_body(struct http *http, struct json_value *value);
