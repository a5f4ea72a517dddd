/*
 * clock.h: what time it is: the machine's own clock at its start, and then what a time server said (SNTP). The server
 * is the configuration's, or else the one that DHCP tells. While none answers the clock goes on by the CPU's.
 */
#pragma once
#include <stdint.h>

/* What the console's next life goes on with. */
struct clock_store {
	int64_t behind; /* seconds that the machine's clock is behind */
	uint64_t check; /* its complement, once there is something */
};

/*
 * Once, when lwIP runs. `server`: IPv6's order, or IPv4's behind ::ffff; all 0: none is named. `corrected` hears of
 * each correction by two seconds or more: who said so, and how much was missing.
 */
void clock_start(const uint8_t server[16], struct clock_store *store,
		 void (*corrected)(const char *server, int64_t seconds));

/* Seconds since 1970; also before clock_start. 0: nobody knows. */
uint64_t clock_now(void);
