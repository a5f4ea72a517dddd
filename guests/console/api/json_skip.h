/* json_skip.h: going over JSON: each function goes behind what it is called for, and says what is wrong with it. */
#pragma once
#include <stdbool.h>

struct json_reader {
	const char *at, *end;
	const char *wrong; /* NULL: nothing so far */
};

void json_skip_space(struct json_reader *reader);
bool json_skip_string(struct json_reader *reader);
/* One value, whatever is in it; without recursion. */
bool json_skip_value(struct json_reader *reader);
/* Four hexadecimal digits at `at`; -1: they are none. */
int json_hex4(const char *at, const char *end);
