/* The shell from typed keys to what is shown, on a fake kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "fake_console.h"

static int fresh(void **state)
{
	(void)state;
	if (attach_peer())
		attach_input(ATTACH_ESCAPE);
	fake_start();
	return 0;
}

static void shows(const char *keys, const char *expected)
{
	const char *shown = fake_type(keys);

	if (!strstr(shown, expected))
		fail_msg("typed: %s\nexpected: %s\nshown: %s", keys, expected, shown);
}

static void shows_not(const char *keys, const char *unexpected)
{
	const char *shown = fake_type(keys);

	if (strstr(shown, unexpected))
		fail_msg("typed: %s\nunexpected: %s\nshown: %s", keys, unexpected, shown);
}

static void banner_and_prompt(void **state)
{
	(void)state;
	assert_non_null(strstr(fake_shown, "4 CPUs, 1 GiB of memory, 1 of 3 partitions run."));
	assert_non_null(strstr(fake_shown, "Type help"));
	assert_non_null(strstr(fake_shown, "bulkhead> "));
}

static void help_names_every_command(void **state)
{
	const char *shown = fake_type("help\r");

	(void)state;
	for (unsigned i = 0; i < shell_command_count; i++)
		assert_non_null(strstr(shown, shell_commands[i].name));
	shows("help attach\r", "Ctrl-]");
	shows("help atach\r", "Did you mean help attach?");
}

static void list_shows_monitors_under_guests(void **state)
{
	const char *shown;

	(void)state;
	fake_now = 65 * HZ;
	shown = fake_type("list\r");
	assert_non_null(strstr(shown, "linux1             guest    running              2@2d,3d "));
	assert_non_null(strstr(shown, "  linux1.monitor   monitor  running "));
	assert_non_null(strstr(shown, "hello              native   never started        1@2s "));
	assert_non_null(strstr(shown, "broken             native   failed: configuration"));
	assert_non_null(strstr(shown, "1m 05s"));
}

static void wrong_words_get_an_answer(void **state)
{
	(void)state;
	shows("lits\r", "There is no command lits. Did you mean list?");
	shows("frobnicate\r", "There is no command frobnicate. `help` lists them.");
	shows("start helo\r", "There is no partition helo. Did you mean hello?");
	shows("start zzz\r", "There are linux1, linux1.monitor, hello, broken.");
	shows("start\r", "start takes a partition's name. Usage: start NAME");
	shows("list x\r", "list takes no words. Usage: list");
	shows("start hello linux1\r", "start takes fewer words.");
	shows("reboot -x\r", "reboot has no option -x.");
	shows("attach -\r", "attach has no option -.");
	shows("trace linux1 many\r", "COUNT is a number from 1 to 500, not many.");
	shows("trace linux1 501\r", "COUNT is a number from 1 to 500, not 501.");
	shows("log 0\r", "COUNT is a number");
	shows("a b c d e f g h i j k\r", "There is no command a.");
	shows("list b c d e f g h i j k\r", "Too many words");
	shows_not("   \r", "no command");
}

static void start_and_stop_wait_until_it_is_so(void **state)
{
	(void)state;
	shows("start hello\r", "hello: running (after ");
	assert_int_equal(fake[HELLO].state, BH_STATE_RUNNING);
	shows("start hello\r", "hello is running: only one that is stopped can be started.");
	shows("stop hello\r", "hello: stopped by command (after ");
	shows("stop hello\r", "hello is stopped by command: there is nothing to stop.");
	shows("restart linux1\r", "linux1: running (after ");
	assert_int_equal(fake[GUEST].restarts, 1);
	shows("pause linux1\r", "linux1: paused");
	shows("pause linux1\r", "linux1 is paused: only one that is running can be paused.");
	shows("resume linux1\r", "linux1: running");
	/* Nobody tells twice what the command has told. */
	shows_not("\r", "[linux1");
	shows_not("\r", "[hello");
}

static void a_start_that_fails_shows_the_report(void **state)
{
	(void)state;
	fake[HELLO].fails = true;
	fake[HELLO].report = "vCPU 0: triple fault\n";
	shows("start hello\r", "hello: failed.\r\nvCPU 0: triple fault\r\n");
}

static void what_takes_too_long_is_left_alone(void **state)
{
	(void)state;
	fake[HELLO].stuck = true;
	shows("start hello\r", "hello: starting after 30.0 s; it goes on, and you will be told.");
	fake[HELLO].stuck = false;
	fake[HELLO].steps = 1;
	fake_events = 1; /* the serial line's */
	shows("\r", "[hello runs");
}

static void ctrl_c_ends_the_waiting(void **state)
{
	(void)state;
	fake[HELLO].stuck = true;
	shows("start hello\r\x03", "hello: starting after ");
	assert_true(fake_now < 5 * HZ);
}

static void rights_and_bad_configurations(void **state)
{
	(void)state;
	shows("stop linux1.monitor\r", "A monitor lives with its guest: use linux1.");
	shows("start broken\r", "its configuration is wrong:\r\nbulkhead.conf:9: no such image");
	shows("attach broken\r", "broken has no terminal");
	shows("report broken\r", "bulkhead.conf:9: no such image");
	shows("report hello\r", "hello has no report.");
}

static void attach_both_ways(void **state)
{
	(void)state;
	fake_print(GUEST, "boot text\r\nlogin: ");
	fake_loop();
	assert_null(strstr(fake_shown, "boot text"));
	shows("attach linux1\r", "boot text\r\nlogin: ");
	fake_print(GUEST, "\x1b[1mraw\x1b[0m");
	shows("", "\x1b[1mraw\x1b[0m");
	shows_not("root\r", "root"); /* the echo is the guest's business */
	assert_string_equal(fake_read(GUEST), "root\r");
	shows("\x1d", "bulkhead> ");
	fake_print(GUEST, "unseen");
	shows_not("", "unseen");
	shows("attach linux1\r", "unseen");
}

static void escape_twice_is_sent(void **state)
{
	(void)state;
	fake_type("attach linux1\r\x1d\x1d"
		  "x");
	assert_string_equal(fake_read(GUEST), "\x1dx");
	shows("\x1d"
	      "list\r",
	      "linux1.monitor");
	/* Not the next key any more. */
	fake_type("\x1d"
		  "x");
	assert_string_equal(fake_read(GUEST), "");
}

static void attach_shows_the_last_lines_or_all(void **state)
{
	char line[32];

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(line, sizeof(line), "line %d of many\r\n", i);
		fake_print(GUEST, line);
		fake_loop();
	}
	shows_not("attach linux1\r", "line 100 ");
	shows("\x1d"
	      "attach linux1\r",
	      "line 499 ");
	shows("\x1d"
	      "attach -a linux1\r",
	      "line 0 ");
	assert_null(strstr(fake_type("\x1d"
				     "attach linux1\r"),
			   "any\r\nline 240"));
}

static void attach_to_one_that_stands_still(void **state)
{
	(void)state;
	shows("attach hello\r", "[hello does not run: nothing reads what you type]");
	shows("\x1d", "bulkhead> ");
	shows("attach linux1.monitor\r", "[attached to linux1;");
}

static void news_do_not_damage_the_line(void **state)
{
	const char *shown;

	(void)state;
	fake_type("sta");
	fake[GUEST].report = "triple fault\nmore\n";
	fake[GUEST].state = BH_STATE_STOPPED;
	fake[GUEST].cause = BH_CAUSE_FAILED;
	announce(&fake[GUEST]);
	shown = fake_type("");
	assert_string_equal(shown, "\r\x1b[K[linux1 failed: triple fault]\r\n\rbulkhead> sta\x1b[K");
	shows("rt linux1\r", "linux1: running");
}

static void news_while_attached(void **state)
{
	(void)state;
	fake_type("attach linux1\r");
	enter(&fake[GUEST], BH_STATE_STOPPED, BH_CAUSE_POWEROFF);
	shows("", "\r\n[linux1 powered off]\r\n");
	enter(&fake[GUEST], BH_STATE_RUNNING, BH_CAUSE_NONE);
	fake[GUEST].restarts = 2;
	shows("", "[linux1 runs (restarts: 2)]");
}

static void stat_for_people_and_programs(void **state)
{
	const char *shown;

	(void)state;
	shows("stat\r", "CPU 3: APIC ID 6, idle ");
	shown = fake_type("stat linux1\r");
	assert_non_null(strstr(shown, "vCPU 1 on CPU 3 (dedicated): ran 9.0 s, kernel 500.0 ms, "
				      "monitor 500.0 ms, outside 10.00 %\r\n"
				      "  exits 10: cpuid 7, apic 3\r\n"));
	shown = fake_type("stat -k linux1\r");
	assert_non_null(strstr(shown, "\r\nstate 3\r\n"));
	assert_non_null(strstr(shown, "\r\nvcpu0.ran 9000000\r\n"));
	assert_non_null(strstr(shown, "\r\nvcpu1.exits.cpuid 7\r\n"));
	assert_non_null(strstr(shown, "\r\nvcpu1.exits.control_register 0\r\n"));
	assert_null(strstr(shown, "vcpu2"));
	shows("stat -k\r", "\r\nkernel_bytes 4096\r\n");
}

static void trace_in_words_oldest_first(void **state)
{
	const char *shown, *before, *after;

	(void)state;
	shown = fake_type("trace linux1 30\r");
	before = strstr(shown, "vCPU 0");
	after = strstr(shown, "vCPU 1");
	assert_non_null(before);
	assert_non_null(after);
	assert_non_null(strstr(shown, "cpuid 0x3"));
	shown = fake_type("trace linux1\r");
	double last = 0, time;
	unsigned rows = 0;

	for (const char *row = strchr(shown, '\n'); row; row = strchr(row + 1, '\n')) {
		if (sscanf(row, " %lf  vCPU", &time) != 1)
			continue;
		assert_true(time >= last);
		last = time;
		rows++;
	}
	assert_int_equal(rows, 20);
	shows("trace hello\r", "No exits of hello are in the rings.");
}

static void log_shows_the_last_lines(void **state)
{
	const char *shown = fake_type("log 2\r");

	(void)state;
	assert_non_null(strstr(shown, "\r\n[38] line\r\n[39] line\r\n"));
	assert_null(strstr(shown, "[37]"));
	shown = fake_type("log\r");
	assert_non_null(strstr(shown, "[16] line"));
	assert_null(strstr(shown, "[15] line"));
	shows("log 1000\r", "[0] line");
}

static void texts_are_made_harmless(void **state)
{
	(void)state;
	shows("caps\r", "VPID: yes\r\nevil .[2J text\r\n");
	fake[HELLO].report = "a\x1b]0;b\x07\n";
	shows("report hello\r", "a.]0;b.\r\n");
	shows("start \x1b[31mred\r", "There is no partition red.");
}

static void audit_says_clean_or_what_is_wrong(void **state)
{
	(void)state;
	shows("audit\r", "\r\naudit: clean\r\n");
	fake_disagreements = 2;
	shows("audit\r", "frame 7: two owners\r\naudit: 2 disagreements\r\n");
}

static void mem_lists_everybody(void **state)
{
	const char *shown = fake_type("mem\r");

	(void)state;
	assert_non_null(strstr(shown, "machine                    1 GiB"));
	assert_non_null(strstr(shown, "hello                     64 MiB"));
}

static void reboot_asks_first(void **state)
{
	(void)state;
	shows("reboot\r", "Reboot the machine? (yes/no) ");
	shows("no\r", "Nothing was done.\r\n\rbulkhead> ");
	assert_int_equal(fake_machine_control, 0);
	shows("poweroff\r\x03", "bulkhead> ");
	shows("yes\r", "There is no command yes.");
	assert_int_equal(fake_machine_control, 0);
	shows("poweroff\ryes\r", "Powering off.\r\n");
	assert_int_equal(fake_machine_control, BH_POWEROFF);
	shows("reboot -f\r", "Rebooting.\r\nThe kernel refused: error -1.\r\n");
	assert_int_equal(fake_machine_control, BH_REBOOT);
}

static void tab_completes_commands_and_names(void **state)
{
	(void)state;
	shows("att\thel\t\r", "[attached to hello;");
	shows("\x1d", "bulkhead> ");
	shows("help rest\t\r", "restart NAME:");
	shows("stat lin\t", "linux1");
	shows("\t", "linux1  linux1.monitor  ");
	shows("\x15sto\t\x15", "stop ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(banner_and_prompt, fresh),
		cmocka_unit_test_setup(help_names_every_command, fresh),
		cmocka_unit_test_setup(list_shows_monitors_under_guests, fresh),
		cmocka_unit_test_setup(wrong_words_get_an_answer, fresh),
		cmocka_unit_test_setup(start_and_stop_wait_until_it_is_so, fresh),
		cmocka_unit_test_setup(a_start_that_fails_shows_the_report, fresh),
		cmocka_unit_test_setup(what_takes_too_long_is_left_alone, fresh),
		cmocka_unit_test_setup(ctrl_c_ends_the_waiting, fresh),
		cmocka_unit_test_setup(rights_and_bad_configurations, fresh),
		cmocka_unit_test_setup(attach_both_ways, fresh),
		cmocka_unit_test_setup(escape_twice_is_sent, fresh),
		cmocka_unit_test_setup(attach_shows_the_last_lines_or_all, fresh),
		cmocka_unit_test_setup(attach_to_one_that_stands_still, fresh),
		cmocka_unit_test_setup(news_do_not_damage_the_line, fresh),
		cmocka_unit_test_setup(news_while_attached, fresh),
		cmocka_unit_test_setup(stat_for_people_and_programs, fresh),
		cmocka_unit_test_setup(trace_in_words_oldest_first, fresh),
		cmocka_unit_test_setup(log_shows_the_last_lines, fresh),
		cmocka_unit_test_setup(texts_are_made_harmless, fresh),
		cmocka_unit_test_setup(audit_says_clean_or_what_is_wrong, fresh),
		cmocka_unit_test_setup(mem_lists_everybody, fresh),
		cmocka_unit_test_setup(reboot_asks_first, fresh),
		cmocka_unit_test_setup(tab_completes_commands_and_names, fresh),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (unsigned i = 0; i < peer_count; i++)
		free(peers[i].scrollback.data);
	return failed;
}
