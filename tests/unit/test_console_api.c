/* The API with the console's own modules on a fake kernel: what the network does and what the serial line does agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "fake_console.h"
#include "fake_wire.h"
#include "guests/console/api/api.h"
#include "guests/console/users/journal.h"
#include "sha256.h"

static struct wire wire;
static char token[USERS_TOKEN_BYTES];

static void noisy(void *to, size_t bytes) { memset(to, 0x5a, bytes); }
static uint64_t seconds(void) { return 1700000000; }
static const struct users_host host = { noisy, sha256, seconds };

static int fresh(void **state)
{
	struct users_token wanted = { .name = "ann", .role = USERS_ADMINISTRATOR };

	(void)state;
	fake_networks = true;
	fake_start();
	users_start(NULL, &host);
	users_revoke("ann");
	if (users_create(&wanted, token) != USERS_DONE)
		return -1;
	api_start(&host, NULL, 0);
	api_tick(1000);
	(void)fake_tap;
	return wire_open(&wire, "10.0.0.9") ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	wire_hangs_up(&wire);
	return 0;
}

static void ask(const char *line, const char *more)
{
	char text[1000];

	wire.count = 0;
	snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n%s", line, token, more);
	wire_types(&wire, text);
}

static void sees(const char *text)
{
	if (!strstr(wire.out, text))
		fail_msg("expected: %s\nsent: %s", text, wire.out);
}

static void both_operate_alike(void **state)
{
	(void)state;
	ask("POST /api/v1/partitions/linux1/stop", "\r\n");
	sees("HTTP/1.1 202 ");
	sees("\"state\":\"stopping\"");
	for (unsigned i = 0; i < 4; i++) /* each is a while */
		fake_type("\r");
	ask("GET /api/v1/partitions/linux1", "\r\n");
	sees("\"state\":\"stopped\",\"cause\":\"stopped\",\"words\":\"stopped by command\"");
	sees("\"vcpu\":[{\"number\":0,\"cpu\":2,\"dedicated\":true,\"ran_ns\":9000000000,\"kernel_ns\":500000000,");
	ask("POST /api/v1/partitions/linux1/stop", "\r\n");
	sees("HTTP/1.1 409 ");
	sees("linux1 is stopped by command: there is nothing to stop.");
	assert_non_null(
		strstr(fake_type("stop linux1\r"), "linux1 is stopped by command: there is nothing to stop.\r\n"));
	assert_string_equal(journal_entry(journal_next() - 1)->who, "serial line");
	assert_string_equal(journal_entry(journal_next() - 1)->what, "stop linux1");
	assert_string_equal(journal_entry(journal_next() - 1)->result, "refused");
	assert_string_equal(journal_entry(journal_next() - 3)->who, "ann");
	assert_string_equal(journal_entry(journal_next() - 3)->result, "begun");
	ask("POST /api/v1/partitions/linux1.monitor/stop", "\r\n");
	sees("HTTP/1.1 403 ");
	sees("A monitor lives with its guest: use linux1.");
	ask("POST /api/v1/partitions/broken/start", "\r\n");
	sees("broken cannot run, its configuration is wrong.");
	ask("GET /api/v1/partitions/broken/report", "\r\n");
	sees("{\"text\":\"bulkhead.conf:9: no such image\\n\"}");
}

static void the_console_is_the_same(void **state)
{
	(void)state;
	fake_print(GUEST, "login: ");
	fake_type("\r");
	ask("GET /api/v1/partitions/linux1/console", "\r\n");
	sees("\r\n\r\nlogin: ");
	ask("POST /api/v1/partitions/linux1/console",
	    "Content-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\nroot\r");
	sees("{\"taken_bytes\":5}");
	assert_string_equal(fake_read(GUEST), "root\r");
}

static void machine_and_networks(void **state)
{
	(void)state;
	ask("GET /api/v1/machine", "\r\n");
	sees("\"memory_bytes\":1073741824,");
	sees("{\"number\":3,\"apic_id\":6,\"idle_ns\":6000}]}");
	ask("GET /api/v1/log", "\r\n");
	sees("[39] line\\n\",\"next\":");
	ask("GET /api/v1/networks", "\r\n");
	sees("{\"service\":\"running\",\"networks\":[{\"name\":\"lan\",\"mtu\":1500,\"uplink\":true,");
	ask("GET /api/v1/ports", "\r\n");
	sees("{\"name\":\"linux1.0\",\"network\":\"lan\",\"guest\":\"linux1\",");
	ask("GET /api/v1/partitions/linux1/exits", "\r\n");
	sees("\"cpuid\":7,");
	ask("GET /metrics", "\r\n");
	sees("\nbulkhead_vcpu_seconds_total{partition=\"linux1\",vcpu=\"1\",mode=\"guest\"} 9.000000000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_operate_alike, fresh, leave),
		cmocka_unit_test_setup_teardown(the_console_is_the_same, fresh, leave),
		cmocka_unit_test_setup_teardown(machine_and_networks, fresh, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
