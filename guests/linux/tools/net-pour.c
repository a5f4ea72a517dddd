/*
 * net-pour: pours bytes through the network and says whether they arrived.
 *
 *   net-pour receive PORT [-6] [-u] [-q] [-t MS]
 *   net-pour send HOST PORT [-u] [-q] [-b BYTES] [-s SIZE] [-n PACKETS] [-r PACKETS_A_SECOND] [-t MS]
 *   net-pour echo HOST PORT [-n PACKETS] [-s SIZE] [-w PACKETS]
 *
 * TCP: `send` writes -b BYTES (default 16M) in pieces of -s SIZE (64K); both ends print the bytes, a checksum and the
 * time until the other end had all. With -q they look at nothing but the count of bytes, for measures. UDP (-u): `send`
 * sends -n PACKETS (1000) of -s SIZE (64) bytes with sequence numbers, -r a second or as fast as it goes, and then says
 * how many there were; `receive` prints how many came, were lost, came twice or were not what was sent. It gives up
 * after -t MS without any (10000), and a sender of TCP after as long without a connection. `echo` sends UDP to somebody
 * who sends it back, -w PACKETS (32) at once, and says how many came back.
 */
#include "address.h"

#define SIZE_MAX_BYTES 65536
#define TRACKED	       (1u << 24) /* packets of UDP whose numbers are remembered */
#define END	       UINT64_MAX /* a sequence number: the next word says how many packets there were */

static uint64_t buffer[SIZE_MAX_BYTES / 8 + 1];
static uint8_t seen[TRACKED / 8];
static bool quick;

/* FNV-1a over words of 8 bytes, whatever the pieces in which they come; the last one is filled up with zeros. */
struct sum {
	uint64_t hash, word, bytes;
};

static void sum_byte(struct sum *sum, uint8_t byte)
{
	sum->word |= (uint64_t)byte << 8 * (sum->bytes++ % 8);
	if (sum->bytes % 8)
		return;
	sum->hash = (sum->hash ^ sum->word) * 0x100000001b3ull;
	sum->word = 0;
}

static void sum_add(struct sum *sum, const uint8_t *bytes, uint64_t count)
{
	if (quick) {
		sum->bytes += count;
		return;
	}
	while (count && (sum->bytes % 8 || count < 8)) {
		sum_byte(sum, *bytes++);
		count--;
	}
	for (; count >= 8; count -= 8, bytes += 8, sum->bytes += 8)
		sum->hash = (sum->hash ^ *(const uint64_t *)bytes) * 0x100000001b3ull;
	while (count--)
		sum_byte(sum, *bytes++);
}

static uint64_t sum_end(struct sum *sum) { return (sum->hash ^ sum->word) * 0x100000001b3ull; }

/* A pattern without repetition within the buffer. */
static void fill_buffer(void)
{
	uint64_t x = 0x9e3779b97f4a7c15ull;

	for (unsigned i = 0; i < sizeof(buffer) / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buffer[i] = x;
	}
}

static uint64_t milliseconds(void) { return clock_nanoseconds(CLOCK_MONOTONIC) / 1000000; }

static void print_stream(const char *what, struct sum *sum, uint64_t since)
{
	uint64_t bytes = sum->bytes;

	print(what);
	print_field("bytes", bytes);
	print(" sum=");
	print_hex(sum_end(sum), 16);
	print_field("ms", milliseconds() - since);
	print("\n");
}

/* The other end may not listen yet. */
static int64_t connect_to(const struct address *to, uint64_t patience)
{
	uint64_t until = milliseconds() + patience;
	int64_t socket, result;

	for (;;) {
		socket = must(call(SYS_SOCKET, to->family, SOCK_STREAM, 0), "open a socket");
		result = call(SYS_CONNECT, (uint64_t)socket, (uint64_t)to, ADDRESS_BYTES(to));
		if (result >= 0)
			return socket;
		if (milliseconds() > until)
			give_up("connect", result);
		call(SYS_CLOSE, (uint64_t)socket, 0, 0);
		sleep_nanoseconds(200000000);
	}
}

static int send_stream(const struct address *to, uint64_t bytes, uint64_t size, uint64_t patience)
{
	struct sum sum = { 0xcbf29ce484222325ull, 0, 0 };
	int64_t socket = connect_to(to, patience);
	uint64_t since = milliseconds();

	while (sum.bytes < bytes) {
		uint64_t count = bytes - sum.bytes < size ? bytes - sum.bytes : size;
		int64_t sent;

		buffer[0] = sum.bytes; /* no two pieces alike */
		sent = must(call(SYS_WRITE, (uint64_t)socket, (uint64_t)buffer, count), "send");
		sum_add(&sum, (const uint8_t *)buffer, (uint64_t)sent);
	}
	call(SYS_SHUTDOWN, (uint64_t)socket, 1, 0);
	must(call(SYS_READ, (uint64_t)socket, (uint64_t)buffer, 1), "hear the end");
	print_stream("net-pour: sent", &sum, since);
	return 0;
}

static int receive_stream(int64_t listener)
{
	struct sum sum = { 0xcbf29ce484222325ull, 0, 0 };
	int64_t socket = must(call(SYS_ACCEPT, (uint64_t)listener, 0, 0), "accept"), got;
	uint64_t since = milliseconds();

	while ((got = must(call(SYS_READ, (uint64_t)socket, (uint64_t)buffer, SIZE_MAX_BYTES), "receive")) > 0)
		sum_add(&sum, (const uint8_t *)buffer, (uint64_t)got);
	call(SYS_CLOSE, (uint64_t)socket, 0, 0);
	print_stream("net-pour: received", &sum, since);
	return 0;
}

static bool send_packet(int64_t socket, const struct address *to, uint64_t number, uint64_t size)
{
	int64_t result;

	buffer[0] = number;
	do {
		result =
			call6(SYS_SENDTO, (uint64_t)socket, (uint64_t)buffer, size, 0, (uint64_t)to, ADDRESS_BYTES(to));
		if (result == -ENOBUFS)
			sleep_nanoseconds(1000000);
	} while (result == -ENOBUFS || result == -EINTR);
	return result == (int64_t)size;
}

static int send_packets(const struct address *to, uint64_t packets, uint64_t size, uint64_t rate)
{
	int64_t socket = must(call(SYS_SOCKET, to->family, SOCK_DGRAM, 0), "open a socket");
	uint64_t since = clock_nanoseconds(CLOCK_MONOTONIC), refused = 0, now;

	for (uint64_t number = 0; number < packets; number++) {
		refused += !send_packet(socket, to, number, size);
		now = clock_nanoseconds(CLOCK_MONOTONIC) - since;
		if (rate && number * 1000000000 / rate > now)
			sleep_nanoseconds(number * 1000000000 / rate - now);
	}
	now = clock_nanoseconds(CLOCK_MONOTONIC) - since;
	for (int i = 0; i < 5; i++) {
		sleep_nanoseconds(100000000);
		buffer[1] = packets;
		send_packet(socket, to, END, 16);
	}
	print("net-pour: sent");
	print_field("packets", packets - refused);
	print_field("refused", refused);
	print_field("bytes", (packets - refused) * size);
	print_field("ms", now / 1000000);
	print("\n");
	return 0;
}

/* The next packet; false: none came within a second. */
static bool receive_packet(int64_t socket, uint64_t size)
{
	static uint64_t packet[SIZE_MAX_BYTES / 8];
	int64_t got;

	do
		got = call6(SYS_RECVFROM, (uint64_t)socket, (uint64_t)packet, sizeof(packet), MSG_DONTWAIT, 0, 0);
	while (got == -EAGAIN && wait_readable(socket, 1000));
	return got == (int64_t)size;
}

static int echo_packets(const struct address *to, uint64_t packets, uint64_t size, uint64_t window)
{
	int64_t socket = must(call(SYS_SOCKET, to->family, SOCK_DGRAM, 0), "open a socket");
	uint64_t sent = 0, came = 0, waits;

	while (sent < packets) {
		for (waits = 0; waits < window && sent < packets; waits++)
			send_packet(socket, to, sent++, size);
		for (; waits && receive_packet(socket, size); waits--)
			came++;
	}
	print("net-pour: echoed");
	print_field("packets", came);
	print_field("lost", sent - came);
	print("\n");
	return came != sent;
}

/* What came of UDP. */
struct tally {
	uint64_t packets, bytes, twice, wrong, highest, sent;
};

static void count_packet(struct tally *tally, const uint64_t *packet, uint64_t bytes, const uint64_t *pattern)
{
	uint64_t number = packet[0];

	if (bytes < 8 || number >= TRACKED) {
		tally->wrong++;
		return;
	}
	for (uint64_t i = 1; i < bytes / 8; i++)
		if (packet[i] != pattern[i]) {
			tally->wrong++;
			return;
		}
	if (seen[number / 8] & 1u << number % 8)
		tally->twice++;
	else
		tally->packets++;
	seen[number / 8] |= (uint8_t)(1u << number % 8);
	tally->bytes += bytes;
	if (number >= tally->highest)
		tally->highest = number + 1;
}

static int receive_packets(int64_t socket, uint64_t patience)
{
	static uint64_t packet[SIZE_MAX_BYTES / 8];
	struct tally tally = { 0, 0, 0, 0, 0, 0 };
	uint64_t first = 0, last = 0;

	while (wait_readable(socket, (int64_t)patience)) {
		int64_t got = call6(SYS_RECVFROM, (uint64_t)socket, (uint64_t)packet, sizeof(packet), 0, 0, 0);

		if (got == 16 && packet[0] == END) {
			tally.sent = packet[1];
			break;
		}
		last = milliseconds();
		first = first ? first : last;
		if (got > 0)
			count_packet(&tally, packet, (uint64_t)got, buffer);
	}
	if (!tally.sent)
		tally.sent = tally.highest;
	print("net-pour: received");
	print_field("packets", tally.packets);
	print_field("lost", tally.sent - tally.packets);
	print_field("twice", tally.twice);
	print_field("wrong", tally.wrong);
	print_field("bytes", tally.bytes);
	print_field("ms", last - first);
	print("\n");
	return tally.packets ? 0 : 1;
}

static int receive(bool udp, const struct address *at, uint64_t patience)
{
	int64_t socket = must(call(SYS_SOCKET, at->family, udp ? SOCK_DGRAM : SOCK_STREAM, 0), "open a socket");

	set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
	if (udp)
		set_option(socket, SOL_SOCKET, SO_RCVBUF, 4 << 20);
	must(call(SYS_BIND, (uint64_t)socket, (uint64_t)at, ADDRESS_BYTES(at)), "bind");
	if (!udp)
		must(call(SYS_LISTEN, (uint64_t)socket, 1, 0), "listen");
	print("net-pour: ready\n");
	if (udp)
		return receive_packets(socket, patience);
	if (!wait_readable(socket, (int64_t)patience))
		give_up("wait any longer for a connection", 0);
	return receive_stream(socket);
}

static int usage(void)
{
	print("net-pour receive PORT [-6] [-u] [-q] [-t MS]\n"
	      "net-pour send HOST PORT [-u] [-q] [-b BYTES] [-s SIZE] [-n PACKETS] [-r PACKETS_A_SECOND] [-t MS]\n"
	      "net-pour echo HOST PORT [-n PACKETS] [-s SIZE] [-w PACKETS]\n");
	return 2;
}

int program(int words, char **word)
{
	bool udp = flag(words, word, "-u");
	uint64_t patience = number_of(option(words, word, "-t", "10000")), size;
	struct address address;

	quick = flag(words, word, "-q");
	fill_buffer();
	if (words >= 3 && same(word[1], "receive")) {
		address = read_address(flag(words, word, "-6") ? "::" : "0.0.0.0", word[2]);
		return receive(udp, &address, patience);
	}
	if (words < 4 || !(same(word[1], "send") || same(word[1], "echo")))
		return usage();
	udp |= same(word[1], "echo");
	address = read_address(word[2], word[3]);
	size = number_of(option(words, word, "-s", udp ? "64" : "64K"));
	if (size < 16 || size > SIZE_MAX_BYTES)
		return usage();
	if (same(word[1], "echo"))
		return echo_packets(&address, number_of(option(words, word, "-n", "1000")), size,
				    number_of(option(words, word, "-w", "32")));
	if (udp)
		return send_packets(&address, number_of(option(words, word, "-n", "1000")), size,
				    number_of(option(words, word, "-r", "0")));
	return send_stream(&address, number_of(option(words, word, "-b", "16M")), size, patience);
}
