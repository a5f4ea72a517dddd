#include "ntp.h"
#include "guests/lib/bh_string.h"
#include "guests/console/users/secret.h"

/* RFC 5905, 7.3 */
#define STRATUM	 1
#define KISS	 12 /* the reference identifier */
#define ORIGIN	 24
#define TRANSMIT 40

#define CLIENT	       3u
#define SERVER	       4u
#define VERSION	       4u
#define UNSYNCHRONIZED 3u /* the leap indicator */
#define STRATUM_LAST   15
#define FROM_1900      2208988800ull /* seconds until 1970 */
#define ERA	       (1ull << 32)  /* seconds; the next one begins on 7 February 2036 */
#define FIRST_GOOD     1577836800ull /* 2020: what is before is no time of ours */

void ntp_ask(struct ntp *ntp, const uint8_t random[NTP_COOKIE_BYTES], uint8_t packet[NTP_BYTES])
{
	memcpy(ntp->cookie, random, NTP_COOKIE_BYTES);
	ntp->waiting = true;
	memset(packet, 0, NTP_BYTES);
	packet[0] = VERSION << 3 | CLIENT;
	memcpy(packet + TRANSMIT, random, NTP_COOKIE_BYTES);
}

static uint32_t word(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Since 1900. RFC 4330, 3: with the first bit it is this era's, without it the next one's. 0: it says nothing. */
static uint64_t time_of(const uint8_t *stamp)
{
	uint64_t whole = word(stamp), part = word(stamp + 4);

	if (!whole && !part)
		return 0;
	if (whole < ERA / 2)
		whole += ERA;
	return whole + (part >> 31);
}

static enum ntp_answer fail(struct ntp *ntp, enum ntp_answer answer)
{
	uint32_t pause = ntp->failures < 6 ? NTP_FIRST_S << ntp->failures : NTP_USUAL_S;

	ntp->waiting = false;
	ntp->failures++;
	ntp->pause_s = answer == NTP_SLOWER ? NTP_SLOW_S : pause;
	ntp->stopped = answer == NTP_STOP;
	return answer;
}

/* RFC 5905, 7.4. Other codes say nothing that a client is to heed. */
static enum ntp_answer kiss_of(const uint8_t *code)
{
	if (!memcmp(code, "DENY", 4) || !memcmp(code, "RSTR", 4))
		return NTP_STOP;
	return memcmp(code, "RATE", 4) ? NTP_NO_TIME : NTP_SLOWER;
}

static bool is_ours(const struct ntp *ntp, const uint8_t *packet, size_t bytes)
{
	unsigned version = bytes ? packet[0] >> 3 & 7 : 0;

	return ntp->waiting && bytes >= NTP_BYTES && (packet[0] & 7u) == SERVER && version && version <= VERSION &&
	       secret_same(packet + ORIGIN, ntp->cookie, NTP_COOKIE_BYTES);
}

enum ntp_answer ntp_read(struct ntp *ntp, const uint8_t *packet, size_t bytes, uint64_t *seconds)
{
	uint64_t time;

	if (!is_ours(ntp, packet, bytes))
		return NTP_STRAY;
	if (!packet[STRATUM])
		return fail(ntp, kiss_of(packet + KISS));
	time = time_of(packet + TRANSMIT);
	if (packet[0] >> 6 == UNSYNCHRONIZED || packet[STRATUM] > STRATUM_LAST || time < FROM_1900 + FIRST_GOOD)
		return fail(ntp, NTP_NO_TIME);
	*seconds = time - FROM_1900;
	ntp->waiting = false;
	ntp->failures = 0;
	ntp->pause_s = NTP_USUAL_S;
	return NTP_TIME;
}

void ntp_silence(struct ntp *ntp) { fail(ntp, NTP_NO_TIME); }
