/* address.h: addresses as people write them: 10.0.2.2, fd00::1, fe80::5054:ff:fe12:3456%eth0. */
#pragma once
#include "net.h"

static inline bool read_ipv4(const char *text, struct address *address)
{
	uint8_t *byte = (uint8_t *)&address->ipv4;

	for (int i = 0; i < 4; i++) {
		unsigned number = 0;

		if (*text < '0' || *text > '9')
			return false;
		while (*text >= '0' && *text <= '9')
			number = number * 10 + (unsigned)(*text++ - '0');
		byte[i] = (uint8_t)number;
		if (number > 255 || *text++ != (i < 3 ? '.' : 0))
			return false;
	}
	address->family = AF_INET;
	return true;
}

/* The groups on one side of "::"; how many, or -1. Stops at "::", '%' or the end. */
static inline int read_groups(const char **text, uint8_t *group)
{
	int count = 0;

	while (hex_digit(**text) >= 0 && count < 8) {
		unsigned number = 0;

		while (hex_digit(**text) >= 0)
			number = number << 4 | (unsigned)hex_digit(*(*text)++);
		if (number > 0xffff)
			return -1;
		group[2 * count] = (uint8_t)(number >> 8);
		group[2 * count++ + 1] = (uint8_t)number;
		if (**text == ':' && (*text)[1] != ':')
			(*text)++;
	}
	return count;
}

/* RFC 4291, 2.2; the scope behind % is an interface's name (RFC 4007, 11). */
static inline bool read_ipv6(const char *text, struct address *address)
{
	uint8_t tail[16];
	int before = read_groups(&text, address->ipv6), after = 0;
	int64_t socket;

	if (before >= 0 && before < 8 && text[0] == ':' && text[1] == ':') {
		text += 2;
		after = read_groups(&text, tail);
		if (after < 0 || before + after > 7)
			return false;
		copy(address->ipv6 + 16 - 2 * after, tail, (size_t)after * 2);
	} else if (before != 8) {
		return false;
	}
	address->family = AF_INET6;
	if (*text != '%')
		return !*text;
	socket = must(call(SYS_SOCKET, AF_INET6, SOCK_DGRAM, 0), "open a socket");
	address->scope = (uint32_t)interface_index(socket, text + 1);
	call(SYS_CLOSE, (uint64_t)socket, 0, 0);
	return true;
}

static inline struct address read_address(const char *host, const char *port)
{
	struct address address;
	uint16_t number = (uint16_t)number_of(port);

	fill(&address, 0, sizeof(address));
	if (!read_ipv4(host, &address)) {
		fill(&address, 0, sizeof(address));
		if (!read_ipv6(host, &address))
			give_up("read this address: 10.0.2.2, fd00::1 or fe80::1%eth0", 0);
	}
	address.port = (uint16_t)(number << 8 | number >> 8);
	return address;
}
