/* config_text.h: what the tests of the configuration share: parsing a text and hearing what is said of it. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "boot/config.h"

static struct config config;
static char told[65536];

static inline void report(void *context, uint32_t line, const char *text)
{
	size_t used = strlen(told);

	(void)context;
	snprintf(told + used, sizeof(told) - used, "%u: %s\n", line, text);
}

static inline uint32_t parse_bytes(const char *text, size_t bytes)
{
	/* A copy of the exact size, so that the sanitizer sees a read beyond it. */
	char *copy = calloc(bytes ? bytes : 1, 1);
	uint32_t errors;

	told[0] = 0;
	memcpy(copy, text, bytes);
	errors = config_parse(copy, bytes, &config, report, NULL);
	free(copy);
	return errors;
}

static inline uint32_t parse(const char *text) { return parse_bytes(text, strlen(text)); }

/* The text has exactly one error, and it is told as `expected` (a part of "LINE: text"). */
static inline void one_error(const char *text, const char *expected)
{
	uint32_t errors = parse(text);

	if (errors != 1 || !strstr(told, expected))
		fail_msg("%u errors:\n%swhere one was expected: %s", errors, told, expected);
}

/* The text has no error. */
static inline void no_error(const char *text)
{
	if (parse(text))
		fail_msg("errors where none was expected:\n%s", told);
}
