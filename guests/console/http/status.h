/* status.h: status codes in words, and problem details (RFC 9457). Pure. */
#pragma once
#include <stddef.h>

const char *http_status_words(unsigned status);

/* A JSON object. What is not printable in `detail`, and quotes and backslashes, become '.'. */
void http_problem_text(char *to, size_t size, unsigned status, const char *detail);
