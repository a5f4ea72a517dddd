/*
 * json_write.h: JSON (RFC 8259) into a text, in pieces if need be. Pure.
 *
 * `key` is NULL for elements of an array. Keys are our own and stand as they are; strings may hold any byte: what is no
 * UTF-8 becomes U+FFFD, so the answer always is.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "guests/console/http/text.h"

struct json {
	struct text *text;
	bool comma; /* a value stands before the next one */
};

/* `after_value`: the piece before this one ended with a value of the same object or array. */
static inline struct json json_in(struct text *text, bool after_value) { return (struct json){ text, after_value }; }

void json_open(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);		  /* '}' or ']' */

void json_string(struct json *json, const char *key, const char *value);
void json_text(struct json *json, const char *key, const char *value, size_t bytes);
void json_number(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* A string without its quotes: for one that is put together from pieces. */
void json_escape(struct text *text, const char *value, size_t bytes);

/* Bytes in base64 as a string (RFC 4648, 4). */
void json_base64(struct json *json, const char *key, const void *data, size_t bytes);

/* Length of the UTF-8 sequence at `from` (RFC 3629); 0: it is none, or is cut. */
size_t json_utf8(const char *from, size_t bytes);
