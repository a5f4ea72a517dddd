/* Tokens, what they may, sessions, delays and the journal. */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "guests/console/users/delays.h"
#include "guests/console/users/journal.h"
#include "guests/console/users/sessions.h"
#include "guests/console/users/users.h"
#include "sha256.h"

static struct users_store store;
static uint8_t noise;

static void noisy(void *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		((uint8_t *)to)[i] = (uint8_t)(noise++ * 37 + 11);
}

static uint64_t seconds(void) { return 1700000000; }

static const struct users_host host = { noisy, sha256, seconds };

static int fresh(void **state)
{
	(void)state;
	noise = 0;
	memset(&store, 0, sizeof(store));
	return users_start(&store, &host) == USERS_NEW ? 0 : -1;
}

static enum users_result create(const char *name, enum users_role role, const char *partition, char *text)
{
	struct users_token wanted = { .role = (uint8_t)role };

	snprintf(wanted.name, sizeof(wanted.name), "%s", name);
	if (partition) {
		wanted.partitions = 1;
		snprintf(wanted.partition[0], sizeof(wanted.partition[0]), "%s", partition);
	}
	return users_create(&wanted, text);
}

static void the_hash_is_sha256(void **state)
{
	static const uint8_t abc[] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea };
	static const uint8_t longer[] = { 0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8 };
	uint8_t hash[32];

	(void)state;
	sha256("abc", 3, hash);
	assert_memory_equal(hash, abc, sizeof(abc));
	sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hash);
	assert_memory_equal(hash, longer, sizeof(longer));
}

static void a_token_says_who(void **state)
{
	char text[USERS_TOKEN_BYTES], other[USERS_TOKEN_BYTES];
	const struct users_token *token;

	(void)state;
	assert_int_equal(create("ann", USERS_ADMINISTRATOR, NULL, text), USERS_DONE);
	assert_int_equal(create("bob", USERS_OPERATOR, "alpha", other), USERS_DONE);
	assert_int_equal(strlen(text), USERS_TOKEN_BYTES - 4);
	token = users_authenticate(text);
	assert_non_null(token);
	assert_string_equal(token->name, "ann");
	assert_int_equal(token->created, 1700000000);
	assert_string_equal(users_authenticate(other)->name, "bob");
	assert_null(memmem(&store, sizeof(store), text + 12, 10));
	for (unsigned i = 0; text[i]; i++) {
		char wrong[USERS_TOKEN_BYTES];

		strcpy(wrong, text);
		wrong[i] = wrong[i] == '0' ? '1' : '0';
		assert_null(users_authenticate(wrong));
		wrong[i] = 0;
		assert_null(users_authenticate(wrong));
	}
	strcat(text, "0");
	assert_null(users_authenticate(text));
	assert_null(users_authenticate("bh_00000000_000000000000000000000000000000000000000000000000"));
	assert_true(users_revoke("bob"));
	assert_false(users_revoke("bob"));
	assert_null(users_authenticate(other));
}

static void bad_tokens(void **state)
{
	char text[USERS_TOKEN_BYTES], name[16];

	(void)state;
	assert_int_equal(create("", USERS_VIEWER, NULL, text), USERS_BAD_NAME);
	assert_int_equal(create("a b", USERS_VIEWER, NULL, text), USERS_BAD_NAME);
	assert_int_equal(create("a\"b", USERS_VIEWER, NULL, text), USERS_BAD_NAME);
	assert_int_equal(create("o", USERS_OPERATOR, NULL, text), USERS_BAD_ROLE);
	assert_int_equal(create("o", USERS_OPERATOR, "a,b", text), USERS_BAD_ROLE);
	assert_int_equal(create("a", USERS_ADMINISTRATOR, "x", text), USERS_BAD_ROLE);
	assert_int_equal(create("a", 0, NULL, text), USERS_BAD_ROLE);
	assert_int_equal(create("a", USERS_ROLES, NULL, text), USERS_BAD_ROLE);
	for (unsigned i = 0; i < USERS_TOKENS; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		assert_int_equal(create(name, USERS_VIEWER, NULL, text), USERS_DONE);
	}
	assert_int_equal(create("user3", USERS_VIEWER, NULL, text), USERS_NAME_TAKEN);
	assert_int_equal(create("more", USERS_VIEWER, NULL, text), USERS_FULL);
	for (unsigned i = USERS_DONE; i <= USERS_FULL; i++)
		assert_true(strlen(users_result_words((enum users_result)i)) > 3);
}

static void roles(void **state)
{
	struct users_token token = { .role = USERS_VIEWER };

	(void)state;
	assert_true(users_may_see_all(&token) && users_may_see(&token, "a") && !users_may_operate(&token, "a"));
	token.partitions = 1;
	strcpy(token.partition[0], "a");
	assert_true(!users_may_see_all(&token) && users_may_see(&token, "a") && !users_may_see(&token, "ab"));
	assert_true(!users_may_see(&token, "b") && users_may_see(&token, "a.monitor") && !users_may_see(&token, "a.b"));
	assert_false(users_may_see(&token, ""));
	token.role = USERS_OPERATOR;
	assert_true(users_may_operate(&token, "a") && !users_may_operate(&token, "b") && !users_may_see(&token, "b"));
	token.role = USERS_ADMINISTRATOR;
	assert_true(users_may_operate(&token, "b") && users_may_see(&token, "b") && users_may_see_all(&token));
	for (unsigned i = USERS_VIEWER; i < USERS_ROLES; i++)
		assert_int_equal(users_role_called(users_role_words((enum users_role)i)), i);
	assert_int_equal(users_role_called("root"), 0);
}

static void tokens_outlive_the_service(void **state)
{
	char ann[USERS_TOKEN_BYTES], bob[USERS_TOKEN_BYTES];

	(void)state;
	create("ann", USERS_VIEWER, NULL, ann);
	create("bob", USERS_VIEWER, NULL, bob);
	assert_int_equal(users_start(&store, &host), USERS_FOUND);
	assert_non_null(users_authenticate(ann));
	assert_non_null(users_authenticate(bob));
	/* It ended while it wrote the newer copy: the older one has ann only. */
	store.copy[0].token[1].name[0] ^= 1;
	assert_int_equal(users_start(&store, &host), USERS_FOUND);
	assert_non_null(users_authenticate(ann));
	assert_null(users_authenticate(bob));
	create("cleo", USERS_VIEWER, NULL, bob);
	users_revoke("cleo");
	store.copy[store.copy[0].sequence < store.copy[1].sequence].check[0] ^= 1;
	assert_int_equal(users_start(&store, &host), USERS_FOUND);
	assert_null(users_authenticate(bob));
	store.copy[0].version = store.copy[1].version = 9;
	assert_int_equal(users_start(&store, &host), USERS_DAMAGED);
	assert_null(users_entry(0));
}

static void what_is_found_is_checked(void **state)
{
	char text[USERS_TOKEN_BYTES];

	(void)state;
	create("ann", USERS_VIEWER, NULL, text);
	for (unsigned i = 0; i < 2; i++) {
		struct users_table *copy = &store.copy[i];

		memset(copy->token[0].name, 'a', sizeof(copy->token[0].name));
		sha256(copy, offsetof(struct users_table, check), copy->check);
	}
	assert_int_equal(users_start(&store, &host), USERS_DAMAGED);
}

static void tokens_as_lines(void **state)
{
	char text[USERS_TOKEN_BYTES], line[USERS_LINE_BYTES], again[USERS_LINE_BYTES];

	(void)state;
	create("ann", USERS_OPERATOR, "alpha", text);
	users_export(users_entry(0), line);
	assert_non_null(strstr(line, "ann operator alpha "));
	assert_true(users_import(line));
	assert_null(users_entry(1));
	memset(&store, 0, sizeof(store));
	users_start(&store, &host);
	assert_true(users_import(line));
	assert_string_equal(users_authenticate(text)->name, "ann");
	users_export(users_entry(0), again);
	assert_string_equal(line, again);
	for (size_t i = strlen(line); i--;) {
		line[i] = 0;
		assert_false(users_import(line));
	}
	assert_false(users_import("ann viewer - zz"));
	assert_false(users_import("a,b c d e f g h"));
}

static void sessions(void **state)
{
	char text[USERS_TOKEN_BYTES];
	const struct session *session;
	struct session copy;

	(void)state;
	create("ann", USERS_VIEWER, NULL, text);
	session = sessions_begin(users_entry(0)->number, &host, 1000);
	copy = *session;
	assert_ptr_equal(sessions_find(copy.cookie, 2000), session);
	assert_null(sessions_find("", 2000));
	assert_null(sessions_find("000000000000000000000000000000000000000000000000", 2000));
	assert_true(sessions_csrf_is(session, copy.csrf));
	assert_false(sessions_csrf_is(session, copy.cookie) || sessions_csrf_is(session, ""));
	for (unsigned i = 1; i < SESSIONS_MAX + 3; i++) {
		sessions_find(copy.cookie, 3000 + i);
		sessions_begin(users_entry(0)->number, &host, 3000 + i);
	}
	assert_non_null(sessions_find(copy.cookie, 5000));
	assert_null(sessions_find(copy.cookie, 5001 + SESSION_IDLE_MS));
	copy = *sessions_begin(users_entry(0)->number, &host, 0);
	for (uint64_t t = 0; t < SESSION_LONGEST_MS; t += SESSION_IDLE_MS / 2)
		assert_non_null(sessions_find(copy.cookie, t));
	assert_null(sessions_find(copy.cookie, SESSION_LONGEST_MS + 1));
	copy = *sessions_begin(users_entry(0)->number, &host, 0);
	users_revoke("ann");
	assert_null(sessions_find(copy.cookie, 1));
}

/* Who logs in again and again ends no sessions of others. */
static void sessions_of_one_token(void **state)
{
	struct session ann, mine;
	uint32_t other;
	char text[USERS_TOKEN_BYTES];

	(void)state;
	create("ann", USERS_VIEWER, NULL, text);
	create("bob", USERS_VIEWER, NULL, text);
	other = users_entry(1)->number;
	ann = *sessions_begin(users_entry(0)->number, &host, 1000);
	for (unsigned i = 0; i < 3 * SESSIONS_MAX; i++)
		mine = *sessions_begin(other, &host, 2000 + i);
	assert_non_null(sessions_find(ann.cookie, 3000));
	assert_non_null(sessions_find(mine.cookie, 3000));
}

static void delays_grow(void **state)
{
	uint64_t now = 1000;
	char name[48];

	(void)state;
	for (unsigned i = 0; i < DELAYS_FREE; i++)
		delays_failed("a", 0, now);
	assert_int_equal(delays_left("a", 0, now), 0);
	for (unsigned expected = 1; expected <= 256; expected *= 2) {
		delays_failed("a", 0, now);
		assert_int_equal(delays_left("a", 0, now), expected);
		assert_int_equal(delays_left("b", 0, now), 0);
		assert_int_equal(delays_left("a", 7, now), 0);
		delays_succeeded("a", 7);
		now += expected * 1000;
		assert_int_equal(delays_left("a", 0, now - 1), 1);
		assert_int_equal(delays_left("a", 0, now), 0);
	}
	for (unsigned i = 0; i < 100; i++)
		delays_failed("a", 0, now);
	assert_int_equal(delays_left("a", 0, now), DELAYS_MAX_S);
	delays_failed("a", 0, now + 3600 * 1000);
	assert_int_equal(delays_left("a", 0, now + 3600 * 1000), 0);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "source %u", i);
		delays_failed(name, 0, ++now);
	}
	delays_succeeded("source 999", 0);
	delays_failed("source 999", 0, now);
	delays_failed("source 999", 0, now);
	assert_int_equal(delays_left("source 999", 0, now), 0);
}

static void journal(void **state)
{
	(void)state;
	journal_start(NULL, seconds);
	assert_null(journal_entry(journal_next()));
	journal_actor("ann", "10.0.0.1");
	journal_add("done", "start %s", "alpha");
	assert_string_equal(journal_entry(1)->what, "start alpha");
	assert_string_equal(journal_entry(1)->who, "ann");
	assert_string_equal(journal_entry(1)->source, "10.0.0.1");
	assert_int_equal(journal_entry(1)->seconds, 1700000000);
	for (unsigned i = 0; i < 2 * JOURNAL_ENTRIES; i++)
		journal_add("done", "%0*u", 200, i);
	assert_null(journal_entry(1));
	assert_int_equal(journal_next() - journal_first(), JOURNAL_ENTRIES);
	assert_int_equal(journal_entry(journal_first())->number, journal_first());
	assert_int_equal(journal_entry(journal_next() - 1)->number, journal_next() - 1);
}

static void what_the_journal_has(const char *first, uint64_t number)
{
	assert_int_equal(journal_next(), number + 1);
	assert_string_equal(journal_entry(number)->what, first);
}

/* A former life's entries are there, but for those that were half written, or are no entries at all. */
static void the_journal_outlives_the_service(void **state)
{
	static struct journal_store kept;

	(void)state;
	journal_start(&kept, seconds);
	assert_int_equal(journal_next(), 1);
	journal_actor("ann", "10.0.0.1");
	for (unsigned i = 1; i <= JOURNAL_ENTRIES + 3; i++)
		journal_add("done", "entry %u", i);
	journal_start(&kept, seconds);
	what_the_journal_has("entry 515", 515);
	assert_int_equal(journal_first(), 4);
	assert_string_equal(journal_entry(4)->what, "entry 4");
	/* It ended while it wrote entry 515: that one is lost, and the one that had the place. */
	kept.kept[515 % JOURNAL_ENTRIES].entry.what[0] ^= 1;
	journal_start(&kept, seconds);
	what_the_journal_has("entry 514", 514);
	assert_null(journal_entry(3));
	journal_add("done", "again");
	what_the_journal_has("again", 515);
	memset(kept.kept[7].entry.who, 'a', sizeof(kept.kept[7].entry.who));
	kept.kept[8].check = 0;
	journal_start(&kept, seconds);
	assert_null(journal_entry(7));
	assert_null(journal_entry(8));
	assert_non_null(journal_entry(9));
	memset(&kept, 0, sizeof(kept));
	journal_start(&kept, seconds);
	assert_int_equal(journal_next(), 1);
	journal_start(NULL, seconds);
}

static unsigned wrong[8], wrongs;

static void note_wrong(unsigned line)
{
	if (wrongs < 8)
		wrong[wrongs] = line;
	wrongs++;
}

static void tokens_from_a_file(void **state)
{
	char ann[USERS_TOKEN_BYTES], bob[USERS_TOKEN_BYTES], lines[2][USERS_LINE_BYTES], file[4096];
	static const char nonsense[] = "\xff\0\n a b c\n\n#\nx";

	(void)state;
	create("ann", USERS_ADMINISTRATOR, NULL, ann);
	create("bob", USERS_OPERATOR, "alpha", bob);
	users_export(users_entry(0), lines[0]);
	users_export(users_entry(1), lines[1]);
	snprintf(file, sizeof(file), "# ours\r\n\r\n  %s \t# the boss\r\n%s\nann viewer\n%s", lines[0], lines[1],
		 lines[1]);
	fresh(NULL);
	wrongs = 0;
	users_import_text(file, strlen(file), note_wrong);
	assert_int_equal(wrongs, 1);
	assert_int_equal(wrong[0], 5);
	assert_int_equal(users_authenticate(ann)->role, USERS_ADMINISTRATOR);
	assert_string_equal(users_authenticate(bob)->partition[0], "alpha");
	assert_null(users_entry(2));
	wrongs = 0;
	users_import_text(nonsense, sizeof(nonsense) - 1, note_wrong);
	assert_int_equal(wrongs, 3);
	assert_true(wrong[0] == 1 && wrong[1] == 2 && wrong[2] == 5);
	memset(file, 'a', sizeof(file));
	users_import_text(file, sizeof(file), note_wrong);
	assert_int_equal(wrongs, 4);
	users_import_text(file, 0, note_wrong);
	assert_int_equal(wrongs, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_sha256),
		cmocka_unit_test_setup(a_token_says_who, fresh),
		cmocka_unit_test_setup(bad_tokens, fresh),
		cmocka_unit_test(roles),
		cmocka_unit_test_setup(tokens_outlive_the_service, fresh),
		cmocka_unit_test_setup(what_is_found_is_checked, fresh),
		cmocka_unit_test_setup(tokens_as_lines, fresh),
		cmocka_unit_test_setup(sessions, fresh),
		cmocka_unit_test_setup(sessions_of_one_token, fresh),
		cmocka_unit_test(delays_grow),
		cmocka_unit_test(journal),
		cmocka_unit_test(the_journal_outlives_the_service),
		cmocka_unit_test_setup(tokens_from_a_file, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
