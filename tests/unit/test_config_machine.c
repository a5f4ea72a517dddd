/* A configuration against a machine, and against the files that are there. */
#include "config_text.h"
#include "boot/config_files.h"
#include "boot/config_machine.h"

#define MIB (1ull << 20)

static struct config_file files[CONFIG_FILES];

static uint32_t check(uint32_t cpus, uint64_t memory)
{
	struct config_facts facts = { cpus, true, memory, 4 * MIB, 2 * MIB };

	told[0] = 0;
	return config_machine_check(&config, &facts, report, NULL);
}

#define TWO                                                            \
	"[guest a]\nkernel = k\nmemory = 100M\ncpus = dedicated 2 3\n" \
	"[native b]\nprogram = p\nmemory = 50M\ncpus = shared 1\n"

static void test_fits_exactly(void **state)
{
	(void)state;
	no_error(TWO);
	assert_int_equal(check(4, (106 + 52) * MIB), 0);
	assert_string_equal(told, "");
}

static void test_memory(void **state)
{
	(void)state;
	no_error(TWO);
	assert_int_equal(check(4, (106 + 52) * MIB - 1), 1);
	assert_string_equal(told, "7: b: `memory = 50M` does not fit: 48M would (and 2M beside it)\n");
	assert_string_equal(config.partition[0].error, "");
	assert_non_null(strstr(config.partition[1].error, "line 7: b: `memory = 50M`"));
	/* What has failed takes nothing, so the later one fits in place of it. */
	no_error(TWO);
	assert_int_equal(check(4, 60 * MIB), 1);
	assert_non_null(strstr(config.partition[0].error, "54M would (and 6M beside it)"));
	assert_string_equal(config.partition[1].error, "");
	no_error(TWO);
	assert_int_equal(check(4, 0), 2);
	assert_non_null(strstr(told, "no memory is left"));
}

static void test_cpus(void **state)
{
	(void)state;
	no_error(TWO);
	assert_int_equal(check(3, 512 * MIB), 1);
	assert_string_equal(told, "4: a wants CPU 3: the machine has CPUs 0 to 2\n");
	no_error(TWO);
	assert_int_equal(check(1, 512 * MIB), 2);
	no_error("[machine]\nservices-cpu = 5\n[native b]\nprogram = p\ncpus = dedicated 0\n");
	assert_int_equal(check(2, 512 * MIB), 2);
	assert_int_equal(config.machine.services_cpu, 0);
	assert_non_null(strstr(told, "`services-cpu = 5` is not there: the machine has CPUs 0 to 1"));
	assert_non_null(strstr(told, "5: CPU 0 runs the services"));
	no_error(TWO);
	assert_int_equal(check(0, 512 * MIB), 0);
}

static void test_files(void **state)
{
	(void)state;
	no_error("[guest a]\nkernel = k\ninitrd = i\nmemory = 64M\n[guest b]\nmemory = 64M\nkernel = "
		 "k\n"
		 "[native c]\nprogram = p\ngrants = image i, image p\n");
	assert_int_equal(config_files(&config, files), 3);
	assert_string_equal(files[0].path, "k");
	assert_true(files[0].image && !files[0].program);
	assert_string_equal(files[1].path, "i");
	assert_int_equal(files[1].line, 3);
	assert_string_equal(files[2].path, "p");
	assert_true(files[2].image && files[2].program);
}

static void test_missing_files(void **state)
{
	struct config_file as_program = { "i", 0, false, true };

	(void)state;
	no_error("[guest a]\nkernel = k\ninitrd = i\nmemory = 64M\n[guest b]\nmemory = 64M\nkernel = "
		 "k\n"
		 "[native c]\nprogram = p\ngrants = image i\n");
	config_files(&config, files);
	config_file_fail(&config, &as_program, "no program", report, NULL);
	assert_int_equal(config.errors, 0);
	config_file_fail(&config, &files[0], "not there", report, NULL);
	assert_string_equal(told, "2: a: k: not there\n7: b: k: not there\n");
	assert_int_equal(config.errors, 2);
	assert_string_equal(config.partition[0].error, "line 2: a: k: not there");
	assert_string_equal(config.partition[2].error, "");
	config_file_fail(&config, &files[1], "not there", report, NULL);
	assert_string_equal(config.partition[0].error, "line 2: a: k: not there");
	assert_string_equal(config.partition[2].error, "line 10: c: i: not there");
	assert_int_equal(config.errors, 4);
}

static void test_program_size(void **state)
{
	(void)state;
	no_error("[native a]\nprogram = p\n[native b]\nprogram = p\nmemory = 4M\n[native c]\nprogram "
		 "= q\n");
	config_program_check(&config, "p", 2 * MIB, report, NULL);
	assert_int_equal(config.errors, 0);
	config_program_check(&config, "p", 2 * MIB + 1, report, NULL);
	assert_string_equal(told, "1: a: `memory = 2M` does not hold p: 4M would\n");
	assert_int_equal(config.errors, 1);
}

/* What the networks take comes before all partitions: the service, its channel, and the ports', of which three share a
 * frame. */
static void test_networks(void **state)
{
	static const char *text = "[machine]\nservices-cpu = 3\n[network lan]\nnic = ethernet\n[network b]\n"
				  "[guest a]\nkernel = k\nmemory = 32M\ncpus = shared 1\n"
				  "networks = lan, lan, b, b\n";
	uint64_t need = 2 + 2 * 2 + 8 + 2 + 32 + 6; /* the channel "network", four ports, the service, the guest */

	(void)state;
	no_error(text);
	assert_int_equal(config.partition[config.net].cpu[0], 3);
	assert_int_equal(check(4, need * MIB), 0);
	no_error(text);
	assert_int_equal(check(4, need * MIB - 1), 1);
	assert_string_equal(told, "8: a: `memory = 32M` does not fit: 30M would (and 6M beside it)\n");
	/* The service goes where services go. */
	assert_int_equal(check(2, need * MIB), 1);
	assert_int_equal(config.partition[config.net].cpu[0], 0);
	assert_string_equal(config.partition[config.net].error, "");
	/* Its program is no file of the configuration's. */
	assert_int_equal(config_files(&config, files), 1);
	no_error(text);
	assert_int_equal(check(4, 8 * MIB), 2);
	assert_non_null(strstr(told, "3: net: `memory = 8M` does not fit"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits_exactly),  cmocka_unit_test(test_memory),
		cmocka_unit_test(test_cpus),	      cmocka_unit_test(test_files),
		cmocka_unit_test(test_missing_files), cmocka_unit_test(test_program_size),
		cmocka_unit_test(test_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
