/* The console's time server: which answers count, and when it is asked again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "guests/console/ip/ntp.h"

#define FROM_1900 2208988800ull
#define NOW	  1795828800ull /* 28 November 2026 */

static const uint8_t cookie[NTP_COOKIE_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static struct ntp ntp;
static uint8_t asked[NTP_BYTES], answer[NTP_BYTES + 20];
static uint64_t seconds;

static void put(uint8_t *to, uint64_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A question, and a server's good answer to it (RFC 5905, 7.3). */
static void ask(uint64_t time)
{
	ntp_ask(&ntp, cookie, asked);
	memset(answer, 0, sizeof(answer));
	answer[0] = 4 << 3 | 4;
	answer[1] = 2;
	memcpy(answer + 24, asked + 40, 8);
	put(answer + 40, time + FROM_1900);
	seconds = 0;
}

static enum ntp_answer read_answer(void) { return ntp_read(&ntp, answer, NTP_BYTES, &seconds); }

static int reset(void **state)
{
	(void)state;
	ntp = (struct ntp){ 0 };
	return 0;
}

static void question_tells_nothing(void **state)
{
	uint8_t wanted[NTP_BYTES] = { 0x23 };

	(void)state;
	ask(NOW);
	memcpy(wanted + 40, cookie, sizeof(cookie));
	assert_memory_equal(asked, wanted, sizeof(wanted));
}

static void good_answer(void **state)
{
	(void)state;
	ask(NOW);
	assert_int_equal(read_answer(), NTP_TIME);
	assert_int_equal(seconds, NOW);
	assert_int_equal(ntp.pause_s, NTP_USUAL_S);
	/* The same once more, or any without a question. */
	assert_int_equal(read_answer(), NTP_STRAY);
	/* To the nearest second; of version 3, which older servers answer with; with what may follow. */
	ask(NOW);
	answer[44] = 0x80;
	answer[0] = 3 << 3 | 4;
	assert_int_equal(ntp_read(&ntp, answer, sizeof(answer), &seconds), NTP_TIME);
	assert_int_equal(seconds, NOW + 1);
}

/* RFC 4330, 3: the era that begins in 2036. */
static void eras(void **state)
{
	(void)state;
	for (uint64_t time = 2085978490; time < 2085978500; time++) {
		ask(time);
		answer[47] = 1; /* all 0 is no time */
		assert_int_equal(read_answer(), NTP_TIME);
		assert_int_equal(seconds, time);
	}
	ask(4102444800ull); /* 2100 */
	assert_int_equal(read_answer(), NTP_TIME);
	assert_int_equal(seconds, 4102444800ull);
}

/* What belongs to no question of ours changes nothing: the right one may still come. */
static void strays(void **state)
{
	(void)state;
	ask(NOW);
	for (size_t bytes = 0; bytes < NTP_BYTES; bytes++)
		assert_int_equal(ntp_read(&ntp, answer, bytes, &seconds), NTP_STRAY);
	for (unsigned i = 24; i < 32; i++) {
		answer[i] ^= 0x10;
		assert_int_equal(read_answer(), NTP_STRAY);
		answer[i] ^= 0x10;
	}
	for (unsigned first = 0; first < 64; first++) {
		bool good = first >> 3 >= 1 && first >> 3 <= 4 && (first & 7) == 4;

		answer[0] = (uint8_t)first;
		if (!good)
			assert_int_equal(read_answer(), NTP_STRAY);
	}
	/* A kiss of death that did not see the question either. */
	answer[0] = 4 << 3 | 4;
	answer[1] = 0;
	memcpy(answer + 12, "DENY", 4);
	answer[24] ^= 1;
	assert_int_equal(read_answer(), NTP_STRAY);
	answer[24] ^= 1;
	answer[1] = 1;
	assert_true(ntp.waiting && !ntp.stopped && !seconds);
	assert_int_equal(read_answer(), NTP_TIME);
}

static void no_time(void **state)
{
	(void)state;
	ask(NOW);
	answer[0] |= 3 << 6; /* its clock is not synchronized */
	assert_int_equal(read_answer(), NTP_NO_TIME);
	ask(NOW);
	answer[1] = 16;
	assert_int_equal(read_answer(), NTP_NO_TIME);
	ask(NOW);
	put(answer + 40, 0);
	assert_int_equal(read_answer(), NTP_NO_TIME);
	ask(1577836799); /* 2019 */
	assert_int_equal(read_answer(), NTP_NO_TIME);
	ask(0); /* 1970 */
	assert_int_equal(read_answer(), NTP_NO_TIME);
	ask(NOW);
	put(answer + 40, 0x80000000u); /* 1968 */
	assert_int_equal(read_answer(), NTP_NO_TIME);
	assert_int_equal(seconds, 0);
	assert_false(ntp.stopped);
}

static enum ntp_answer kiss(const char *code)
{
	ask(NOW);
	answer[1] = 0;
	memcpy(answer + 12, code, 4);
	return read_answer();
}

static void kisses_of_death(void **state)
{
	(void)state;
	assert_int_equal(kiss("RATE"), NTP_SLOWER);
	assert_int_equal(ntp.pause_s, NTP_SLOW_S);
	assert_int_equal(kiss("INIT"), NTP_NO_TIME);
	assert_int_equal(kiss("\0\0\0\0"), NTP_NO_TIME);
	assert_false(ntp.stopped);
	assert_int_equal(kiss("DENY"), NTP_STOP);
	assert_true(ntp.stopped);
	reset(NULL);
	assert_int_equal(kiss("RSTR"), NTP_STOP);
	assert_true(ntp.stopped);
}

static void asks_less_and_less(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		ask(NOW);
		ntp_silence(&ntp);
		assert_false(ntp.waiting);
		assert_int_equal(ntp.pause_s, i < 6 ? 16u << i : 1024);
	}
	ask(NOW);
	assert_int_equal(read_answer(), NTP_TIME);
	ask(NOW);
	ntp_silence(&ntp);
	assert_int_equal(ntp.pause_s, 16);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(question_tells_nothing, reset),
		cmocka_unit_test_setup(good_answer, reset),
		cmocka_unit_test_setup(eras, reset),
		cmocka_unit_test_setup(strays, reset),
		cmocka_unit_test_setup(no_time, reset),
		cmocka_unit_test_setup(kisses_of_death, reset),
		cmocka_unit_test_setup(asks_less_and_less, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
