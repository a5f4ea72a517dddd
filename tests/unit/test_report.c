#include "fake_system.h"
#include <string.h>
#include "report.h"
#include "trace.h"

static int set_up(void **state)
{
	fake_system_reset(state);
	fake_start(the_ping);
	fake_start(the_linux);
	fake_forget();
	return 0;
}

static void assert_report(const struct partition *partition, const char *text)
{
	assert_int_equal(partition->report_bytes, strlen(text));
	assert_memory_equal(partition->report, text, strlen(text));
}

static bool says(const struct partition *partition, const char *words)
{
	char text[REPORT_BYTES + 1] = "";

	memcpy(text, partition->report, partition->report_bytes);
	return strstr(text, words);
}

/* ---- text ---------------------------------------------------------------------------------------- */

static void test_lines(void **state)
{
	(void)state;
	report_line(the_ping, "one %u", 1u);
	report_line(the_ping, "%s", "");
	report_text(the_ping, "two", 3);
	report_text(the_ping, "", 0);
	assert_report(the_ping, "one 1\n\ntwo");
}

static void test_long_line(void **state)
{
	char text[300], expected[200];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	report_line(the_ping, "%s", text);
	memset(expected, 'x', 158);
	strcpy(expected + 158, "\n");
	assert_report(the_ping, expected);
}

static void test_what_cannot_be_printed(void **state)
{
	(void)state;
	report_text(the_ping, "a\0b\r\x1b[31m\x7f\x80\xff\n~ ", 16);
	assert_report(the_ping, "a?b??[31m???\n~ ?");
	assert_int_equal(report_read(the_ping, 8) < 0, 0);
}

/* A partition's own text cannot push out why it ended; the kernel's words end where the room does. */
static void test_full(void **state)
{
	char text[41];

	(void)state;
	memset(text, 'p', 40);
	for (unsigned i = 0; i < 100; i++)
		report_text(the_ping, text, 40);
	assert_int_equal(the_ping->report_bytes, REPORT_BYTES / 2);
	report_line(the_ping, "the reason");
	assert_true(says(the_ping, "pppp"
				   "the reason\n"));
	for (unsigned i = 0; i < 100; i++)
		report_line(the_ping, "0123456789012345678901234567890123456789");
	assert_int_equal(the_ping->report_bytes, REPORT_BYTES);
	report_line(the_ping, "more");
	report_text(the_ping, "more", 4);
	assert_int_equal(the_ping->report_bytes, REPORT_BYTES);
	assert_int_equal(report_read(the_ping, REPORT_BYTES), -BH_ENOENT);
	assert_true(report_read(the_ping, REPORT_BYTES - 1) > 0);
}

/* Kept over the end and the next start, until there is something new to report. */
static void test_lives(void **state)
{
	(void)state;
	report_line(the_ping, "first life");
	partition_control(the_ping, BH_STOP);
	fake_settle();
	assert_report(the_ping, "first life\n");
	report_line(the_ping, "after it");
	assert_report(the_ping, "first life\nafter it\n");
	fake_start(the_ping);
	assert_report(the_ping, "first life\nafter it\n");
	report_text(the_ping, "second life", 11);
	assert_report(the_ping, "second life");
}

static void test_words(void **state)
{
	(void)state;
	assert_true(report_word("abcdefghij", 10, 0) == 0x6867666564636261);
	assert_true(report_word("abcdefghij", 10, 8) == 0x6a69);
	assert_true(report_word("abcdefghij", 10, 9) == 0x6a);
	assert_int_equal(report_word("abcdefghij", 10, 10), -BH_ENOENT);
	assert_int_equal(report_word("", 0, 0), -BH_ENOENT);
	assert_int_equal(report_word("abcdefghij", 10, UINT64_MAX), -BH_ENOENT);
	assert_int_equal(report_word("abcdefghij", 10, UINT64_MAX - 7), -BH_ENOENT);
	/* Never negative, whatever the bytes. */
	assert_true(report_word("\xff\xff\xff\xff\xff\xff\xff\xff", 8, 0) == 0x7f7f7f7f7f7f7f7f);
}

/* ---- failures ------------------------------------------------------------------------------------- */

static void note_exit(struct vcpu *vcpu, unsigned reason, uint64_t detail)
{
	struct trace_record *record = trace_next(&fake_cpu[vcpu->cpu]);

	*record = (struct trace_record){ 1, detail, 0, vcpu->trace_id | reason << 24, record->next };
}

static void test_failure(void **state)
{
	struct vcpu *second = the_ping->vcpu[1];

	(void)state;
	fake_state = (struct bh_vcpu_state){ .rip = 0x101234, .rflags = 2, .cr3 = 0x100000, .efer = 0x500 };
	fake_state.gpr[BH_R9] = 0xabcdef0123456789;
	fake_state.segment[BH_CS].selector = 0x33;
	trace_keep(&fake_cpu[3], true);
	for (unsigned i = 0; i < 10; i++)
		note_exit(second, BH_EXIT_PIO, 0x3f0 + i);
	note_exit(second, BH_EXIT_CPUID, 0x40000000);
	fake_on(3);
	report_failure(second, "triple fault, number %d", 3);

	assert_string_equal(fake_log, "ping: ended: triple fault, number 3");
	assert_int_equal(fake_groups, BH_STATE_ALL);
	assert_true(says(the_ping, "triple fault, number 3\n  vCPU 1  rip 101234  rflags 2  cs 33"));
	assert_true(says(the_ping, "cr3 100000"));
	assert_true(says(the_ping, "efer 500"));
	assert_true(says(the_ping, "r9 abcdef0123456789"));
	assert_true(says(the_ping, "newest first:\n    cpuid 40000000\n    pio 3f9\n    pio 3f8\n"));
	assert_true(says(the_ping, "pio 3f3\n"));
	assert_false(says(the_ping, "pio 3f2\n"));

	/* On failure, twice at most: the first time it comes back, and the report stays. */
	assert_int_equal(the_ping->state, BH_STATE_DYING);
	assert_int_equal(the_ping->cause, BH_CAUSE_FAILED);
	fake_settle();
	assert_int_equal(the_ping->epoch, 2);
	assert_true(says(the_ping, "triple fault"));
}

/* With its own text in the way the reason, the registers and the exits are all there. */
static void test_failure_of_a_talker(void **state)
{
	char text[41] = "";

	(void)state;
	memset(text, 'p', 40);
	for (unsigned i = 0; i < 100; i++)
		report_text(the_ping, text, 40);
	memset(&fake_state, 0xff, sizeof(fake_state));
	trace_keep(&fake_cpu[0], true);
	for (unsigned i = 0; i < 8; i++)
		note_exit(the_ping->vcpu[0], BH_EXIT_CONTROL_REGISTER, UINT64_MAX);
	note_exit(the_ping->vcpu[0], BH_EXIT_CPUID, 1);
	report_failure(the_ping->vcpu[0], "%s", text);
	assert_true(says(the_ping, "r15 ffffffffffffffff\n"));
	assert_true(says(the_ping, "cpuid 1\n"));
	assert_true(the_ping->report_bytes < REPORT_BYTES);
}

static void test_failure_of_a_monitor(void **state)
{
	static const char words[] = "its monitor ended: read at 123\n";

	(void)state;
	fake_on(1);
	report_failure(the_monitor->vcpu[0], "read at %x", 0x123);
	assert_true(says(the_monitor, "read at 123\n"));
	assert_true(says(the_monitor, "  vCPU 0  rip"));
	assert_report(the_linux, words);
	assert_int_equal(the_linux->state, BH_STATE_DYING);
	fake_settle();
	assert_int_equal(the_linux->state, BH_STATE_STOPPED);
	assert_int_equal(the_linux->cause, BH_CAUSE_FAILED);
}

static void test_failure_of_a_guest(void **state)
{
	(void)state;
	fake_on(2);
	report_failure(the_linux->vcpu[1], "triple fault");
	assert_true(says(the_linux, "triple fault\n  vCPU 1  rip"));
	assert_int_equal(the_monitor->report_bytes, 0);
	fake_settle();
	assert_int_equal(the_linux->state, BH_STATE_STOPPED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_long_line),
		TEST(test_what_cannot_be_printed),
		TEST(test_full),
		TEST(test_lives),
		TEST(test_words),
		TEST(test_failure),
		TEST(test_failure_of_a_talker),
		TEST(test_failure_of_a_monitor),
		TEST(test_failure_of_a_guest),
	};

	return cmocka_run_group_tests(tests, fake_system, fake_system_end);
}
