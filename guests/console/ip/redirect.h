/*
 * redirect.h: port 80. Every request is sent on to https, and nothing else is said there.
 *
 * A pool of connections; each has a few seconds for its request's head, of which only the target and `Host` are read.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define REDIRECT_REQUEST_BYTES 2048 /* of a head; a longer one is answered when so much has come */
#define REDIRECT_ANSWER_BYTES  2560

/* Listens. Once, after ip_start. False: no memory. */
bool redirect_start(void);

/*
 * Whether a request's head is complete (RFC 9112, 2.1), or as long as may be.
 */
bool redirect_is_complete(const char *request, size_t bytes);

/*
 * Writes the answer to `request` and returns its length, below REDIRECT_ANSWER_BYTES. `own`: the host to name if the
 * request names none that may be repeated. Pure, as is the one above.
 */
size_t redirect_answer(const char *request, size_t bytes, const char *own, char answer[REDIRECT_ANSWER_BYTES]);
