/*
 * json_read.h: reading JSON (RFC 8259): first the whole text is checked, then values are looked up in it. Pure; keeps
 * nothing but places in the text. Strict: nothing behind the value, no number or string that the standard does not
 * have, UTF-8 only, no more than JSON_DEPTH levels. Keys may come twice: who looks them up decides.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH 16

struct json_value {
	const char *at, *end; /* of the value, without space around it */
};

struct json_error {
	size_t at;	  /* byte of the text */
	const char *what; /* "a comma or } is expected" */
};

enum json_type { JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL };

/* False, with `error`: the text is not JSON. All other functions are for values out of a text that was read. */
bool json_read(const char *text, size_t bytes, struct json_value *value, struct json_error *error);

enum json_type json_type(const struct json_value *value);

/* The members of an object or the elements of an array, one after the other; begin with *next = {0}. False: no more. */
struct json_place {
	const char *at;
};
bool json_next(const struct json_value *in, struct json_place *next, struct json_value *key, struct json_value *value);

/* A string, decoded, with a 0 behind it; false if it is none, holds a 0, or has no room in `size`. */
bool json_get_string(const struct json_value *value, char *to, size_t size);

/* A number without fraction, exponent and sign; false if it is none, or above 2^53 - 1. */
bool json_get_number(const struct json_value *value, uint64_t *number);
