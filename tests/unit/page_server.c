/*
 * page_server.c: the page and the API on a fake machine that lives, over TCP, for a browser: page_server CPUS. The
 * first line that it writes holds its port and the tokens. It ends with its standard input.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "fake_view.h"
#include "guests/console/api/api.h"
#include "guests/console/http/http.h"
#include "guests/console/page/page.h"

#define TICK_MS	   50
#define CHANGE_MS  1500 /* what a start or a stop takes */
#define WIRE_BYTES 65536

/* What the peer does not read yet waits in `out`. */
static struct wire {
	int socket; /* 0: free */
	bool closing;
	struct http *http;
	char out[WIRE_BYTES];
	size_t count;
} wires[HTTP_CONNECTIONS];

static size_t room(void *wire) { return WIRE_BYTES - ((struct wire *)wire)->count; }

static void push(struct wire *wire)
{
	ssize_t sent = send(wire->socket, wire->out, wire->count, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent <= 0)
		return;
	wire->count -= (size_t)sent;
	memmove(wire->out, wire->out + sent, wire->count);
}

static void wire_send(void *to, const void *data, size_t bytes)
{
	struct wire *wire = to;

	memcpy(wire->out + wire->count, data, bytes);
	wire->count += bytes;
	push(wire);
}

static void wire_close(void *wire) { ((struct wire *)wire)->closing = true; }

static const struct http_transport transport = { room, wire_send, wire_close };

static void accept_one(int listener)
{
	int new = accept(listener, NULL, NULL);

	for (unsigned i = 0; new >= 0 && i < HTTP_CONNECTIONS; i++) {
		struct wire *wire = &wires[i];

		if (wire->socket)
			continue;
		*wire = (struct wire){ .socket = new };
		wire->http = http_open(&transport, wire, "127.0.0.1");
		if (wire->http)
			return;
		wire->socket = 0;
	}
	close(new);
}

static void serve(struct wire *wire, short happened)
{
	uint8_t piece[4096];

	if (happened & POLLOUT && wire->count) {
		push(wire);
		if (!wire->closing)
			http_sent(wire->http);
	}
	if (happened & (POLLIN | POLLHUP | POLLERR)) {
		ssize_t bytes = read(wire->socket, piece, sizeof(piece));

		if (bytes > 0 && !wire->closing)
			http_receive(wire->http, piece, (size_t)bytes);
		else if (bytes <= 0) {
			if (!wire->closing)
				http_gone(wire->http);
			wire->closing = true;
			wire->count = 0;
		}
	}
	if (wire->closing && !wire->count) {
		close(wire->socket);
		wire->socket = 0;
	}
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What was begun comes to its end, and alpha says again what was typed. */
static void live(uint64_t now)
{
	static uint64_t since[FAKE_PARTITIONS];
	char echo[600] = "";

	for (unsigned i = 0; i < FAKE_PARTITIONS; i++) {
		unsigned *state = &fake_machine.state[i];

		if (*state != BH_STATE_DYING && *state != BH_STATE_BUILDING)
			since[i] = now;
		if (now - since[i] < CHANGE_MS)
			continue;
		fake_machine.started[i] = 5000000000 + fake_machine.elapsed;
		fake_machine.cause[i] = *state == BH_STATE_DYING ? BH_CAUSE_STOPPED : BH_CAUSE_NONE;
		*state = *state == BH_STATE_DYING ? BH_STATE_STOPPED : BH_STATE_RUNNING;
	}
	for (size_t i = 0; i < fake_machine.typed_bytes; i++)
		sprintf(echo + strlen(echo), fake_machine.typed[i] == '\r' ? "\r\n$ " : "%c", fake_machine.typed[i]);
	fake_machine.typed_bytes = 0;
	fake_machine_prints(FAKE_ALPHA, echo);
}

static int listen_somewhere(unsigned *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	bind(listener, (struct sockaddr *)&address, length);
	listen(listener, 64);
	getsockname(listener, (struct sockaddr *)&address, &length);
	*port = ntohs(address.sin_port);
	return listener;
}

static void turn(int listener)
{
	struct pollfd polled[HTTP_CONNECTIONS + 2] = { { listener, POLLIN, 0 }, { 0, POLLIN, 0 } };

	for (unsigned i = 0; i < HTTP_CONNECTIONS; i++) {
		short wanted = wires[i].count ? POLLIN | POLLOUT : POLLIN;

		polled[i + 2] = (struct pollfd){ wires[i].socket ? wires[i].socket : -1, wanted, 0 };
	}
	poll(polled, HTTP_CONNECTIONS + 2, TICK_MS);
	for (unsigned i = 0; i < HTTP_CONNECTIONS; i++)
		if (wires[i].socket && polled[i + 2].fd == wires[i].socket)
			serve(&wires[i], polled[i + 2].revents);
	if (polled[0].revents)
		accept_one(listener);
	if (polled[1].revents)
		exit(0);
}

int main(int count, char **arguments)
{
	struct fake_tokens tokens;
	uint64_t began = now_ms();
	unsigned port;
	int listener = listen_somewhere(&port);

	fake_machine_start();
	if (count > 1)
		fake_machine.cpus = (unsigned)atoi(arguments[1]);
	fake_machine_prints(FAKE_ALPHA, "Welcome to alpha\r\n\x1b[1mlogin:\x1b[0m ");
	users_start(NULL, &fake_host);
	fake_tokens_make(&tokens);
	api_start(&fake_host, page_answer, 0);
	printf("%u %s %s %s\n", port, tokens.ann, tokens.vic, tokens.oda);
	fflush(stdout);
	for (;;) {
		uint64_t now = now_ms();

		fake_machine.elapsed = (now - began) * 1000000;
		live(now);
		api_tick(now - began + 1);
		turn(listener);
	}
}
