/* Any bytes as a time server's answer, with and without an open question: no time that cannot be. */
#include <stdint.h>
#include <string.h>
#include "guests/console/ip/ntp.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t cookie[NTP_COOKIE_BYTES] = { 0 }, packet[NTP_BYTES];
	struct ntp ntp = { 0 };
	uint64_t seconds = 0;
	enum ntp_answer answer;

	REQUIRE(ntp_read(&ntp, data, size, &seconds) == NTP_STRAY);
	/* Often the right one. */
	if (size >= 32)
		memcpy(cookie, data + 24, sizeof(cookie));
	ntp_ask(&ntp, cookie, packet);
	answer = ntp_read(&ntp, data, size, &seconds);
	REQUIRE(ntp.waiting == (answer == NTP_STRAY));
	REQUIRE(ntp.waiting || ntp.pause_s >= NTP_FIRST_S);
	REQUIRE(answer == NTP_TIME ? seconds >= 1577836800 && seconds < 1ull << 33 : !seconds);
	return 0;
}
