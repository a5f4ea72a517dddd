/*
 * contact.h: how the console is reached over the network, in words. Whoever finds it out says it here; the shell shows
 * it, at once as news and again when asked. Nothing here prints on the serial line.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTACT_ADDRESSES  5
#define CONTACT_TEXT_BYTES 128

/* The network that the console has a port on; NULL, as before the first call: none. */
void contact_set_network(const char *network);
const char *contact_network(void);

/* Address number `index`, below CONTACT_ADDRESSES, as text; empty: it is gone. */
void contact_set_address(unsigned index, const char *address);
const char *contact_address(unsigned index);

/* Why it cannot be reached, or not safely; empty: nothing is wrong. */
void contact_set_problem(const char *text);
const char *contact_problem(void);

/* SHA-256 of the certificate, in hexadecimal with colons; empty: there is none. */
void contact_set_fingerprint(const char *text);
const char *contact_fingerprint(void);

/*
 * Something to be shown once, and not again when asked; what finds no room is left out. It is wiped when it was shown:
 * a token may stand in it.
 */
void contact_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * What the network's memory is used for, a number each: who owns a pool adds it, once. `room` is how much there is, 0:
 * no bound of its own.
 */
#define CONTACT_POOLS 16
struct contact_pool {
	const char *name;
	uint64_t room;
	uint64_t (*used)(unsigned argument);
	unsigned argument;
};
void contact_add_pool(const struct contact_pool *pool);
/* NULL: there are no more. */
const struct contact_pool *contact_pool(unsigned index);

/* For the shell: something that has not been shown yet. What changes too often is not shown each time. */
bool contact_next(char text[CONTACT_TEXT_BYTES]);
