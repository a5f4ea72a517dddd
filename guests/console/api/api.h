/*
 * api.h: the management API under /api/v1/, /metrics and the OpenAPI document, on top of http/ and users/. It sees the
 * machine through view.h only.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/console/http/answer.h"
#include "guests/console/users/users.h"

/*
 * Serves the API: before the first connection, and after users_start. `otherwise` answers a GET of what is not the
 * API's (the page), for which nobody has to log in; NULL: there is none. `now_ms` as for api_tick.
 */
void api_start(const struct users_host *host, bool (*otherwise)(struct http *http), uint64_t now_ms);

/* A few times a second, and whenever something may have changed: finds new events, and is http_tick as well. */
void api_tick(uint64_t now_ms);

/* GET /: one of `count` files, or false. For `otherwise`. */
bool api_send_file(struct http *http, const struct http_file *files, unsigned count);
