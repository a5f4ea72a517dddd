/*
 * api_server.c: the API on a fake machine, over standard input and output, for test_api.py. The first line that it
 * writes holds the tokens.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "fake_view.h"
#include "guests/console/api/api.h"
#include "guests/console/http/http.h"

static size_t room(void *wire)
{
	(void)wire;
	return 1000; /* answers come in pieces, as from a wire */
}

static void send(void *wire, const void *data, size_t bytes)
{
	(void)wire;
	fwrite(data, 1, bytes, stdout);
}

static bool closed;

static void close_wire(void *wire)
{
	(void)wire;
	closed = true;
}

int main(void)
{
	static const struct http_transport transport = { room, send, close_wire };
	struct fake_tokens tokens;
	uint8_t piece[4096];
	struct http *http;
	ssize_t bytes;

	fake_machine_start();
	fake_machine_prints(FAKE_ALPHA, "Welcome to alpha\r\n\x1b[1mlogin:\x1b[0m ");
	users_start(NULL, &fake_host);
	fake_tokens_make(&tokens);
	api_start(&fake_host, NULL, 0);
	api_tick(1);
	printf("%s %s %s\n", tokens.ann, tokens.vic, tokens.oda);
	fflush(stdout);
	http = http_open(&transport, NULL, "127.0.0.1");
	while (!closed && (bytes = read(0, piece, sizeof(piece))) > 0) {
		http_receive(http, piece, (size_t)bytes);
		fflush(stdout);
	}
	return 0;
}
