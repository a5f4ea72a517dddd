/* bulkhead.conf: what a good one becomes, and what is said of a bad one. */
#include "config_text.h"

#define GUEST  "[guest g]\nkernel = k\nmemory = 64M\n"
#define NATIVE "[native n]\nprogram = p\n"

static void test_all_keys(void **state)
{
	const struct config_partition *guest = &config.partition[0];
	const struct config_partition *native = &config.partition[1];

	(void)state;
	assert_int_equal(parse("# comment\n[machine]\nservices-cpu = 1\nservices-weight = 50\n"
			       "slice = 500us # short\npanic = reset\n"
			       "[guest linux1]\nkernel = k/vmlinuz\ninitrd = i\n"
			       "command-line = a=b  c # d \nmemory = 1G\ncpus = dedicated 2 3\n"
			       "restart = on-failure 3\nautostart = no\ngrants = inspect ping, machine\n"
			       "[native ping]\nprogram = ping.elf\narguments =\nmemory=4M\n"
			       "cpus = shared 1 1\nweight = 7\ncap = 50 %\nrestart = always\n"
			       "grants = control linux1,ports 0x2f8-0x2ff, irq 3 , image d/t.bin\n"
			       "[native pong]\nprogram = p\n"
			       "[channel pipe]\nbetween = pong , ping\nsize = 128K\n"),
			 0);
	assert_string_equal(told, "");
	assert_int_equal(config.machine.services_cpu, 1);
	assert_int_equal(config.machine.services_weight, 50);
	assert_int_equal(config.machine.slice_microseconds, 500);
	assert_int_equal(config.machine.panic, CONFIG_PANIC_RESET);
	assert_int_equal(config.partitions, 3);
	assert_string_equal(guest->name, "linux1");
	assert_int_equal(guest->kind, BH_KIND_GUEST);
	assert_int_equal(guest->line, 7);
	assert_string_equal(guest->image, "k/vmlinuz");
	assert_string_equal(guest->initrd, "i");
	assert_string_equal(guest->command, "a=b  c # d");
	assert_int_equal(guest->memory_bytes, 1u << 30);
	assert_int_equal(guest->memory_line, 11);
	assert_int_equal(guest->vcpus, 2);
	assert_int_equal(guest->cpu[1], 3);
	assert_true(guest->dedicated);
	assert_int_equal(guest->restart, CONFIG_RESTART_ON_FAILURE);
	assert_int_equal(guest->restart_limit, 3);
	assert_false(guest->autostart);
	assert_int_equal(guest->grants, 2);
	assert_int_equal(guest->grant[0].type, CONFIG_GRANT_INSPECT);
	assert_int_equal(guest->grant[0].partition, 1);
	assert_int_equal(guest->grant[1].type, CONFIG_GRANT_MACHINE);
	assert_int_equal(native->kind, BH_KIND_NATIVE);
	assert_int_equal(native->memory_bytes, 4u << 20);
	assert_int_equal(native->vcpus, 2);
	assert_int_equal(native->weight, 7);
	assert_int_equal(native->cap_percent, 50);
	assert_int_equal(native->restart_limit, UINT32_MAX);
	assert_int_equal(native->grants, 4);
	assert_int_equal(native->grant[1].first, 0x2f8);
	assert_int_equal(native->grant[1].last, 0x2ff);
	assert_int_equal(native->grant[2].first, 3);
	assert_string_equal(native->grant[3].path, "d/t.bin");
	assert_int_equal(config.channels, 1);
	assert_int_equal(config.channel[0].end[0], 2);
	assert_int_equal(config.channel[0].end[1], 1);
	assert_int_equal(config.channel[0].bytes, 128 << 10);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse("[machine]\nservices-cpu = 3\n" GUEST NATIVE), 0);
	assert_int_equal(config.machine.services_weight, 200);
	assert_int_equal(config.machine.slice_microseconds, 5000);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(config.partition[i].vcpus, 1);
		assert_int_equal(config.partition[i].cpu[0], 3);
		assert_int_equal(config.partition[i].weight, 100);
		assert_int_equal(config.partition[i].cap_percent, 100);
		assert_int_equal(config.partition[i].restart, CONFIG_RESTART_NEVER);
		assert_true(config.partition[i].autostart);
	}
	assert_int_equal(config.partition[1].memory_bytes, 2u << 20);
}

static void test_shapes_of_text(void **state)
{
	(void)state;
	assert_int_equal(parse("\xef\xbb\xbf[guest g]\r\nkernel = k\r\nmemory = 64M\r\n"), 0);
	assert_string_equal(config.partition[0].image, "k");
	assert_int_equal(parse("[guest g]\nkernel = k\nmemory = 64M"), 0);
	assert_int_equal(config.partition[0].memory_bytes, 64u << 20);
	assert_int_equal(parse("# Gr\xc3\xbc\xc3\x9f"
			       "e\n\n\t" GUEST "# end"),
			 0);
	assert_int_equal(parse("  [ guest  g ]  # x\n\tkernel\t=\tk\nmemory = 64 M"), 0);
}

static void test_keys(void **state)
{
	(void)state;
	one_error(GUEST "memry = 1M\n", "4: unknown key `memry`: did you mean `memory`?");
	one_error(GUEST "colour = 1\n", "the keys of a guest are kernel, initrd, command-line, memory,");
	one_error(GUEST "program = x\n", "4: unknown key `program`");
	one_error(GUEST "kernel = x\n", "4: `kernel` was given in line 2 already");
	one_error("[guest g]\nmemory = 64M\n", "1: a guest needs `kernel`");
	one_error("[guest g]\nkernel = k\n", "1: a guest needs `memory`");
	one_error("[native n]\n", "1: a native needs `program`");
	one_error(GUEST "nonsense\n", "4: `nonsense` is neither");
	one_error(GUEST "= 1\n", "4: there is no key before");
	one_error(GUEST "initrd =\n", "4: `initrd` has no value");
	one_error(GUEST "initrd = # none\n", "4: `initrd` has no value");
	one_error(GUEST "initrd = \xc3\xbc\n", "4: the value of `initrd` has characters that are not ASCII");
	one_error("x = 1\n" GUEST, "1: this stands before the first section");
}

static void test_values(void **state)
{
	(void)state;
	one_error("[guest g]\nkernel = k\nmemory = 128\n", "3: `memory = 128`: a size is a number and K, M or G");
	one_error("[guest g]\nkernel = k\nmemory = 129M\n", "128M or 130M would be");
	one_error("[guest g]\nkernel = k\nmemory = 16M\n", "3: `memory = 16M` is out of range: 32M to 1T");
	one_error("[guest g]\nkernel = k\nmemory = 99999999999999999999G\n", "a size is a number");
	one_error(NATIVE "memory = 2G\n", "3: `memory = 2G` is out of range: 2M to 1G");
	one_error(NATIVE "cpus = 1\n", "3: `cpus` is `shared` or `dedicated`");
	one_error(NATIVE "cpus = shared\n", "3: `cpus` is `shared` or `dedicated`");
	one_error(NATIVE "cpus = shared 256\n", "`256` is not a number from 0 to 255");
	one_error(NATIVE "cpus = shared 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", "16 vCPUs at most");
	one_error(NATIVE "weight = 0\n", "3: `weight`: `0` is not a number from 1 to 10000");
	one_error(NATIVE "cap = 50\n", "3: `cap` is a part of a CPU from 1% to 100%");
	one_error(NATIVE "cap = 101%\n", "1% to 100%");
	one_error(NATIVE "restart = sometimes\n", "3: `restart` is `never`");
	one_error(NATIVE "restart = never 3\n", "3: `restart` is `never`");
	one_error(NATIVE "restart = always x\n", "`x` is not a number");
	one_error(NATIVE "autostart = maybe\n", "3: `autostart` is `yes` or `no`");
	one_error("[machine]\nslice = 5\n", "2: `slice` is a time from 100us to 1s");
	one_error("[machine]\nslice = 99us\n", "2: `slice` is a time");
	one_error("[machine]\npanic = stop\n", "2: `panic` is `halt` or `reset`");
	one_error("[native n]\nprogram = a\\b\n", "folders are separated by `/`");
	one_error("[native n]\nprogram = /b\n", "leave out the first `/`");
	one_error("[native n]\nprogram = a/../b\n", "no `..`");
	one_error("[native n]\nprogram = a//b\n", "is empty or ends with a dot");
	one_error("[native n]\nprogram = b/\n", "it ends with `/`");
	one_error("[native n]\nprogram = a*\n", "a file name has none of");
}

static void test_lengths(void **state)
{
	char text[2048] = GUEST "command-line = ";
	size_t head = strlen(text);

	(void)state;
	memset(text + head, 'x', BH_COMMAND_BYTES - 1);
	assert_int_equal(parse(text), 0);
	assert_int_equal(strlen(config.partition[0].command), BH_COMMAND_BYTES - 1);
	strcat(text, "x");
	one_error(text, "4: `command-line` has 1024 characters: 1023 at most");
	strcpy(text, "[native n]\nprogram = ");
	head = strlen(text);
	memset(text + head, 'x', CONFIG_PATH_BYTES);
	text[head + CONFIG_PATH_BYTES] = 0;
	one_error(text, "127 characters at most");
}

static void test_sections(void **state)
{
	(void)state;
	one_error("[disk d]\nx = 1\ny = 2\n", "1: there is no such section");
	one_error("[machine\n", "1: a section begins with `[` and ends with `]`");
	one_error("[\n", "1: a section begins");
	one_error("[]\n", "1: there is no such section");
	one_error("[machine]\n\n[machine]\n", "3: [machine] was opened in line 1 already");
	one_error("[guest]\nkernel = k\nmemory = 64M\n", "1: the name is missing");
	one_error("[guest 1a]\nkernel = k\nmemory = 64M\n", "starts with a letter");
	one_error("[guest console]\nkernel = k\nmemory = 64M\n", "are reserved");
	one_error("[native abcdefghijklmnopqrstuvwxyzabcdef]\nprogram = p\n", "31 characters at most");
	one_error(GUEST "[native g]\nprogram = p\n", "4: the name g is used twice, in line 1 and in line 4");
	assert_int_equal(config.partitions, 1);
	assert_non_null(strstr(config.partition[0].error, "used twice"));
}

static void test_cpu_conflicts(void **state)
{
	(void)state;
	one_error(GUEST "cpus = dedicated 0\n", "4: CPU 0 runs the services");
	one_error(GUEST "cpus = dedicated 1 1\n", "4: CPU 1 is named twice");
	one_error(GUEST "cpus = dedicated 1\n" NATIVE "cpus = dedicated 1\n",
		  "7: CPU 1 cannot be dedicated to n, since g has it dedicated (line 4)");
	assert_string_equal(config.partition[0].error, "");
	assert_non_null(strstr(config.partition[1].error, "line 7: CPU 1 cannot"));
	one_error(GUEST "cpus = dedicated 1\n" NATIVE "cpus = shared 0 1\n",
		  "7: CPU 1 cannot be shared by n, since g has it dedicated (line 4)");
	one_error(GUEST "cpus = shared 1\n" NATIVE "cpus = dedicated 1\n",
		  "7: CPU 1 cannot be dedicated to n, since g has it shared (line 4)");
	one_error(GUEST "cpus = dedicated 1\nweight = 5\n", "4: `weight` and `cap` divide shared CPUs");
	/* The services keep CPU 0, so who wanted it for itself is no obstacle to others. */
	one_error(GUEST "cpus = dedicated 0\n" NATIVE, "4: CPU 0 runs the services");
	assert_string_equal(config.partition[1].error, "");
	assert_int_equal(parse(GUEST "cpus = shared 1 1\n" NATIVE "cpus = shared 1\n"), 0);
}

static void test_grants(void **state)
{
	(void)state;
	one_error(GUEST "grants = control nobody\n", "4: the grant names nobody, which is no partition");
	one_error(GUEST "grants = control g\n", "4: g cannot be granted itself");
	one_error(GUEST "grants = control\n", "followed by the name of a partition");
	one_error(GUEST "grants = ports 1-2\n", "only a native can be granted `ports`");
	one_error(GUEST "grants = fly\n", "there is no grant `fly`");
	one_error(GUEST "grants = machine 1\n", "`machine` takes nothing behind it");
	one_error(NATIVE "grants = ports 2-1\n", "the first and the last port");
	one_error(NATIVE "grants = ports 0-0x10000\n", "the first and the last port");
	one_error(NATIVE "grants = irq 16\n", "`16` is not a number from 0 to 15");
	one_error(NATIVE "grants = irq 2\n", "no device has it");
	one_error(NATIVE "grants = irq 4\n", "interrupt 4 is the console's");
	one_error(NATIVE "grants = ports 0x3ff\n", "ports 0x3f8-0x3ff are the machine's own");
	one_error(NATIVE "grants = ports 0-0xffff\n", "ports 0x20-0x21 are the machine's own");
	one_error(NATIVE "grants = image\n", "`image` is followed by a file");
	one_error(NATIVE "grants = ports 0x30-0x40\n[native m]\nprogram = p\ngrants = ports 0x40\n",
		  "6: ports 0x40-0x40 overlap ports 0x30-0x40, which n is granted in line 3");
	assert_string_equal(config.partition[0].error, "");
	one_error(NATIVE "grants = irq 3\n[native m]\nprogram = p\ngrants = irq 3\n",
		  "6: irq 3 is granted to n already, in line 3");
	one_error(NATIVE "grants = machine,machine,machine,machine,machine,machine,machine,machine,"
			 "machine,machine,machine,machine,machine,machine,machine,machine,machine\n",
		  "too many grants: 16 at most");
}

static void test_channels(void **state)
{
	const char *two = "[native a]\nprogram = p\n[native b]\nprogram = p\n[channel c]\n";
	char text[256];

	(void)state;
	snprintf(text, sizeof(text), "%sbetween = a, b\nsize = 1K\n", two);
	one_error(text, "7: `size = 1K` is out of range: 4K to 16M");
	assert_int_equal(config.channels, 0);
	assert_non_null(strstr(config.partition[1].error, "its channel c has an error"));
	snprintf(text, sizeof(text), "%sbetween = a\n", two);
	one_error(text, "6: `between` is the names of two natives");
	snprintf(text, sizeof(text), "%sbetween = a, a\n", two);
	one_error(text, "6: the channel joins a with itself");
	snprintf(text, sizeof(text), "%sbetween = a, x\n", two);
	one_error(text, "6: the channel joins x, which is no partition");
	one_error(GUEST NATIVE "[channel c]\nbetween = g, n\n", "7: the channel joins g, which is a guest");
	one_error(two, "5: a channel needs `between`");
	snprintf(text, sizeof(text), "%sbetween = a, b\n[channel c]\nbetween = b, a\n", two);
	one_error(text, "7: the channel c is there twice, in line 5 and in line 7");
}

static void test_too_many(void **state)
{
	char text[8192] = "";
	size_t used = 0;

	(void)state;
	for (int i = 0; i <= CONFIG_PARTITIONS; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "[native n%d]\nprogram = p\n", i);
	one_error(text, "65: n32 is one partition too many: 32 at most");
	assert_int_equal(config.partitions, CONFIG_PARTITIONS);
}

static void test_not_a_configuration(void **state)
{
	static char big[CONFIG_TEXT_MAX + 1];

	(void)state;
	one_error("", "0: the file is empty");
	assert_int_equal(config.partitions, 0);
	memset(big, '\n', sizeof(big));
	assert_int_equal(parse_bytes(big, sizeof(big)), 1);
	assert_non_null(strstr(told, "0: the file has 1048577 bytes"));
	assert_int_equal(parse_bytes(big, CONFIG_TEXT_MAX), 0);
	for (size_t i = 0; i < 65536; i++)
		big[i] = (char)(i % 7 ? i * 31 % 11 : '\n');
	assert_int_equal(parse_bytes(big, 65536), 1);
	assert_non_null(strstr(told, "this is not text"));
	/* The lines of it that happen to be text are told once as well. */
	one_error("a\nb = 1\n" GUEST, "1: this stands before the first section");
	assert_int_equal(parse_bytes("\xff\xfe[\0m\0", 6), 1);
	assert_non_null(strstr(told, "UTF-16"));
	assert_int_equal(parse_bytes(GUEST "command-line = a\0b\n", sizeof(GUEST) + 18), 1);
	assert_non_null(strstr(told, "4: this is not text"));
	assert_non_null(strstr(config.partition[0].error, "line 4"));
}

/* A thousand errors: fifty are told, by order of line, and the rest counted. */
static void test_many_errors(void **state)
{
	char *text = malloc(20000);
	unsigned lines = 0;

	(void)state;
	strcpy(text, NATIVE);
	for (int i = 0; i < 1000; i++)
		strcat(text, "x = 1\n");
	assert_int_equal(parse(text), 1000);
	for (const char *at = told; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 51);
	assert_non_null(strstr(told, "and 950 more errors"));
	assert_int_equal(parse(GUEST "cpus = dedicated 0\nbad\n"), 2);
	assert_true(strstr(told, "4: ") < strstr(told, "5: "));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_keys),       cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_shapes_of_text), cmocka_unit_test(test_keys),
		cmocka_unit_test(test_values),	       cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_sections),       cmocka_unit_test(test_cpu_conflicts),
		cmocka_unit_test(test_grants),	       cmocka_unit_test(test_channels),
		cmocka_unit_test(test_too_many),       cmocka_unit_test(test_not_a_configuration),
		cmocka_unit_test(test_many_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
