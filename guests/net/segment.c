/* segment.c: checksums (RFC 1071) and TCP segments (RFC 9293, 3.1). */
#include "segment.h"
#include "bytes.h"
#include "guests/lib/bh_string.h"

#define IP_TCP 6u

#define TCP_SEQUENCE 4u
#define TCP_FLAGS    13u
#define TCP_CHECKSUM 16u
#define TCP_FIN	     0x01u
#define TCP_PSH	     0x08u
#define TCP_CWR	     0x80u

/* The sum of 16-bit words is the same in either byte order, but for the order of the result (RFC 1071, 2 (B)). */
uint64_t segment_sum(const uint8_t *data, uint32_t bytes, uint64_t sum)
{
	uint32_t word;

	for (; bytes >= 4; data += 4, bytes -= 4) {
		__builtin_memcpy(&word, data, 4);
		sum += word;
	}
	word = 0;
	for (uint32_t i = 0; i < bytes; i++)
		word |= (uint32_t)data[i] << 8 * i;
	return sum + word;
}

uint16_t segment_fold(uint64_t sum)
{
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 16) + (uint16_t)sum;
	sum = (sum >> 16) + (uint16_t)sum;
	return __builtin_bswap16((uint16_t)~sum);
}

void segment_checksum(uint8_t *frame, uint32_t bytes, uint32_t start, uint32_t offset)
{
	uint16_t sum = segment_fold(segment_sum(frame + start, bytes - start, 0));

	/* 0 says to UDP that there is none; its other form says the same to everybody else (RFC 768). */
	bytes_put16(frame + start + offset, sum ? sum : 0xffff);
}

static void write_ipv4(uint8_t *ip, uint32_t header_bytes, uint32_t bytes, uint32_t index)
{
	bytes_put16(ip + 2, bytes);
	bytes_put16(ip + 4, bytes_get16(ip + 4) + index);
	bytes_put16(ip + 10, 0);
	bytes_put16(ip + 10, segment_fold(segment_sum(ip, header_bytes, 0)));
}

/* Addresses, protocol and length (RFC 9293, 3.1; RFC 8200, 8.1). */
static uint64_t pseudo_header(const uint8_t *ip, bool v6, uint32_t tcp_bytes)
{
	uint8_t rest[4] = { 0, IP_TCP };

	bytes_put16(rest + 2, tcp_bytes);
	return segment_sum(rest, sizeof(rest), segment_sum(ip + (v6 ? 8 : 12), v6 ? 32 : 8, 0));
}

static void write_tcp(const struct segmenter *from, struct segment *segment)
{
	uint8_t *tcp = segment->head + from->tcp;
	uint64_t sum = pseudo_header(segment->head + from->layer3, from->v6,
				     segment->head_bytes - from->tcp + segment->payload_bytes);

	bytes_put32(tcp + TCP_SEQUENCE, bytes_get32(tcp + TCP_SEQUENCE) + from->done);
	if (from->index)
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	if (from->headers + from->done + segment->payload_bytes != from->bytes)
		tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	bytes_put16(tcp + TCP_CHECKSUM, 0);
	/* The header's length is a multiple of four, so the payload's words stand where the sum wants them. */
	sum = segment_sum(tcp, segment->head_bytes - from->tcp, sum);
	bytes_put16(tcp + TCP_CHECKSUM, segment_fold(segment_sum(segment->payload, segment->payload_bytes, sum)));
}

bool segment_next(struct segmenter *from, struct segment *segment)
{
	uint32_t left = from->bytes - from->headers - from->done;
	uint8_t *ip = segment->head + from->layer3;

	if (!left)
		return false;
	segment->payload = from->frame + from->headers + from->done;
	segment->payload_bytes = left < from->size ? left : from->size;
	segment->head_bytes = from->headers;
	memcpy(segment->head, from->frame, from->headers);
	if (from->v6)
		bytes_put16(ip + 4, from->headers - from->tcp + segment->payload_bytes);
	else
		write_ipv4(ip, from->tcp - from->layer3, from->headers - from->layer3 + segment->payload_bytes,
			   from->index);
	write_tcp(from, segment);
	from->done += segment->payload_bytes;
	from->index++;
	return true;
}
