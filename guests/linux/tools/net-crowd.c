/*
 * net-crowd: many connections at once, on which nothing is said.
 *
 *   net-crowd HOST PORT [-n CONNECTIONS] [-t MS]
 *
 * Opens -n CONNECTIONS (1000, at most 1000), waits -t MS (5000), and prints how many the other end has taken and keeps
 * (open), how many it has ended or refused (ended), and how many are on their way (waiting). Then all are over.
 */
#include "address.h"

#define MOST	      1000
#define SOCK_NONBLOCK 0x800
#define EINPROGRESS   115
#define POLL_OUT      4
#define POLL_ERR      8
#define POLL_HUP      16

static struct {
	int32_t socket;
	int16_t wanted, found;
} crowd[MOST];

static void join(unsigned number, const struct address *to)
{
	int64_t socket = must(call(SYS_SOCKET, to->family, SOCK_STREAM | SOCK_NONBLOCK, 0), "open a socket");
	int64_t result = call(SYS_CONNECT, (uint64_t)socket, (uint64_t)to, ADDRESS_BYTES(to));

	if (result < 0 && result != -EINPROGRESS)
		give_up("connect", result);
	crowd[number].socket = (int32_t)socket;
	crowd[number].wanted = POLL_IN | POLL_OUT;
}

static void tell(uint64_t count)
{
	uint64_t open = 0, ended = 0;

	must(call(SYS_POLL, (uint64_t)crowd, count, 0), "poll");
	for (uint64_t i = 0; i < count; i++) {
		/* A server speaks second: what can be read is the end. */
		if (crowd[i].found & (POLL_IN | POLL_ERR | POLL_HUP))
			ended++;
		else if (crowd[i].found & POLL_OUT)
			open++;
	}
	print("net-crowd:");
	print_field("open", open);
	print_field("ended", ended);
	print_field("waiting", count - open - ended);
	print("\n");
}

int program(int words, char **word)
{
	uint64_t count = number_of(option(words, word, "-n", "1000"));
	uint64_t patience = number_of(option(words, word, "-t", "5000"));
	struct address address;

	if (words < 3 || count > MOST) {
		print("net-crowd HOST PORT [-n CONNECTIONS] [-t MS]\n");
		return 2;
	}
	address = read_address(word[1], word[2]);
	for (unsigned i = 0; i < count; i++)
		join(i, &address);
	sleep_nanoseconds(patience * 1000000);
	tell(count);
	return 0;
}
