/*
 * net.h: what the tools that talk over networks share: system calls of sockets, words of the command line, addresses.
 * Numbers and layouts are Linux' (x86-64), as in socket(2), ip(7), ipv6(7).
 */
#pragma once
#include <stddef.h>
#include <stdbool.h>
#include "program.h"

#define SYS_READ       0
#define SYS_CLOSE      3
#define SYS_POLL       7
#define SYS_IOCTL      16
#define SYS_SOCKET     41
#define SYS_CONNECT    42
#define SYS_ACCEPT     43
#define SYS_SENDTO     44
#define SYS_RECVFROM   45
#define SYS_RECVMSG    47
#define SYS_SHUTDOWN   48
#define SYS_BIND       49
#define SYS_LISTEN     50
#define SYS_SETSOCKOPT 54

#define AF_INET	     2
#define AF_INET6     10
#define SOCK_STREAM  1
#define SOCK_DGRAM   2
#define SOCK_RAW     3
#define SOL_SOCKET   1
#define SO_REUSEADDR 2
#define SO_SNDBUF    7
#define SO_RCVBUF    8
#define MSG_DONTWAIT 0x40

#define POLL_IN	     1
#define EAGAIN	     11
#define EINTR	     4
#define ENOBUFS	     105
#define ECONNREFUSED 111

struct address {
	uint16_t family, port; /* port: network's byte order */
	union {
		struct {
			uint32_t ipv4; /* network's byte order */
			uint8_t zero[8];
		};
		struct {
			uint32_t flow;
			uint8_t ipv6[16];
			uint32_t scope;
		};
	};
};
#define ADDRESS_BYTES(address) ((address)->family == AF_INET6 ? 28 : 16)

/* The compiler calls these by itself. */
static inline void fill(void *to, uint8_t value, size_t bytes)
{
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
}

static inline void copy(void *to, const void *from, size_t bytes)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static inline void print_hex(uint64_t number, unsigned digits)
{
	char text[17];

	text[digits] = 0;
	while (digits--) {
		text[digits] = "0123456789abcdef"[number & 15];
		number >>= 4;
	}
	print(text);
}

/* " name=number", as tests read it. */
static inline void print_field(const char *name, uint64_t number)
{
	print(" ");
	print(name);
	print("=");
	print_number(number);
}

/* Ends the program with what failed and the error's number. */
__attribute__((noreturn)) static inline void give_up(const char *what, int64_t error)
{
	print("cannot ");
	print(what);
	if (error < 0)
		print_field("error", (uint64_t)-error);
	print("\n");
	call(SYS_EXIT, 1, 0, 0);
	__builtin_unreachable();
}

static inline int64_t must(int64_t result, const char *what)
{
	if (result < 0)
		give_up(what, result);
	return result;
}

static inline bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decimal, with K, M or G behind it. */
static inline uint64_t number_of(const char *text)
{
	uint64_t number = 0;

	while (*text >= '0' && *text <= '9')
		number = number * 10 + (uint64_t)(*text++ - '0');
	return number << (*text == 'K' ? 10 : *text == 'M' ? 20 : *text == 'G' ? 30 : 0);
}

/* The value of option `name` ("-s") among the words, or `otherwise`. */
static inline const char *option(int words, char **word, const char *name, const char *otherwise)
{
	for (int i = 1; i + 1 < words; i++)
		if (same(word[i], name))
			return word[i + 1];
	return otherwise;
}

static inline bool flag(int words, char **word, const char *name)
{
	for (int i = 1; i < words; i++)
		if (same(word[i], name))
			return true;
	return false;
}

static inline void sleep_nanoseconds(uint64_t nanoseconds)
{
	struct timespec time = { (int64_t)(nanoseconds / 1000000000), (int64_t)(nanoseconds % 1000000000) };

	call(SYS_NANOSLEEP, (uint64_t)&time, 0, 0);
}

/* Waits until `socket` has something to read; false: not within so many milliseconds (negative: for ever). */
static inline bool wait_readable(int64_t socket, int64_t milliseconds)
{
	struct {
		int32_t fd;
		int16_t events, revents;
	} poll = { (int32_t)socket, POLL_IN, 0 };

	return call(SYS_POLL, (uint64_t)&poll, 1, (uint64_t)milliseconds) > 0;
}

static inline int64_t set_option(int64_t socket, int level, int name, int value)
{
	return call6(SYS_SETSOCKOPT, (uint64_t)socket, (uint64_t)level, (uint64_t)name, (uint64_t)&value, sizeof(value),
		     0);
}

/* struct ifreq: a name and what a request needs, netdevice(7). */
struct interface_request {
	char name[16];
	union {
		int32_t number;
		void *data;
		uint8_t bytes[24];
	};
};

static inline struct interface_request interface_named(const char *name)
{
	struct interface_request request;

	fill(&request, 0, sizeof(request));
	for (int i = 0; i < 15 && name[i]; i++)
		request.name[i] = name[i];
	return request;
}

#define SIOCGIFINDEX 0x8933

static inline int32_t interface_index(int64_t socket, const char *name)
{
	struct interface_request request = interface_named(name);

	must(call(SYS_IOCTL, (uint64_t)socket, SIOCGIFINDEX, (uint64_t)&request), "find the interface");
	return request.number;
}
