/* test_monitor_virtqueue.c: the device's end of a queue, with drivers that keep the rules and drivers that do not. */
#include "monitor_host.h"
#include "virtio_driver.h"

#define QUEUE 0x10000ull
#define DATA  0x100000ull
#define SIZE  16

static struct virtqueue queue;
static struct driver_queue driver;
static struct virtqueue_segment segment[VIRTQUEUE_SEGMENTS];
static struct virtqueue_chain chain;

static bool enable(bool indirect, bool event_index)
{
	virtqueue_reset(&queue, &driver_memory);
	queue.size = driver.size;
	queue.address[0] = driver.descriptors;
	queue.address[1] = driver.driver;
	queue.address[2] = driver.device;
	return virtqueue_enable(&queue, indirect, event_index);
}

static int setup(void **state)
{
	(void)state;
	host_reset();
	driver_reset();
	driver = driver_queue(QUEUE, SIZE);
	assert_true(enable(true, false));
	return 0;
}

static enum virtqueue_result take(void) { return virtqueue_take(&queue, segment, &chain); }

static void test_chain(void **state)
{
	(void)state;
	uint8_t text[8] = "";
	uint32_t head, bytes;

	assert_int_equal(take(), VIRTQUEUE_EMPTY);
	memcpy(driver_ram + DATA, "abcde", 5);
	memcpy(driver_ram + DATA + 100, "fgh", 3);
	driver_describe(&driver, 3, DATA, 5, DRIVER_NEXT, 7);
	driver_describe(&driver, 7, DATA + 100, 3, DRIVER_NEXT, 2);
	driver_describe(&driver, 2, DATA + 200, 64, DRIVER_WRITE, 0);
	driver_offer(&driver, 3);
	assert_int_equal(take(), VIRTQUEUE_TAKEN);
	assert_int_equal(chain.head, 3);
	assert_int_equal(chain.readable, 2);
	assert_int_equal(chain.writable, 1);
	assert_int_equal(chain.readable_bytes, 8);
	assert_int_equal(chain.writable_bytes, 64);
	assert_ptr_equal(chain.segment[2].at, driver_ram + DATA + 200);
	assert_true(virtqueue_read(&chain, 2, text, 5));
	assert_string_equal(text, "cdefg");
	assert_true(virtqueue_read(&chain, 6, text, 2));
	assert_memory_equal(text, "gh", 2);
	assert_true(virtqueue_read(&chain, 8, text, 0));
	assert_false(virtqueue_read(&chain, 4, text, 5));
	assert_false(virtqueue_read(&chain, UINT32_MAX, text, 5));
	assert_int_equal(take(), VIRTQUEUE_EMPTY);

	virtqueue_push(&queue, chain.head, 17);
	assert_false(driver_take(&driver, &head, &bytes)); /* not before it is published */
	assert_true(virtqueue_publish(&queue));
	assert_true(driver_take(&driver, &head, &bytes));
	assert_int_equal(head, 3);
	assert_int_equal(bytes, 17);
	assert_false(virtqueue_publish(&queue));
}

static void test_put_back(void **state)
{
	(void)state;
	driver_offer_one(&driver, 0, DATA, 10, true);
	driver_offer_one(&driver, 1, DATA, 20, true);
	uint16_t available = queue.available;

	assert_int_equal(take(), VIRTQUEUE_TAKEN);
	assert_int_equal(take(), VIRTQUEUE_TAKEN);
	virtqueue_put_back(&queue, available);
	assert_int_equal(take(), VIRTQUEUE_TAKEN);
	assert_int_equal(chain.writable_bytes, 10);
}

static void test_flags(void **state)
{
	(void)state;
	uint64_t flags = driver.device;

	assert_int_equal(driver_get16(flags), 0);
	driver_offer_one(&driver, 0, DATA, 10, true);
	assert_int_equal(take(), VIRTQUEUE_TAKEN);
	assert_int_equal(driver_get16(flags), 1); /* busy: no notifications */
	assert_true(virtqueue_listen(&queue));
	assert_int_equal(driver_get16(flags), 0);
	driver_offer_one(&driver, 1, DATA, 10, true);
	assert_false(virtqueue_listen(&queue)); /* it came in between */
	driver_put16(driver.driver, 1);		/* no interrupts */
	virtqueue_push(&queue, 0, 0);
	assert_false(virtqueue_publish(&queue));
	driver_put16(driver.driver, 0);
	virtqueue_push(&queue, 1, 0);
	assert_true(virtqueue_publish(&queue));
}

/* All 65536 values of the indices, and more. */
static void test_event_index(void **state)
{
	(void)state;
	uint32_t head, bytes;

	assert_true(enable(true, true));
	for (unsigned i = 0; i < 70000; i++) {
		driver_set_used_event(&driver, (uint16_t)(i | 1));
		driver_offer_one(&driver, (uint16_t)(i % SIZE), DATA, 10, true);
		assert_int_equal(take(), VIRTQUEUE_TAKEN);
		assert_true(virtqueue_listen(&queue));
		assert_int_equal(driver_avail_event(&driver), (uint16_t)(i + 1));
		virtqueue_push(&queue, chain.head, 10);
		assert_int_equal(virtqueue_publish(&queue), i & 1);
		assert_true(driver_take(&driver, &head, &bytes));
		assert_int_equal(head, i % SIZE);
	}
	assert_int_equal(driver_get16(driver.device), 0); /* the flag is not used */
	/* one interrupt for many, if the index that was named is among them */
	driver_set_used_event(&driver, (uint16_t)(queue.used + 2));
	for (unsigned i = 0; i < 4; i++)
		virtqueue_push(&queue, 0, 0);
	assert_true(virtqueue_publish(&queue));
	driver_set_used_event(&driver, (uint16_t)(queue.used + 4));
	for (unsigned i = 0; i < 4; i++)
		virtqueue_push(&queue, 0, 0);
	assert_false(virtqueue_publish(&queue));
}

static void test_indirect(void **state)
{
	(void)state;
	struct driver_queue table = { .descriptors = DATA + 0x1008 }; /* need not be aligned */

	/* a direct one first, then the table (2.6.5.3.2) */
	driver_describe(&driver, 0, DATA, 12, DRIVER_NEXT, 1);
	driver_describe(&driver, 1, table.descriptors, 4 * 16, DRIVER_INDIRECT, 0);
	driver_describe(&table, 0, DATA + 100, 5, DRIVER_NEXT, 3);
	driver_describe(&table, 3, DATA + 200, 6, DRIVER_NEXT | DRIVER_WRITE, 1);
	driver_describe(&table, 1, DATA + 300, 7, DRIVER_WRITE, 0);
	driver_offer(&driver, 0);
	assert_int_equal(take(), VIRTQUEUE_TAKEN);
	assert_int_equal(chain.head, 0);
	assert_int_equal(chain.readable, 2);
	assert_int_equal(chain.writable, 2);
	assert_int_equal(chain.readable_bytes, 17);
	assert_int_equal(chain.writable_bytes, 13);
}

/* ---- drivers that break rules ---------------------------------------------------------------------------- */

static void assert_broken(const char *words)
{
	assert_int_equal(take(), VIRTQUEUE_BROKEN);
	if (!strstr(queue.broken, words))
		fail_msg("\"%s\" does not say \"%s\"", queue.broken, words);
	assert_int_equal(take(), VIRTQUEUE_BROKEN); /* for good */
	memset(driver_ram, 0, DRIVER_RAM);
	driver = driver_queue(QUEUE, SIZE);
	assert_true(enable(true, false));
}

static void test_hostile_chains(void **state)
{
	(void)state;
	driver_offer(&driver, SIZE);
	assert_broken("number is too large");

	driver_describe(&driver, 0, DATA, 1, DRIVER_NEXT, SIZE);
	driver_offer(&driver, 0);
	assert_broken("number is too large");

	driver_describe(&driver, 0, DATA, 1, DRIVER_NEXT, 1);
	driver_describe(&driver, 1, DATA, 1, DRIVER_NEXT, 0);
	driver_offer(&driver, 0);
	assert_broken("loop");

	driver_offer_one(&driver, 0, DATA, 0, true);
	assert_broken("no bytes");

	driver_describe(&driver, 0, DATA, 1, DRIVER_NEXT | DRIVER_WRITE, 1);
	driver_describe(&driver, 1, DATA, 1, 0, 0);
	driver_offer(&driver, 0);
	assert_broken("behind one to write");

	driver_put16(driver.driver + 2, SIZE + 1);
	assert_broken("too far ahead");
	driver_put16(driver.driver + 2, 0xffff);
	assert_broken("too far ahead");
}

static void test_hostile_addresses(void **state)
{
	static const struct {
		uint64_t address;
		uint32_t bytes;
	} wild[] = { { DRIVER_RAM, 1 },	      { DRIVER_RAM - 1, 2 }, { 0xc0000000, 64 },     { UINT64_MAX, 1 },
		     { UINT64_MAX - 4, 100 }, { 0, DRIVER_RAM + 1 }, { 0, UINT32_MAX },	     { 1ull << 32, 4 },
		     { 1ull << 63, 4 },	      { 0xfee00000, 4 },     { DRIVER_RAM - 16, 17 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		driver_offer_one(&driver, 0, wild[i].address, wild[i].bytes, i & 1);
		assert_broken("a buffer is not in memory");
		driver_describe(&driver, 0, wild[i].address, wild[i].bytes & ~15u ? wild[i].bytes & ~15u : 16,
				DRIVER_INDIRECT, 0);
		driver_offer(&driver, 0);
		if (i != 1 && i != 5 && i != 10) /* these are inside when they are rounded */
			assert_broken("an indirect table is not in memory");
		else
			take();
		setup(NULL);
	}
}

static void test_hostile_indirect(void **state)
{
	(void)state;
	struct driver_queue table = { .descriptors = DATA };

	driver_describe(&driver, 0, DATA, 16, DRIVER_INDIRECT, 0);
	driver_describe(&table, 0, DATA + 32, 16, DRIVER_INDIRECT, 0);
	driver_offer(&driver, 0);
	assert_broken("holds an indirect");

	driver_describe(&driver, 0, DATA, 16, DRIVER_INDIRECT | DRIVER_NEXT, 1);
	driver_offer(&driver, 0);
	assert_broken("has a next");

	driver_describe(&driver, 0, DATA, 24, DRIVER_INDIRECT, 0);
	driver_offer(&driver, 0);
	assert_broken("multiple of 16");

	driver_describe(&driver, 0, DATA, 0, DRIVER_INDIRECT, 0);
	driver_offer(&driver, 0);
	assert_broken("table is not in memory");

	driver_describe(&driver, 0, DATA, 32, DRIVER_INDIRECT, 0);
	driver_describe(&table, 0, DATA, 1, DRIVER_NEXT, 2);
	driver_offer(&driver, 0);
	assert_broken("number is too large");

	driver_describe(&driver, 0, DATA, 32, DRIVER_INDIRECT, 0);
	driver_describe(&table, 0, DATA, 1, DRIVER_NEXT, 1);
	driver_describe(&table, 1, DATA, 1, DRIVER_NEXT, 0);
	driver_offer(&driver, 0);
	assert_broken("loop");

	driver_describe(&driver, 0, DATA, 16 * (VIRTQUEUE_SEGMENTS + 1), DRIVER_INDIRECT, 0);
	for (unsigned i = 0; i <= VIRTQUEUE_SEGMENTS; i++)
		driver_describe(&table, i, DATA, 1, DRIVER_NEXT, (uint16_t)(i + 1));
	driver_offer(&driver, 0);
	assert_broken("too long");

	assert_true(enable(false, false));
	driver_describe(&driver, 0, DATA, 16, DRIVER_INDIRECT, 0);
	driver_offer(&driver, 0);
	assert_broken("not negotiated");
}

/* 4 GiB in pieces that are each in memory: the length does not wrap around. */
static void test_hostile_length(void **state)
{
	(void)state;
	static struct driver_queue table = { .descriptors = DATA };
	static uint8_t *big;
	uint64_t bytes = 1ull << 25;

	big = malloc(bytes);
	memcpy(big, driver_ram, DRIVER_RAM);
	free(driver_ram);
	driver_ram = big;
	guest_memory_init(&driver_memory, big, bytes);
	assert_true(enable(true, false));
	driver_describe(&driver, 0, DATA, 16 * 130, DRIVER_INDIRECT, 0);
	for (unsigned i = 0; i < 130; i++)
		driver_describe(&table, i, 0, (uint32_t)bytes, DRIVER_NEXT, (uint16_t)(i + 1));
	driver_offer(&driver, 0);
	assert_int_equal(take(), VIRTQUEUE_BROKEN);
	assert_non_null(strstr(queue.broken, "4 GiB"));
}

static void test_enable(void **state)
{
	(void)state;
	static const uint64_t bad[][3] = { { 8, 0x2000, 0x3000 },	   { 0, 0x2001, 0x3000 },
					   { 0, 0x2000, 0x3002 },	   { DRIVER_RAM, 0x2000, 0x3000 },
					   { 0, DRIVER_RAM - 8, 0x3000 },  { 0, 0x2000, UINT64_MAX - 3 },
					   { 0, 0x2000, DRIVER_RAM - 132 } };

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		driver = (struct driver_queue){ SIZE, 0, 0, bad[i][0], bad[i][1], bad[i][2] };
		assert_false(enable(true, true));
		assert_false(queue.enabled);
		assert_non_null(strstr(queue.broken, "rings"));
		assert_int_equal(take(), VIRTQUEUE_BROKEN);
	}
	driver = (struct driver_queue){ SIZE, 0, 0, 0, 0x2000, DRIVER_RAM - 136 };
	assert_true(enable(true, true));
	for (unsigned i = 0; i < 2 * SIZE; i++)
		virtqueue_push(&queue, 1, 2);
	virtqueue_publish(&queue);
	virtqueue_listen(&queue);
}

/* Anything at all in the rings: never outside of RAM, which the sanitizer watches. */
static void test_noise(void **state)
{
	(void)state;
	unsigned taken = 0;

	srand(1);
	for (unsigned i = 0; i < 20000; i++) {
		for (unsigned j = 0; j < SIZE; j++)
			driver_describe(&driver, j, (uint64_t)(rand() % 64) * (DRIVER_RAM / 63),
					(uint32_t)rand() % 0x9000, (uint16_t)(rand() % 12 ? rand() % 3 : rand()),
					(uint16_t)(rand() % (SIZE + 1)));
		for (unsigned j = 0; j < 0x20; j++)
			driver_put16(driver.driver + 4 + 2 * j, (uint16_t)(rand() % (SIZE + 1)));
		driver_put16(driver.driver + 2, (uint16_t)(rand() % SIZE + 1));
		assert_true(enable(i & 1, i & 2));
		while (take() == VIRTQUEUE_TAKEN) {
			taken++;
			for (unsigned j = 0; j < (unsigned)chain.readable + chain.writable; j++)
				assert_true(chain.segment[j].at >= driver_ram && chain.segment[j].bytes <= DRIVER_RAM &&
					    chain.segment[j].at + chain.segment[j].bytes <= driver_ram + DRIVER_RAM);
			virtqueue_push(&queue, chain.head, 0);
		}
		virtqueue_publish(&queue);
		virtqueue_listen(&queue);
	}
	assert_true(taken > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_chain, setup),
		cmocka_unit_test_setup(test_put_back, setup),
		cmocka_unit_test_setup(test_flags, setup),
		cmocka_unit_test_setup(test_event_index, setup),
		cmocka_unit_test_setup(test_indirect, setup),
		cmocka_unit_test_setup(test_hostile_chains, setup),
		cmocka_unit_test_setup(test_hostile_addresses, setup),
		cmocka_unit_test_setup(test_hostile_indirect, setup),
		cmocka_unit_test_setup(test_hostile_length, setup),
		cmocka_unit_test_setup(test_enable, setup),
		cmocka_unit_test_setup(test_noise, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
