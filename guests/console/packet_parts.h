/* packet_parts.h: what the parts of the decoder (packet*.c) share: how they take bytes and give words. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet {
	const uint8_t *at;
	uint32_t left; /* bytes at `at` */
	uint32_t wire; /* bytes that the frame, or the part of it being looked at, has from there on; at least `left` */
	char *text;
	size_t length;
};

#define PACKET_ADDRESS_BYTES 48

/* Adds to the line; what finds no room is left out. */
void packet_say(struct packet *packet, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The next `bytes` bytes, which are then passed; NULL, and "[|name]" in the line, if fewer were kept. */
const uint8_t *packet_take(struct packet *packet, uint32_t bytes, const char *name);

/* The rest is at most `bytes` long: what comes behind is padding, or another layer's. */
void packet_limit(struct packet *packet, uint32_t bytes);

/* Numbers as the network has them, the first byte the highest. */
uint16_t packet_16(const uint8_t *at);
uint32_t packet_32(const uint8_t *at);

const char *packet_ipv4_address(char text[PACKET_ADDRESS_BYTES], const uint8_t *address);
/* As RFC 5952, section 4, writes it. */
const char *packet_ipv6_address(char text[PACKET_ADDRESS_BYTES], const uint8_t *address);

/* From the IP header on. */
void packet_ipv4(struct packet *packet);
void packet_ipv6(struct packet *packet);

/* What IP carries, by its protocol's number, between two addresses in words. `version`: 4 or 6. */
void packet_upper(struct packet *packet, unsigned version, unsigned protocol, const char *from, const char *to);
