/*
 * filter.h: anti-spoofing: a port sends from its own address only, and does not say that another's address is
 * elsewhere.
 */
#pragma once
#include "frame.h"

/*
 * After frame_parse and frame_check, for a port that is not trusted, whose address is `mac`. BH_DROP_SPOOFED unless the
 * Ethernet source is `mac`, and so are the sender's hardware address in ARP and RARP (RFC 826) and the link-layer
 * address options in neighbor discovery (RFC 4861, 4.6.1), also behind extension headers. What cannot be judged counts
 * as spoofed.
 */
enum bh_drop filter_source(struct frame *frame, uint64_t mac);

/* Destinations that no bridge forwards: 01-80-C2-00-00-00 to 0F (IEEE 802.1Q, table 8-1). */
static inline bool filter_reserved(uint64_t destination) { return (destination & 0xf0ffffffffffull) == 0xc28001ull; }
