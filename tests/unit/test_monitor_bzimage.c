/* test_monitor_bzimage.c: which kernel images are refused, with what reason, and where the others go. */
#include "monitor_host.h"
#include "bzimage_sample.h"
#include "guests/monitor/bzimage.h"

#define MIB (1ull << 20)

static uint8_t file[SAMPLE_BYTES];
static struct bzimage image;
static struct bzimage_plan plan;
static char reason[BZIMAGE_REASON_BYTES];

static int setup(void **state)
{
	(void)state;
	host_reset();
	sample_bzimage(file);
	memset(reason, 0, sizeof(reason));
	return 0;
}

/* A copy of exactly `bytes`, so that the sanitizer sees what is read behind them. */
static bool parse(uint64_t bytes)
{
	uint8_t *copy = malloc(bytes ? bytes : 1);

	memcpy(copy, file, bytes);
	bool ok = bzimage_parse(copy, bytes, &image, reason);

	free(copy);
	return ok;
}

static void assert_refused(const char *words)
{
	assert_false(parse(SAMPLE_BYTES));
	if (!strstr(reason, words))
		fail_msg("\"%s\" does not say \"%s\"", reason, words);
	sample_bzimage(file);
}

static bool place(uint64_t memory, uint64_t initrd)
{
	assert_true(parse(SAMPLE_BYTES));
	return bzimage_place(&image, memory, initrd, 100, &plan, reason);
}

static void test_good(void **state)
{
	(void)state;
	assert_true(parse(SAMPLE_BYTES));
	assert_int_equal(image.header_bytes, 0x26c - 0x1f1);
	assert_int_equal(image.payload, SAMPLE_SETUP);
	assert_int_equal(image.payload_bytes, SAMPLE_PAYLOAD);
	assert_int_equal(image.preferred, 16 * MIB);
	assert_int_equal(image.init_size, 8 * MIB);
	sample_put(file, 0x1f1, 0, 1); /* means 4 sectors: then the file is too short */
	assert_refused("truncated");
}

static void test_truncated(void **state)
{
	(void)state;
	for (uint64_t bytes = 0; bytes < SAMPLE_BYTES; bytes++) {
		assert_false(parse(bytes));
		assert_non_null(strstr(reason, bytes < 0x264 ? "not a Linux kernel" : "truncated"));
	}
	assert_true(parse(SAMPLE_BYTES));
}

static void test_not_a_kernel(void **state)
{
	(void)state;
	memset(file, 0, sizeof(file));
	assert_refused("not a Linux kernel");
	memcpy(file, "\177ELF", 4);
	memset(file + 0x1f0, 0xff, 0x100);
	assert_refused("not a Linux kernel");
	sample_put(file, 0x206, 0x020b, 2);
	assert_refused("protocol 2.11 is too old");
	sample_put(file, 0x211, 0, 1);
	assert_refused("zImage");
	sample_put(file, 0x236, 0x003e, 2);
	assert_refused("no 64-bit entry");
}

static void test_absurd(void **state)
{
	(void)state;
	sample_put(file, 0x201, 0x10, 1);
	assert_refused("it ends at 0x212");
	sample_put(file, 0x201, 0xff, 1);
	assert_refused("it ends at 0x301");
	sample_put(file, 0x1f4, 0, 4);
	assert_refused("a kernel of 0 bytes");
	sample_put(file, 0x1f4, 0xffffffff, 4);
	assert_refused("truncated");
	sample_put(file, 0x260, 100, 4);
	assert_refused("init_size 0x64");
	sample_put(file, 0x230, 0, 4);
	assert_refused("kernel_alignment 0");
	sample_put(file, 0x230, 0x300000, 4);
	assert_refused("kernel_alignment 0x300000");
	sample_put(file, 0x258, 0, 8);
	assert_refused("pref_address 0");
	sample_put(file, 0x258, UINT64_MAX - 4095, 8);
	assert_refused("pref_address 0xfffffffffffff000");
	sample_put(file, 0x258, 0x1000001, 8);
	assert_refused("pref_address 0x1000001");
}

static void test_place(void **state)
{
	(void)state;
	assert_true(place(64 * MIB, 0));
	assert_int_equal(plan.load, 16 * MIB);
	assert_int_equal(plan.initrd, 0);
	assert_true(place(64 * MIB, 5000));
	assert_int_equal(plan.initrd, 64 * MIB - 8192);
	sample_put(file, 0x22c, 0x2ffffff, 4); /* initrd_addr_max: 48 MiB - 1 */
	assert_true(place(64 * MIB, 4096));
	assert_int_equal(plan.initrd, 48 * MIB - 4096);
}

/* It would move itself up again, relocatable or not. */
static void test_never_lower(void **state)
{
	(void)state;
	for (unsigned relocatable = 0; relocatable < 2; relocatable++) {
		sample_put(file, 0x234, relocatable, 1);
		assert_false(place(20 * MIB, 0));
		assert_non_null(strstr(reason, "24 MiB would do"));
		assert_true(place(24 * MIB, 0));
		assert_int_equal(plan.load, 16 * MIB);
		assert_false(place(26 * MIB, 4 * MIB));
	}
}

static void test_too_small(void **state)
{
	(void)state;
	assert_false(place(8 * MIB, 0));
	assert_non_null(strstr(reason, "8 MiB of memory are too little: the kernel needs 8 MiB"));
	assert_non_null(strstr(reason, "24 MiB would do"));
	assert_false(place(0, 0));
	assert_false(place(12 * MIB, 100 * MIB));
	assert_non_null(strstr(reason, "the initrd has 100 MiB; 124 MiB would do"));
	assert_false(place(64 * MIB, UINT64_MAX / 2));
	sample_put(file, 0x22c, 0, 4); /* an initrd nowhere */
	assert_false(place(64 * MIB, 4096));
	assert_non_null(strstr(reason, "only below 0x1"));
	sample_put(file, 0x260, 0xffffffff, 4);
	assert_false(place(3072 * MIB, 0));
	assert_true(parse(SAMPLE_BYTES));
	assert_false(bzimage_place(&image, 64 * MIB, 0, 2048, &plan, reason));
	assert_non_null(strstr(reason, "command line has 2048 bytes, this kernel takes 2047"));
}

/* What "would do" must do. */
static void test_advice(void **state)
{
	(void)state;
	for (uint64_t initrd = 0; initrd < 40 * MIB; initrd += 3 * MIB + 4000) {
		unsigned long advice = 0;

		if (place(4 * MIB, initrd))
			continue;
		const char *words = strstr(reason, "; ");

		assert_non_null(words);
		assert_int_equal(sscanf(words, "; %lu MiB would do", &advice), 1);
		assert_true(place(advice * MIB, initrd));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good, setup),	  cmocka_unit_test_setup(test_truncated, setup),
		cmocka_unit_test_setup(test_not_a_kernel, setup), cmocka_unit_test_setup(test_absurd, setup),
		cmocka_unit_test_setup(test_place, setup),	  cmocka_unit_test_setup(test_never_lower, setup),
		cmocka_unit_test_setup(test_too_small, setup),	  cmocka_unit_test_setup(test_advice, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
