#include "pcap.h"

#define MAGIC_MICROSECONDS 0xa1b2c3d4u
#define VERSION		   (2u | 4u << 16) /* 2.4 */
#define LINKTYPE_ETHERNET  1u

static void put_32(uint8_t *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

void pcap_file_header(uint8_t to[PCAP_FILE_BYTES], uint32_t snapshot)
{
	put_32(to, MAGIC_MICROSECONDS);
	put_32(to + 4, VERSION);
	put_32(to + 8, 0);
	put_32(to + 12, 0);
	put_32(to + 16, snapshot);
	put_32(to + 20, LINKTYPE_ETHERNET);
}

void pcap_record_header(uint8_t to[PCAP_RECORD_BYTES], uint64_t seconds, uint32_t microseconds, uint32_t kept,
			uint32_t bytes)
{
	put_32(to, (uint32_t)seconds);
	put_32(to + 4, microseconds);
	put_32(to + 8, kept);
	put_32(to + 12, bytes);
}
