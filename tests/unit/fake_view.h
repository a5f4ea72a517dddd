/* fake_view.h: a machine for tests of the API: four partitions, one of them with a name that
 * is hard to write, and a place for a fifth. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "guests/console/api/view.h"
#include "guests/console/users/users.h"

#define FAKE_PARTITIONS 5
#define FAKE_ODD_NAME	"o\"d\\d\x01\xff<b>"
enum { FAKE_ALPHA, FAKE_MONITOR, FAKE_BETA, FAKE_ODD, FAKE_MADE };

struct fake_machine {
	unsigned state[FAKE_PARTITIONS], cause[FAKE_PARTITIONS];
	char console[FAKE_PARTITIONS][70000];
	uint64_t printed[FAKE_PARTITIONS], kept; /* bytes ever, and how many of these are kept at most */
	char typed[256];
	size_t typed_bytes, typed_room;
	unsigned operations;
	char log[40000];
	/* What was made at run time: one partition at most, and one image. */
	bool made;
	char made_name[64];
	uint64_t image_bytes, image_received; /* 0: there is none */
	char image_name[64], image[256];
	unsigned cpus;
	/* Nanoseconds by which clocks and counters are ahead, and when each was started anew. */
	uint64_t elapsed, started[FAKE_PARTITIONS];
};
extern struct fake_machine fake_machine;

void fake_machine_start(void);
void fake_machine_prints(unsigned partition, const char *text);

/* Random bytes that are not, and a clock that stands. */
extern const struct users_host fake_host;

/* Tokens: "ann" sees all and may all, "vic" sees all, "oda" operates beta. */
struct fake_tokens {
	char ann[USERS_TOKEN_BYTES], vic[USERS_TOKEN_BYTES], oda[USERS_TOKEN_BYTES];
};
void fake_tokens_make(struct fake_tokens *tokens);
