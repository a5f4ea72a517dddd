/*
 * pcap.h: the file format of tcpdump and Wireshark, classic: microseconds, little-endian, link type Ethernet
 * (draft-ietf-opsawg-pcap, 4 and 5). Pure.
 */
#pragma once
#include <stdint.h>

#define PCAP_FILE_BYTES	  24
#define PCAP_RECORD_BYTES 16

/* What the file begins with. No frame in it has more than `snapshot` bytes kept. */
void pcap_file_header(uint8_t to[PCAP_FILE_BYTES], uint32_t snapshot);

/* What stands before the `kept` bytes of a frame that had `bytes`; the time is since 1970, UTC. */
void pcap_record_header(uint8_t to[PCAP_RECORD_BYTES], uint64_t seconds, uint32_t microseconds, uint32_t kept,
			uint32_t bytes);
