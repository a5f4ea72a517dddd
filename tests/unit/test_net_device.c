/* The access layer that a NIC's driver gets, over hypercalls that are the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "guests/lib/bh.h"
#include "guests/net/device.h"

#define HANDLE 77u

static uint64_t registers[512] __attribute__((aligned(4096)));
static const struct bh_info_handle handle = { .name = "lan", .type = BH_HANDLE_DEVICE, .handle = HANDLE };
static struct bh_info info = { .tsc_hz = 1000000000 };
static uint64_t last[5], now_ticks, allocated, aligned;
static int64_t answer;
static unsigned waits;
static char logged[256];

static int64_t stat_of(uint64_t stat, uint64_t index)
{
	switch (stat) {
	case BH_DEVICE_IOMMU: return 1;
	case BH_DEVICE_IRQS: return 3;
	case BH_DEVICE_IRQ_KIND: return BH_DEVICE_IRQ_MSIX;
	case BH_DEVICE_BAR_ADDRESS: return index == 2 ? (int64_t)(uintptr_t)registers : 0;
	case BH_DEVICE_BAR_BYTES: return index == 2 ? (int64_t)sizeof(registers) : 0;
	default: return -BH_EINVAL;
	}
}

int64_t bh_call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	uint64_t words[6] = { a, b, c, d, e, 0 };

	if (number == BH_WAIT) {
		waits++;
		now_ticks = waits > 2 ? b : now_ticks; /* the first ones end early */
		return 0;
	}
	if (number == BH_LOG) {
		strncat(logged, (const char *)words, 40);
		strcat(logged, "|");
		return 0;
	}
	assert_int_equal(a, HANDLE);
	if (number == BH_DEVICE_STAT)
		return stat_of(b, c);
	memcpy(last, (uint64_t[]){ number, b, c, d, 0 }, sizeof(last));
	return answer;
}

const struct bh_info *bh_info(void) { return &info; }

uint64_t bh_rdtsc(void) { return now_ticks; }

unsigned bh_vcpu(void) { return 0; }

bool bh_map(uint64_t gpa, uint64_t bytes) { return gpa == (uintptr_t)registers && bytes == sizeof(registers); }

void *bh_alloc(size_t bytes, size_t align)
{
	allocated = bytes;
	aligned = align;
	return registers;
}

static struct device device;
static struct nic_access access;

static int setup(void **state)
{
	(void)state;
	answer = 0;
	device_open(&device, &handle, 35, &access);
	return 0;
}

static void finds_what_there_is(void **state)
{
	(void)state;
	assert_true(access.iommu);
	assert_int_equal(access.irqs, 3);
	assert_int_equal(access.irq_kind, BH_DEVICE_IRQ_MSIX);
	assert_int_equal(access.bar_bytes[2], sizeof(registers));
	assert_int_equal(access.bar_bytes[0], 0);
	assert_int_equal(access.ticks_per_ms, 1000000);
	assert_int_equal(device_stat(&device, BH_DEVICE_ID, 0), 0);
}

static void registers_of_all_sizes(void **state)
{
	(void)state;
	for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
		uint64_t value = 0x8877665544332211ull, mask = bytes == 8 ? UINT64_MAX : (1ull << 8 * bytes) - 1;

		memset(registers, 0xee, sizeof(registers));
		access.write(access.context, 2, 64, bytes, value);
		assert_int_equal(registers[8], (0xeeeeeeeeeeeeeeeeull & ~mask) | (value & mask));
		assert_int_equal(access.read(access.context, 2, 64, bytes), value & mask);
	}
}

static void passes_on_and_says_no(void **state)
{
	(void)state;
	access.config_write(access.context, 0x44, 2, 0x1234);
	assert_memory_equal(last, ((uint64_t[]){ BH_DEVICE_WRITE, 0x44, 2, 0x1234 }), 32);
	answer = 0xffff0000;
	assert_int_equal(access.config_read(access.context, 0x44, 4), 0xffff0000);
	assert_int_equal(access.dma(access.context, (void *)0x5000), 0xffff0000);
	assert_int_equal(last[1], 0x5000);
	answer = 0;
	assert_true(access.master(access.context, true));
	assert_true(access.bind_irq(access.context, 1));
	assert_memory_equal(last, ((uint64_t[]){ BH_DEVICE_IRQ_BIND, 1, 0, 35 }), 32);
	answer = -BH_EINVAL;
	assert_int_equal(access.config_read(access.context, 0x44, 4), UINT32_MAX);
	assert_true(access.dma(access.context, (void *)0x5000) == NIC_NO_DMA);
	assert_false(access.master(access.context, true));
	assert_false(access.bind_irq(access.context, 1));
}

/* Memory that crosses no multiple of 2 MiB. */
static void memory_in_one_piece(void **state)
{
	(void)state;
	for (size_t bytes = 1; bytes <= 2u << 20; bytes = bytes * 3 + 7) {
		assert_ptr_equal(access.allocate(access.context, bytes, 4096), registers);
		assert_int_equal(allocated, bytes);
		assert_true(aligned >= bytes && aligned >= 4096 && aligned <= 2u << 20);
		assert_int_equal(aligned & (aligned - 1), 0);
	}
}

static void pauses_and_talks(void **state)
{
	(void)state;
	waits = 0;
	now_ticks = 500;
	access.pause(access.context, 10);
	assert_int_equal(now_ticks, 10500);
	assert_int_equal(waits, 3);
	assert_int_equal(access.now(access.context), 10500);
	access.say(access.context, "link %s", "up");
	assert_string_equal(logged, "lan: link up|");
}

/* A line of the log has 40 bytes. */
static void breaks_lines_between_words(void **state)
{
	static const char *const lines[][2] = {
		{ "0123456789 0123456789 0123456789 01234567\n", "0123456789 0123456789 0123456789 |01234567|" },
		{ "0123456789 0123456789 0123456789 0123456\n", "0123456789 0123456789 0123456789 0123456|" },
		{ "0123456789012345678901234567890123456789abc d\n",
		  "0123456789012345678901234567890123456789|abc d|" },
		{ "a b\n\nc\n", "a b|c|" },
		{ "no end", "no end|" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		logged[0] = 0;
		bh_printf("%s", lines[i][0]);
		assert_string_equal(logged, lines[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_what_there_is, setup),
		cmocka_unit_test_setup(registers_of_all_sizes, setup),
		cmocka_unit_test_setup(passes_on_and_says_no, setup),
		cmocka_unit_test_setup(memory_in_one_piece, setup),
		cmocka_unit_test_setup(pauses_and_talks, setup),
		cmocka_unit_test_setup(breaks_lines_between_words, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
