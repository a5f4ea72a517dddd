/* http_standin.h: stands in for http/http.h until that is there: answers every request with 404. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* What a connection can do with the wire. */
struct http_transport {
	size_t (*room)(void *wire);				  /* bytes that send takes now */
	void (*send)(void *wire, const void *data, size_t bytes); /* at most room() of them; copied */
	void (*close)(void *wire);				  /* after what was sent has left */
};

struct http;

struct http *http_open(const struct http_transport *transport, void *wire, const char *source);
void http_receive(struct http *http, const uint8_t *data, size_t bytes);
void http_sent(struct http *http);
void http_gone(struct http *http);
void http_tick(uint64_t now_ms);
