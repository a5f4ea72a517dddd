/*
 * net-raw: frames as they are, and the switches of a network card.
 *
 *   net-raw send IFACE HEX [-n COUNT] [-r A_SECOND] [-s BYTES] [-m]
 *       sends the frame HEX (colons may stand between its bytes), padded with zeros to -s BYTES (60); with -m each
 *       from a source address of its own.
 *   net-raw sniff IFACE [-t MS] [-n COUNT] [-f MAC] [-x]
 *       counts all frames that come by, by source address and VLAN, for -t MS (3000) or -n COUNT of them; only those
 * from MAC with -f; -x prints each. net-raw offload IFACE [on|off]     checksums and segmentation by the card: shows or
 * switches all of them net-raw queues IFACE [NUMBER]      pairs of queues: shows or sets
 */
#include "net.h"

#define AF_PACKET	      17
#define ETH_P_ALL	      0x0300 /* in the network's byte order */
#define SOL_PACKET	      263
#define PACKET_ADD_MEMBERSHIP 1
#define PACKET_AUXDATA	      8
#define PACKET_MR_PROMISC     1
#define PACKET_OUTGOING	      4
#define TP_STATUS_VLAN_VALID  0x10
#define FRAME_MAX	      65536
#define SOURCES		      256

/* struct sockaddr_ll, packet(7). */
struct link_address {
	uint16_t family, protocol;
	int32_t index;
	uint16_t hardware;
	uint8_t type, length, address[8];
};

static uint8_t frame[FRAME_MAX];

static int64_t open_on(const char *name)
{
	int64_t socket = must(call(SYS_SOCKET, AF_PACKET, SOCK_RAW, ETH_P_ALL), "open a raw socket");
	struct link_address at;

	fill(&at, 0, sizeof(at));
	at.family = AF_PACKET;
	at.protocol = ETH_P_ALL;
	at.index = interface_index(socket, name);
	must(call(SYS_BIND, (uint64_t)socket, (uint64_t)&at, sizeof(at)), "bind");
	return socket;
}

/* Bytes in hexadecimal, colons left out; how many, or 0. */
static uint64_t read_hex(const char *text, uint8_t *bytes, uint64_t most)
{
	uint64_t count = 0;

	while (*text) {
		if (*text == ':') {
			text++;
			continue;
		}
		if (count == most || hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0)
			return 0;
		bytes[count++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
		text += 2;
	}
	return count;
}

/* ---- send --------------------------------------------------------------------------------------- */

static int64_t send_one(int64_t socket, uint64_t bytes)
{
	int64_t result;

	do {
		result = call6(SYS_SENDTO, (uint64_t)socket, (uint64_t)frame, bytes, 0, 0, 0);
		if (result == -ENOBUFS)
			sleep_nanoseconds(1000000);
	} while (result == -ENOBUFS || result == -EINTR);
	return result;
}

static int send_frames(int words, char **word)
{
	int64_t socket = open_on(word[2]), result;
	uint64_t bytes = read_hex(word[3], frame, FRAME_MAX), least = number_of(option(words, word, "-s", "60"));
	uint64_t count = number_of(option(words, word, "-n", "1")), rate = number_of(option(words, word, "-r", "0"));
	uint64_t since = clock_nanoseconds(CLOCK_MONOTONIC), refused = 0, now;
	bool many = flag(words, word, "-m");

	if (bytes < 14 || least > FRAME_MAX)
		give_up("send this: a frame is at least 14 bytes in hexadecimal", 0);
	bytes = bytes < least ? least : bytes;
	for (uint64_t i = 0; i < count; i++) {
		for (int b = 0; many && b < 4; b++)
			frame[8 + b] = (uint8_t)(i >> 8 * (3 - b));
		result = send_one(socket, bytes);
		refused += result < 0;
		now = clock_nanoseconds(CLOCK_MONOTONIC) - since;
		if (rate && i * 1000000000 / rate > now)
			sleep_nanoseconds(i * 1000000000 / rate - now);
	}
	print("net-raw: sent");
	print_field("frames", count - refused);
	print_field("refused", refused);
	print_field("ms", (clock_nanoseconds(CLOCK_MONOTONIC) - since) / 1000000);
	print("\n");
	return refused != 0;
}

/* ---- sniff -------------------------------------------------------------------------------------- */

static struct source {
	uint8_t mac[6];
	uint16_t vlan; /* 0: no tag */
	uint64_t frames, bytes;
} sources[SOURCES];
static uint32_t source_count;

static bool same_bytes(const uint8_t *a, const uint8_t *b, uint64_t bytes)
{
	while (bytes && *a == *b)
		a++, b++, bytes--;
	return !bytes;
}

/* The last place takes all those for which there is none. */
static void count_frame(const uint8_t *mac, uint16_t vlan, uint64_t bytes)
{
	uint32_t i = 0;

	while (i < source_count && (!same_bytes(sources[i].mac, mac, 6) || sources[i].vlan != vlan))
		i++;
	if (i == SOURCES)
		i--;
	if (i == source_count) {
		copy(sources[i].mac, mac, 6);
		sources[i].vlan = vlan;
		source_count++;
	}
	sources[i].frames++;
	sources[i].bytes += bytes;
}

static void print_mac(const uint8_t *mac)
{
	for (int i = 0; i < 6; i++) {
		print_hex(mac[i], 2);
		print(i < 5 ? ":" : "");
	}
}

/* struct msghdr and what recvmsg(2) leaves behind it: struct cmsghdr, struct tpacket_auxdata. */
struct message {
	void *name;
	uint32_t name_bytes, pad;
	struct {
		void *at;
		uint64_t bytes;
	} * pieces;
	uint64_t piece_count;
	void *control;
	uint64_t control_bytes;
	uint64_t flags;
};
struct auxiliary {
	uint64_t bytes;
	int32_t level, type;
	uint32_t status, length, kept;
	uint16_t mac, net, tci, tpid;
};

/* Receives a frame; its bytes, with the VLAN that Linux has taken out of it. 0: one that was sent from here. */
static uint64_t receive_frame(int64_t socket, uint16_t *vlan)
{
	struct link_address from;
	struct auxiliary auxiliary;
	struct {
		void *at;
		uint64_t bytes;
	} piece = { frame, FRAME_MAX };
	struct message message = { &from, sizeof(from), 0, (void *)&piece, 1, &auxiliary, sizeof(auxiliary), 0 };
	int64_t got;

	fill(&auxiliary, 0, sizeof(auxiliary));
	got = call(SYS_RECVMSG, (uint64_t)socket, (uint64_t)&message, 0);
	*vlan = auxiliary.status & TP_STATUS_VLAN_VALID ? auxiliary.tci & 0xfff : 0;
	return got < 14 || from.type == PACKET_OUTGOING ? 0 : (uint64_t)got;
}

static void print_frame(uint64_t bytes, uint16_t vlan)
{
	print("net-raw: frame ");
	for (uint64_t i = 0; i < bytes && i < 128; i++)
		print_hex(frame[i], 2);
	print_field("bytes", bytes);
	if (vlan)
		print_field("vlan", vlan);
	print("\n");
}

static void print_sources(void)
{
	uint64_t frames = 0;

	for (uint32_t i = 0; i < source_count; i++) {
		print("net-raw: from ");
		print_mac(sources[i].mac);
		if (sources[i].vlan)
			print_field("vlan", sources[i].vlan);
		print_field("frames", sources[i].frames);
		print_field("bytes", sources[i].bytes);
		print("\n");
		frames += sources[i].frames;
	}
	print("net-raw: saw");
	print_field("frames", frames);
	print_field("sources", source_count);
	print("\n");
}

static void see_everything(int64_t socket, const char *name)
{
	struct {
		int32_t index;
		uint16_t type, length;
		uint8_t address[8];
	} member = { interface_index(socket, name), PACKET_MR_PROMISC, 0, { 0 } };

	must(call6(SYS_SETSOCKOPT, (uint64_t)socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, (uint64_t)&member,
		   sizeof(member), 0),
	     "see everything");
	set_option(socket, SOL_PACKET, PACKET_AUXDATA, 1);
	set_option(socket, SOL_SOCKET, SO_RCVBUF, 4 << 20);
}

static int sniff(int words, char **word)
{
	int64_t socket = open_on(word[2]), left;
	uint64_t count = number_of(option(words, word, "-n", "1G")), bytes;
	uint64_t until = clock_nanoseconds(CLOCK_MONOTONIC) / 1000000 + number_of(option(words, word, "-t", "3000"));
	const char *only = option(words, word, "-f", NULL);
	uint8_t wanted[6] = { 0 };
	uint16_t vlan;

	if (only && read_hex(only, wanted, 6) != 6)
		give_up("read the address behind -f", 0);
	see_everything(socket, word[2]);
	print("net-raw: ready\n");
	while (count) {
		left = (int64_t)(until - clock_nanoseconds(CLOCK_MONOTONIC) / 1000000);
		if (left <= 0 || !wait_readable(socket, left))
			break;
		bytes = receive_frame(socket, &vlan);
		if (!bytes || (only && !same_bytes(frame + 6, wanted, 6)))
			continue;
		count_frame(frame + 6, vlan, bytes);
		count--;
		if (flag(words, word, "-x"))
			print_frame(bytes, vlan);
	}
	print_sources();
	return 0;
}

/* ---- switches of the card: the commands of linux/ethtool.h --------------------------------------- */

#define SIOCETHTOOL 0x8946

static const struct {
	const char *name;
	uint32_t get, set;
} features[] = {
	/* Off in this order: who segments needs checksums and pieces. */
	{ "gso", 0x23, 0x24 },		  /* ETHTOOL_GGSO */
	{ "tso", 0x1e, 0x1f },		  /* ETHTOOL_GTSO */
	{ "scatter-gather", 0x18, 0x19 }, /* ETHTOOL_GSG */
	{ "tx-checksum", 0x16, 0x17 },	  /* ETHTOOL_GTXCSUM */
	{ "gro", 0x2b, 0x2c },		  /* ETHTOOL_GGRO */
	{ "rx-checksum", 0x14, 0x15 },	  /* ETHTOOL_GRXCSUM */
};
#define FEATURES (int)(sizeof(features) / sizeof(features[0]))

static int64_t ethtool(const char *name, void *command)
{
	int64_t socket = must(call(SYS_SOCKET, AF_INET, SOCK_DGRAM, 0), "open a socket"), result;
	struct interface_request request = interface_named(name);

	request.data = command;
	result = call(SYS_IOCTL, (uint64_t)socket, SIOCETHTOOL, (uint64_t)&request);
	call(SYS_CLOSE, (uint64_t)socket, 0, 0);
	return result;
}

static int offload(int words, char **word)
{
	uint32_t value[2];

	for (int i = 0; words > 3 && i < FEATURES; i++) {
		bool on = same(word[3], "on");

		/* On in the opposite order. What the card cannot do stays off. */
		value[0] = features[on ? FEATURES - 1 - i : i].set;
		value[1] = on;
		ethtool(word[2], value);
	}
	print("net-raw: offload");
	for (int i = 0; i < FEATURES; i++) {
		value[0] = features[i].get;
		value[1] = 0;
		must(ethtool(word[2], value), "ask the card");
		print_field(features[i].name, value[1]);
	}
	print("\n");
	return 0;
}

/* struct ethtool_channels. */
static int queues(int words, char **word)
{
	uint32_t channels[9] = { 0x3c }; /* ETHTOOL_GCHANNELS; [4] most combined, [8] combined */

	must(ethtool(word[2], channels), "ask for the queues");
	if (words > 3) {
		channels[0] = 0x3d; /* ETHTOOL_SCHANNELS */
		channels[8] = (uint32_t)number_of(word[3]);
		must(ethtool(word[2], channels), "set the queues");
	}
	print("net-raw: queues");
	print_field("now", channels[8]);
	print_field("most", channels[4]);
	print("\n");
	return 0;
}

int program(int words, char **word)
{
	static const struct {
		const char *name;
		int words;
		int (*run)(int words, char **word);
	} commands[] = {
		{ "send", 4, send_frames }, { "sniff", 3, sniff }, { "offload", 3, offload }, { "queues", 3, queues }
	};

	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (words >= commands[i].words && same(word[1], commands[i].name))
			return commands[i].run(words, word);
	print("net-raw send IFACE HEX [-n COUNT] [-r A_SECOND] [-s BYTES] [-m]\n"
	      "net-raw sniff IFACE [-t MS] [-n COUNT] [-f MAC] [-x]\n"
	      "net-raw offload IFACE [on|off]\nnet-raw queues IFACE [NUMBER]\n");
	return 2;
}
