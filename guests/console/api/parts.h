/* parts.h: what the sources of the API share. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/console/http/answer.h"
#include "guests/console/http/route.h"
#include "guests/console/users/users.h"
#include "json_write.h"
#include "view.h"

#define API "/api/v1"

/* What a route asks of who calls it: its tag. */
enum api_needs {
	API_NOTHING, /* the handler sees to it itself */
	API_TOKEN,   /* any valid one; the handler shows what it may see */
	API_ALL,     /* may see all partitions */
	API_ADMINISTRATOR,
	API_SEE,     /* the partition in the path */
	API_OPERATE, /* the same */
};

/* In http_own: who asks, for what, and how far the answer is. */
struct api_request {
	uint32_t token;	    /* number; 0: nobody */
	unsigned partition; /* of the path */
	bool opened, after; /* of a list: its head stands there; an element does */
	unsigned step, inner, third;
	uint64_t position, end;
};

static inline struct api_request *api_request(struct http *http) { return http_own(http); }

/* ---- who.c ---- */

bool api_gate(struct http *http, const struct http_route *route);
/* Who asks; NULL: the token was revoked meanwhile. */
const struct users_token *api_token(struct http *http);
bool api_sees(struct http *http, unsigned partition);
/* The host's functions, as given to api_start. */
extern const struct users_host *api_host;

/* ---- change.c ---- */

/* The answer to a change that was not made; `key`: what the sentence is about, NULL or "": nothing by itself. */
void api_refuse(struct http *http, enum view_change change, const char *words, const char *key);
/* The answer to a DELETE: 204, or why not. */
void api_removed(struct http *http, enum view_change change, const char *words);

/* ---- partitions.c: that of the request, in all its details ---- */

void api_answer_partition(struct http *http, unsigned status);

/* ---- list.c: {HEAD,"KEY":[ELEMENT,ELEMENT]} in pieces ---- */

struct api_list {
	void (*head)(struct http *http, struct json *json); /* NULL: none */
	const char *key;
	unsigned (*count)(struct http *http);
	/* Element `step` (and `inner`) of the request, or nothing; true: the step is done, false: once more, inner + 1.
	 */
	bool (*element)(struct http *http, struct api_request *request, struct json *json);
};
enum http_more api_list(struct http *http, struct text *text, const struct api_list *list);
void api_json(struct http *http, unsigned status, http_producer producer);

/* Text that is read 8 bytes at a time, as a JSON string's content; false: there is no more. */
typedef unsigned (*api_reader)(struct http *http, uint64_t offset, char text[8]);
bool api_escape_some(struct http *http, struct text *text, api_reader reader);

/* ---- words.c ---- */

const char *api_state(unsigned state);
const char *api_cause(unsigned cause);
/* A decimal number; false: it is none. */
bool api_number(const char *digits, uint64_t *number);
/* The members of a partition that stand in the list of all. */
void api_partition_members(struct json *json, const struct view_partition *partition);

/* ---- handlers ---- */

void api_get_machine(struct http *http);
void api_get_capabilities(struct http *http);
void api_get_pci(struct http *http);
void api_get_iommu(struct http *http);
void api_get_log(struct http *http);
void api_get_partitions(struct http *http);
void api_get_partition(struct http *http);
void api_post_operation(struct http *http);
void api_get_report(struct http *http);
void api_get_exits(struct http *http);
void api_get_statistics(struct http *http);
void api_get_history(struct http *http);
void api_get_console(struct http *http);
void api_get_console_stream(struct http *http);
void api_post_console(struct http *http);
void api_get_networks(struct http *http);
void api_get_ports(struct http *http);
void api_get_events(struct http *http);
void api_get_audit(struct http *http);
void api_get_tokens(struct http *http);
void api_post_token(struct http *http);
void api_delete_token(struct http *http);
void api_get_session(struct http *http);
void api_post_session(struct http *http);
void api_delete_session(struct http *http);
void api_get_metrics(struct http *http);
void api_get_openapi(struct http *http);
void api_get_images(struct http *http);
void api_post_image(struct http *http);
void api_put_image(struct http *http);
void api_put_image_piece(struct http *http, const uint8_t *data, size_t bytes);
void api_delete_image(struct http *http);
void api_post_partition(struct http *http);
void api_delete_partition(struct http *http);
void api_get_configuration(struct http *http);

/* events.c, openapi.c */
void api_events_start(void);
void api_events_look(void);
void api_openapi_start(void);
