/* Any bytes as a frame: the line is printable text that fits, and depends on the bytes that were kept only. */
#include <string.h>
#include "guests/console/packet.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[PACKET_LINE_BYTES];
	uint32_t more;

	if (size < 2)
		return 0;
	/* The first two bytes: how much longer it was on the wire. */
	more = data[0] | (uint32_t)data[1] << 8;
	memset(line, 0x7f, sizeof(line));
	REQUIRE(packet_line(line, data + 2, (uint32_t)size - 2, (uint32_t)size - 2 + more) == line);
	REQUIRE(memchr(line, 0, sizeof(line)));
	for (const char *at = line; *at; at++)
		REQUIRE(*at >= ' ' && *at <= '~');
	return 0;
}
