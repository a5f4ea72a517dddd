/* packet.h: a frame in one line, much as tcpdump would show it. Pure; the frame may hold anything. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define PACKET_LINE_BYTES 256
#define PACKET_HEAD_BYTES 256 /* of a frame: the line hardly ever depends on more */

/*
 * What the Ethernet frame says, from its first `kept` bytes; on the wire it had `bytes`. "[|tcp]" stands where the
 * kept bytes end too early. The text is printable ASCII and ends with 0. Checksums are not looked at: an offload may
 * leave them undone.
 */
const char *packet_line(char text[PACKET_LINE_BYTES], const uint8_t *frame, uint32_t kept, uint32_t bytes);
