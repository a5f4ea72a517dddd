/* What port 80 answers: to any request a redirect, and never more of the request than may be repeated. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "guests/console/ip/redirect.h"

/* The Location of the answer to `request`. */
static const char *location_of(const char *request, size_t bytes)
{
	static char answer[REDIRECT_ANSWER_BYTES];
	char *copy = malloc(bytes ? bytes : 1), *start, *end;
	size_t length;

	/* Of the exact size, so that the sanitizer sees a read beyond it. */
	memcpy(copy, request, bytes);
	length = redirect_answer(copy, bytes, "10.0.2.15", answer);
	free(copy);
	assert_int_equal(length, strlen(answer));
	assert_memory_equal(answer, "HTTP/1.1 308 ", 13);
	assert_string_equal(answer + length - 4, "\r\n\r\n");
	start = strstr(answer, "Location: ");
	assert_non_null(start);
	end = strstr(start, "\r\n");
	*end = 0;
	assert_null(strstr(end + 1, "Location"));
	return start + 10;
}

#define LOCATION(request) location_of(request, strlen(request))

static void names_host_and_target(void **state)
{
	(void)state;
	assert_string_equal(LOCATION("GET / HTTP/1.1\r\nHost: box\r\n\r\n"), "https://box/");
	assert_string_equal(LOCATION("GET /a?b=c HTTP/1.1\r\nX: y\r\nhOST:  10.0.0.1:8080 \r\n\r\n"),
			    "https://10.0.0.1/a?b=c");
	assert_string_equal(LOCATION("POST /x HTTP/1.0\nHost: [fd00::1]:80\n\n"), "https://[fd00::1]/x");
}

static void takes_nothing_else_over(void **state)
{
	static const char *const requests[] = {
		"",
		"\r\n\r\n",
		"GET",
		"GET \r\n",
		"GET / HTTP/1.1\r\n\r\nHost: evil\r\n\r\n",
		"GET // HTTP/1.1\r\n\r\n",
		"GET //evil/ HTTP/1.1\r\n\r\n",
		"GET http://evil/ HTTP/1.1\r\n\r\n",
		"GET /\"<script> HTTP/1.1\r\n\r\n",
		"GET /\x01 HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: evil/\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: \r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
		"\x16\x03\x01\x02",
		"GET / HTTP/1.1\r\nHost: :80\r\n\r\n",
		"GET /\rX HTTP/1.1\r\n\r\n",
		"GET /\\evil HTTP/1.1\r\n\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		assert_string_equal(LOCATION(requests[i]), "https://10.0.2.15/");
}

static void long_ones_are_cut(void **state)
{
	char request[REDIRECT_REQUEST_BYTES];

	(void)state;
	memset(request, 'a', sizeof(request));
	assert_false(redirect_is_complete(request, sizeof(request) - 1));
	assert_true(redirect_is_complete(request, sizeof(request)));
	memcpy(request, "GET /", 5);
	assert_string_equal(location_of(request, sizeof(request)), "https://10.0.2.15/");
	memcpy(request + 1000, " HTTP/1.1\r\nHost: ", 17);
	assert_int_equal(strlen(location_of(request, sizeof(request))), 8 + 9 + 996);
}

static void head_is_complete(void **state)
{
	(void)state;
	assert_true(redirect_is_complete("a\r\n\r\n", 5));
	assert_true(redirect_is_complete("a\n\n", 3));
	assert_false(redirect_is_complete("a\r\n\r", 4));
	assert_false(redirect_is_complete("a\n", 2));
	assert_false(redirect_is_complete("", 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_host_and_target),
		cmocka_unit_test(takes_nothing_else_over),
		cmocka_unit_test(long_ones_are_cut),
		cmocka_unit_test(head_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
