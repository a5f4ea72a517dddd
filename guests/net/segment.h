/*
 * segment.h: in software, what a destination does not do itself: completing a checksum, cutting a large TCP segment.
 *
 * Works on private memory only. The frame must have passed frame_check.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "frame.h"

/* The Internet checksum's sum (RFC 1071) of `bytes`, not folded, added to `sum`. */
uint64_t segment_sum(const uint8_t *data, uint32_t bytes, uint64_t sum);

/* Folded and complemented, as it stands in a header (big-endian). */
uint16_t segment_fold(uint64_t sum);

/* Completes the checksum from `start` to the end, whose field at `start + offset` holds the pseudo-header's sum. */
void segment_checksum(uint8_t *frame, uint32_t bytes, uint32_t start, uint32_t offset);

/* A TCP segment that is being cut. */
struct segmenter {
	const uint8_t *frame;
	uint32_t bytes;
	uint32_t layer3, tcp, headers; /* offsets: IP, TCP, payload */
	uint32_t size;		       /* payload of each */
	bool v6;
	uint32_t done; /* bytes of payload */
	uint32_t index;
};

struct segment {
	uint8_t head[FRAME_HEAD];
	uint32_t head_bytes;
	const uint8_t *payload;
	uint32_t payload_bytes;
};

/*
 * The next piece, complete with all its checksums: lengths, IPv4 identification, sequence number; FIN and PSH in the
 * last one only, CWR in the first one only (RFC 3168, 6.1.2). False: there is none.
 */
bool segment_next(struct segmenter *segmenter, struct segment *segment);
