/* Shares of a ring: who may fill how much of it, and who loses his. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "guests/net/share.h"

#define MS 1000000u /* ticks */

static struct share share;
static uint32_t written, read;
static uint64_t now;

static bool fill(unsigned source, uint32_t bytes, uint32_t weight)
{
	share_look(&share, now);
	if (!share_allows(&share, source, written, BH_FRAMES_BYTES - (written - read), bytes, weight)) {
		share_refuse(&share, source);
		return false;
	}
	written += bytes;
	share_take(&share, source, written, weight);
	return true;
}

static void share_reset(uint32_t position)
{
	written = read = position;
	now = 0;
	share_start(&share, MS);
}

static void one_alone_gets_half(void **state)
{
	unsigned frames = 0;

	(void)state;
	share_reset(UINT32_MAX - 50000);
	assert_true(fill(1, 65584, 65584));
	assert_true(fill(1, 65584, 65584));
	assert_false(fill(1, 65584, 65584));
	share_reset(0);
	while (fill(1, 80, 512))
		frames++;
	assert_in_range(frames, 500, 1000);
	/* And there is room for two large ones of another. */
	assert_true(fill(2, 65584, 65584));
}

static void two_that_flood_leave_a_third_its_part(void **state)
{
	unsigned frames[4] = { 0 };

	(void)state;
	for (uint32_t start = 0; start < 3; start++) {
		memset(frames, 0, sizeof(frames));
		share_reset(start * 0x7fffff00u);
		for (unsigned i = 0; i < 1000; i++) {
			frames[1] += fill(1, 1536, 1536);
			frames[2] += fill(2, 1536, 1536);
		}
		while (fill(3, 1536, 1536))
			frames[3]++;
		assert_in_range(frames[1], frames[2], frames[2] + 1);
		assert_in_range(frames[3], 15, 60);
	}
}

static void what_was_read_is_given_back(void **state)
{
	uint64_t passed[3] = { 0 };

	(void)state;
	share_reset(UINT32_MAX - 1000000);
	for (unsigned i = 0; i < 20000; i++) {
		for (unsigned n = 0; n < 20; n++)
			passed[1] += fill(1, 1536, 1536); /* floods */
		passed[2] += fill(2, 1536, 1536);	  /* sends one in a turn */
		read += 3 * 1536;
		if (written - read > BH_FRAMES_BYTES)
			read = written;
	}
	assert_true(passed[2] > 19900);
	assert_in_range(passed[1], 39000, 40500);
	read = written;
	assert_true(share_allows(&share, 0, written, BH_FRAMES_BYTES, 65584, 65584));
	for (unsigned i = 0; i < BH_PORT_NUMBERS; i++)
		assert_int_equal(share.held[i], 0);
}

/* In more pieces than a share has weight for: it passes where its source holds nothing. */
static void what_is_heavy_passes_alone(void **state)
{
	(void)state;
	share_reset(0);
	assert_true(fill(1, 70000, 3 * BH_FRAMES_BYTES));
	assert_true(fill(2, 70000, 3 * BH_FRAMES_BYTES));
	assert_false(fill(1, 80, 4096));
	read = written;
	assert_true(fill(1, 70000, 3 * BH_FRAMES_BYTES));
}

static void the_account_has_an_end(void **state)
{
	unsigned frames = 0, source = 0;

	(void)state;
	share_reset(0);
	for (; source < 8; source++)
		while (fill(source, 32, 4096))
			frames++;
	assert_in_range(frames, SHARE_RECORDS / 2, SHARE_RECORDS * 9 / 10);
	for (; source < BH_PORT_NUMBERS; source++)
		assert_true(fill(source, 32, 4096));
	while (fill(0, 32, 0) || fill(1, 32, 0))
		;
	assert_true(share.records <= SHARE_RECORDS);
	read = written;
	assert_true(fill(0, 32, 256));
	assert_int_equal(share.records, 1);
	assert_int_equal(share.sum, 256);
}

/* A millisecond: the reader takes what is there; each source has offered `offers`, and as many as `passed` came. */
static void pass_ms(const unsigned *offers, unsigned *passed)
{
	unsigned most = 0;

	now += MS;
	for (unsigned source = 1; source < 4; source++)
		most = offers[source] > most ? offers[source] : most;
	for (unsigned i = 0; i < most; i++)
		for (unsigned source = 1; source < 4; source++)
			if (i < offers[source])
				passed[source] += fill(source, 80, 4096);
	read = written;
}

static void who_overruns_loses_its_share(void **state)
{
	unsigned first[4] = { 0 }, later[4] = { 0 }, again[4] = { 0 };

	(void)state;
	share_reset(UINT32_MAX - 1000);
	pass_ms((unsigned[]){ 0, 500, 10, 10 }, first);
	assert_in_range(first[1], 80, 130);
	for (unsigned i = 0; i < SHARE_WINDOW_MS * (SHARE_LEVELS + 2); i++)
		pass_ms((unsigned[]){ 0, 500, 10, 10 }, later);
	memset(later, 0, sizeof(later));
	pass_ms((unsigned[]){ 0, 500, 10, 10 }, later);
	assert_in_range(later[1], 1, first[1] / 16);
	assert_int_equal(later[2], 10);
	assert_int_equal(later[3], 10);
	/* It sends less: in a tenth of a second all is forgiven. */
	for (unsigned i = 0; i < 100; i++)
		pass_ms((unsigned[]){ 0, 1, 10, 10 }, again);
	assert_false(share_is_cut(&share, 1));
}

static void alone_or_with_little_loss_nobody_loses_its_share(void **state)
{
	unsigned passed[4] = { 0 };

	(void)state;
	share_reset(0);
	for (unsigned i = 0; i < 200; i++) {
		pass_ms((unsigned[]){ 0, 500, 0, 0 }, passed);
		assert_false(share_is_cut(&share, 1));
	}
	/* Each loses one of eight, as some TCP would. */
	for (unsigned i = 0; i < 200; i++) {
		pass_ms((unsigned[]){ 0, 40, 40, 40 }, passed);
		for (unsigned source = 1; source < 4; source++) {
			for (unsigned n = 0; n < 5; n++)
				share_refuse(&share, source);
			assert_false(share_is_cut(&share, source));
		}
	}
}

/* After a long silence nothing is left of it. */
static void time_heals(void **state)
{
	unsigned passed[4] = { 0 };

	(void)state;
	share_reset(0);
	for (unsigned i = 0; i < 100; i++)
		pass_ms((unsigned[]){ 0, 500, 500, 1 }, passed);
	assert_true(share_is_cut(&share, 1) && share_is_cut(&share, 2) && !share_is_cut(&share, 3));
	assert_in_range(passed[1], passed[2], passed[2] + 200);
	now += 1000 * MS;
	share_look(&share, now);
	share_look(&share, now + SHARE_WINDOW_MS * MS);
	assert_false(share_is_cut(&share, 1) || share_is_cut(&share, 2));
}

/* A reader that lies about where it is harms its own ring only. */
static void readers_that_lie(void **state)
{
	uint32_t random = 1;

	(void)state;
	share_reset(0);
	for (unsigned i = 0; i < 100000; i++) {
		random = random * 1103515245 + 12345;
		read = written - (random >> 8) % (BH_FRAMES_BYTES + 1);
		fill(random >> 28, 16 + (random & 0xffff), 512 + (random & 0xffff));
		now += i;
		assert_true(share.records <= SHARE_RECORDS);
		for (unsigned source = 0; source < 16; source++)
			assert_true(share.held[source] <= 3 * BH_FRAMES_BYTES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_alone_gets_half),
		cmocka_unit_test(two_that_flood_leave_a_third_its_part),
		cmocka_unit_test(what_was_read_is_given_back),
		cmocka_unit_test(what_is_heavy_passes_alone),
		cmocka_unit_test(the_account_has_an_end),
		cmocka_unit_test(who_overruns_loses_its_share),
		cmocka_unit_test(alone_or_with_little_loss_nobody_loses_its_share),
		cmocka_unit_test(time_heals),
		cmocka_unit_test(readers_that_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
