/*
 * ntp.h: a client of SNTP (RFC 4330, with RFC 5905 where that says more): what it asks, which answers count, when it
 * asks again. Pure; clock.c has the network and the clock.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NTP_BYTES	 48
#define NTP_COOKIE_BYTES 8
#define NTP_PORT	 123
#define NTP_PATIENCE_S	 5    /* then a question was in vain */
#define NTP_FIRST_S	 16   /* until it is asked again; twice as long each time (RFC 4330, 10: never below 15) */
#define NTP_USUAL_S	 1024 /* between two that were answered, and at most between others */
#define NTP_SLOW_S	 4096 /* for a server that asks for less */

/* All zero: nothing was asked. */
struct ntp {
	uint8_t cookie[NTP_COOKIE_BYTES];
	bool waiting; /* a question is open */
	bool stopped; /* the server wants nothing to do with us */
	unsigned failures;
	uint32_t pause_s; /* until the next question, once this one is over */
};

/*
 * A question, with 8 random bytes where our time could stand: the answer repeats them, and who has not seen the
 * question cannot make one up (RFC 4330, 5, item 3). Our clock is of no use there: it is only set, never steered.
 */
void ntp_ask(struct ntp *ntp, const uint8_t random[NTP_COOKIE_BYTES], uint8_t packet[NTP_BYTES]);

enum ntp_answer {
	NTP_STRAY,   /* belongs to no open question: the wait goes on, and all others end it */
	NTP_TIME,    /* *seconds is the time */
	NTP_NO_TIME, /* the server does not know it itself, or says what cannot be */
	NTP_SLOWER,  /* kiss of death: RATE */
	NTP_STOP,    /* kiss of death: DENY, RSTR: it is not to be asked again */
};

/* What comes, whatever it is. `seconds` since 1970, to the nearest. */
enum ntp_answer ntp_read(struct ntp *ntp, const uint8_t *packet, size_t bytes, uint64_t *seconds);

/* Nothing came in NTP_PATIENCE_S. */
void ntp_silence(struct ntp *ntp);
