/* The source itself, so that each test can begin with an empty record. */
#include "kernel/frame.c"
#include "kernel_fakes.h"
#include <stdlib.h>
#include <string.h>
#include "kernel/channel.h"

#define F FRAME_BYTES

static struct boot_info boot;
static struct partition alice = { .id = 1 }, bob = { .id = 2 }, monitor = { .id = 3 };
static struct vcpu guest_vcpu[2];
static struct channel channel, other_channel;
static struct boot_image image, other_image;

static int set_up(void **state)
{
	(void)state;
	fake_machine(1);
	owners = NULL;
	frames = ram_bytes = split_count = 0;
	memset(splits, 0, sizeof(splits));
	memset(&boot, 0, sizeof(boot));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_machine_end();
	return 0;
}

static void range(uint64_t base, uint64_t bytes, enum boot_memory type)
{
	boot.range[boot.ranges++] = (struct boot_range){ .base = base, .bytes = bytes, .type = type };
}

/* The usual one: 4 frames free, the region (4), 2 of images, 22 free. */
static void usual(void)
{
	range(0, 0xa0000, BOOT_MEMORY_FREE);
	range(0x100000, FAKE_REGION - 0x100000, BOOT_MEMORY_FREE);
	range(FAKE_REGION, FAKE_REGION_BYTES, BOOT_MEMORY_KERNEL);
	range(FAKE_REGION + FAKE_REGION_BYTES, 2 * F, BOOT_MEMORY_IMAGE);
	range(FAKE_REGION + FAKE_REGION_BYTES + 2 * F, 22 * F, BOOT_MEMORY_FREE);
	frame_init(&boot);
}

#define IMAGES	  (FAKE_REGION + FAKE_REGION_BYTES)
#define FREE_HIGH (IMAGES + 2 * F)
#define END	  (FREE_HIGH + 22 * F)

/* ---- the record -------------------------------------------------------------------------------- */

static void test_usual(void **state)
{
	(void)state;
	usual();
	assert_int_equal(frame_end(), END);
	assert_int_equal(frame_owner(0), FRAME_FIRMWARE); /* the hole at 0xa0000 */
	assert_int_equal(frame_owner(F), FRAME_FREE);
	assert_int_equal(frame_owner(FAKE_REGION - 1), FRAME_FREE);
	assert_int_equal(frame_owner(FAKE_REGION), FRAME_KERNEL);
	assert_int_equal(frame_owner(IMAGES - 1), FRAME_KERNEL);
	assert_int_equal(frame_owner(IMAGES), FRAME_IMAGE);
	assert_int_equal(frame_owner(END - 1), FRAME_FREE);
	assert_int_equal(frame_owner(END), FRAME_NONE);
	assert_int_equal(frame_owner(UINT64_MAX), FRAME_NONE);
	assert_int_equal(frame_free_bytes(), (15 + 22) * F);
	assert_int_equal(frame_largest(), 22);
	assert_int_equal(frame_ram_bytes(), END - 0x60000);
}

/* What only partly belongs to one kind is nobody's: holes, other kinds, the end in the middle of a frame. */
static void test_partial_frames(void **state)
{
	(void)state;
	range(F, 4 * F + 0x1000, BOOT_MEMORY_FREE);
	range(5 * F + 0x1000, F - 0x1000, BOOT_MEMORY_ACPI);
	range(6 * F, 0x3000, BOOT_MEMORY_RESERVED);
	range(6 * F + 0x3000, 2 * F - 0x3000, BOOT_MEMORY_FREE);
	range(8 * F + 0x5000, 2 * F, BOOT_MEMORY_FREE);
	range(16 * F, F, BOOT_MEMORY_FREE);
	frame_init(&boot);
	assert_int_equal(frame_owner(0), FRAME_NONE);
	assert_int_equal(frame_owner(F), FRAME_FREE);
	assert_int_equal(frame_owner(4 * F), FRAME_FREE);
	assert_int_equal(frame_owner(5 * F), FRAME_FIRMWARE);
	assert_int_equal(frame_owner(6 * F), FRAME_FIRMWARE);
	assert_int_equal(frame_owner(7 * F), FRAME_FREE);
	assert_int_equal(frame_owner(8 * F), FRAME_FIRMWARE);
	assert_int_equal(frame_owner(9 * F), FRAME_FREE);
	assert_int_equal(frame_owner(10 * F), FRAME_FIRMWARE);
	assert_int_equal(frame_owner(11 * F), FRAME_NONE);
	assert_int_equal(frame_owner(16 * F), FRAME_FREE);
	assert_int_equal(frame_free_bytes(), 7 * F);
	assert_int_equal(frame_largest(), 4);
}

/* Device memory far above does not lengthen the record, and is not RAM; its last byte may be the last there is. */
static void test_device_memory(void **state)
{
	(void)state;
	range(F, 8 * F, BOOT_MEMORY_FREE);
	range(0xfee00000, 0x1000, BOOT_MEMORY_MMIO);
	range(1ull << 50, 1ull << 49, BOOT_MEMORY_RESERVED);
	range(-F, F, BOOT_MEMORY_MMIO);
	frame_init(&boot);
	assert_int_equal(frame_end(), 9 * F);
	assert_int_equal(frame_ram_bytes(), 8 * F);
	assert_int_equal(frame_owner(0xfee00000), FRAME_NONE);

	set_up(NULL);
	range(F, F, BOOT_MEMORY_FREE);
	range(2 * F, F, BOOT_MEMORY_MMIO);
	range(3 * F, F, BOOT_MEMORY_FIRMWARE_CODE);
	range(4 * F, F, BOOT_MEMORY_FIRMWARE_DATA);
	range(5 * F, F, BOOT_MEMORY_FREE);
	frame_init(&boot);
	for (unsigned i = 2; i < 5; i++)
		assert_int_equal(frame_owner(i * F), FRAME_FIRMWARE);
	assert_int_equal(frame_free_bytes(), 2 * F);
}

static void test_no_memory_for_the_record(void **state)
{
	(void)state;
	range(0, 1ull << 44, BOOT_MEMORY_FREE);
	EXPECT_PANIC(frame_init(&boot));
	assert_non_null(strstr(fake_panic, "8388608 frames"));
}

/* ---- taking ------------------------------------------------------------------------------------ */

static void test_take_highest_first(void **state)
{
	(void)state;
	usual();
	assert_int_equal(frame_take(1, 1, FRAME_PARTITION), END - F);
	assert_int_equal(frame_owner(END - F), FRAME_PARTITION);
	assert_int_equal(frame_owner(END - 1), FRAME_PARTITION);
	assert_int_equal(frame_owner(END - F - 1), FRAME_FREE);
	assert_int_equal(frame_take(3, 1, FRAME_PARTITION + 1), END - 4 * F);
	assert_int_equal(frame_free_bytes(), (15 + 18) * F);
	assert_int_equal(frame_largest(), 18);
}

static void test_take_aligned(void **state)
{
	uint64_t at;

	(void)state;
	usual();
	at = frame_take(3, 8, FRAME_PARTITION);
	assert_int_equal(at % (8 * F), 0);
	assert_int_equal(at, (END - 3 * F) / (8 * F) * (8 * F));
	assert_int_equal(frame_take(2, 16, FRAME_PARTITION), 32 * F);
	assert_int_equal(frame_take(2, 16, FRAME_PARTITION), 0); /* 16 begins the region */
	assert_int_equal(frame_take(1, 512, FRAME_PARTITION), 0);
	assert_int_equal(frame_take(1, 4, FRAME_PARTITION) % (4 * F), 0);
}

/* Every frame once, none twice, never frame 0, and then no more. */
static void test_take_all(void **state)
{
	uint64_t at, count = 0, before = UINT64_MAX;

	(void)state;
	range(0, 16 * F, BOOT_MEMORY_FREE);
	range(20 * F, 4 * F, BOOT_MEMORY_FREE);
	frame_init(&boot);
	assert_int_equal(frame_take(0, 1, FRAME_PARTITION), 0);
	assert_int_equal(frame_take(25, 1, FRAME_PARTITION), 0);
	assert_int_equal(frame_take(UINT64_MAX, 1, FRAME_PARTITION), 0);
	assert_int_equal(frame_take(16, 1, FRAME_PARTITION), 0); /* only with frame 0 */
	assert_int_equal(frame_largest(), 15);
	while ((at = frame_take(1, 1, FRAME_PARTITION))) {
		assert_true(at < before);
		before = at;
		count++;
	}
	assert_int_equal(count, 19);
	assert_int_equal(frame_owner(0), FRAME_FREE);
	assert_int_equal(frame_largest(), 0);
}

static void test_take_over_holes(void **state)
{
	(void)state;
	range(F, 4 * F, BOOT_MEMORY_FREE);
	range(6 * F, 3 * F, BOOT_MEMORY_FREE);
	frame_init(&boot);
	assert_int_equal(frame_take(4, 1, FRAME_PARTITION), F);
	assert_int_equal(frame_take(4, 1, FRAME_PARTITION), 0);
	assert_int_equal(frame_take(3, 1, FRAME_PARTITION), 6 * F);
}

/* ---- pages of split frames ----------------------------------------------------------------------- */

static void test_pages(void **state)
{
	uint64_t a, b, c;

	(void)state;
	usual();
	a = frame_take_pages(3, FRAME_CHANNEL);
	b = frame_take_pages(256, FRAME_CHANNEL + 1);
	assert_int_equal(a, END - F);
	assert_int_equal(b, a + 3 * PAGE_BYTES);
	assert_int_equal(frame_owner(a), FRAME_CHANNEL);
	assert_int_equal(frame_owner(b - 1), FRAME_CHANNEL);
	assert_int_equal(frame_owner(b), FRAME_CHANNEL + 1);
	assert_int_equal(frame_owner(b + 256 * PAGE_BYTES), FRAME_FREE);
	assert_int_equal(frame_free_bytes(), 36 * F); /* whole ones only */

	/* Does not fit into the first one, whose rest is used later. */
	c = frame_take_pages(256, FRAME_CHANNEL + 2);
	assert_int_equal(c, END - 2 * F);
	assert_int_equal(frame_take_pages(253, FRAME_CHANNEL + 3), b + 256 * PAGE_BYTES);
	assert_int_equal(frame_take_pages(256, FRAME_CHANNEL + 4), c + 256 * PAGE_BYTES);
	assert_int_equal(frame_take_pages(1, FRAME_CHANNEL + 5), END - 3 * F);
}

/* More than half of a frame gets frames of its own. */
static void test_pages_large(void **state)
{
	uint64_t at;

	(void)state;
	usual();
	at = frame_take_pages(257, FRAME_CHANNEL);
	assert_int_equal(at, END - F);
	assert_int_equal(frame_owner(at + F - 1), FRAME_CHANNEL);
	at = frame_take_pages(4096, FRAME_CHANNEL + 1);
	assert_int_equal(at, END - 9 * F);
	assert_int_equal(frame_owner(at + 8 * F - 1), FRAME_CHANNEL + 1);
	assert_int_equal(frame_take_pages(23 * 512, FRAME_CHANNEL + 2), 0);
}

static void test_pages_exhausted(void **state)
{
	(void)state;
	range(0, 2 * F, BOOT_MEMORY_FREE);
	frame_init(&boot);
	assert_int_equal(frame_take_pages(256, FRAME_CHANNEL), F);
	assert_int_equal(frame_take_pages(256, FRAME_CHANNEL + 1), F + F / 2);
	assert_int_equal(frame_take_pages(1, FRAME_CHANNEL + 2), 0);
}

/* When the kernel has no page for a split record, no frame is lost, and asking for owners still works. */
static void test_pages_without_pool(void **state)
{
	uint64_t before;

	(void)state;
	usual();
	before = frame_free_bytes();
	while (pool_alloc(1))
		continue;
	assert_int_equal(frame_take_pages(1, FRAME_CHANNEL), 0);
	for (uint64_t at = 0; at < frame_end(); at += F)
		assert_int_not_equal(frame_owner(at), FRAME_SPLIT);
	assert_int_equal(frame_free_bytes(), before);
}

static void test_too_many_splits(void **state)
{
	unsigned count = 0;

	(void)state;
	range(0, 100 * F, BOOT_MEMORY_FREE);
	frame_init(&boot);
	while (frame_take_pages(256, FRAME_CHANNEL))
		count++;
	assert_int_equal(count, 2 * SPLITS_MAX);
	assert_int_equal(frame_free_bytes(), (100 - SPLITS_MAX) * F);
}

/* ---- who may see what ---------------------------------------------------------------------------- */

static uint64_t mine, wards, channels_page, third;

static void share_out(void)
{
	static struct handle handles[4];

	usual();
	mine = frame_take(2, 1, FRAME_PARTITION + 1);
	wards = frame_take(2, 1, FRAME_PARTITION + 2);
	third = frame_take(1, 1, FRAME_PARTITION + 4);
	channels_page = frame_take_pages(2, FRAME_CHANNEL);
	frame_take_pages(1, FRAME_CHANNEL + 1);
	memset(handles, 0, sizeof(handles));
	monitor.ward = &bob;
	monitor.handle = handles;
	monitor.handle_max = 4;
	alice.handle = bob.handle = NULL;
	alice.handle_max = bob.handle_max = 0;
	channel.end[0].partition = &alice;
	channel.end[1].partition = &monitor;
	channels[0] = channel;
	channels[1] = other_channel;
	channel_count = 2;
	image = (struct boot_image){ .physical = IMAGES, .bytes = 0x2345 };
	other_image = (struct boot_image){ .physical = IMAGES + F, .bytes = F };
	handles[1] = (struct handle){ .object = &image, .type = BH_HANDLE_IMAGE, .rights = BH_RIGHT_USE };
	for (unsigned i = 0; i < 2; i++) {
		guest_vcpu[i].message = pool_alloc(1);
		bob.vcpu[i] = &guest_vcpu[i];
	}
	bob.vcpus = 2;
}

static bool may(const struct partition *partition, uint64_t physical, uint64_t bytes, unsigned rights)
{
	return frame_may_map(partition, physical, bytes, rights);
}

#define RWX (MAP_READ | MAP_WRITE | MAP_EXECUTE)
#define RW  (MAP_READ | MAP_WRITE)
#define RX  (MAP_READ | MAP_EXECUTE)

static void test_own_memory(void **state)
{
	(void)state;
	share_out();
	assert_true(may(&alice, mine, 2 * F, RWX));
	assert_true(may(&alice, mine + F - 0x1000, 0x2000, MAP_READ));
	assert_false(may(&alice, mine, 2 * F + 0x1000, MAP_READ));
	assert_false(may(&alice, mine - 0x1000, 0x2000, MAP_READ));
	assert_false(may(&alice, mine - F, 3 * F, MAP_READ));
	assert_false(may(&bob, mine, 0x1000, MAP_READ));
	assert_false(may(&monitor, mine, 0x1000, MAP_READ));
}

static void test_wards_memory(void **state)
{
	(void)state;
	share_out();
	assert_true(may(&monitor, wards, 2 * F, RW));
	assert_false(may(&monitor, wards, 2 * F, RX));
	assert_false(may(&monitor, wards, 2 * F, RWX));
	assert_false(may(&alice, wards, 0x1000, MAP_READ));
	/* The other way round there is nothing. */
	monitor.id = 4;
	assert_true(may(&monitor, third, F, RWX));
	assert_false(may(&bob, third, F, MAP_READ));
	monitor.id = 3;
}

static void test_channel_pages(void **state)
{
	(void)state;
	share_out();
	assert_true(may(&alice, channels_page, 0x2000, RW));
	assert_true(may(&monitor, channels_page, 0x2000, RW));
	assert_false(may(&alice, channels_page, 0x2000, RX));
	assert_false(may(&bob, channels_page, 0x1000, MAP_READ));
	/* The page behind it is another channel's, then nobody's. */
	assert_false(may(&alice, channels_page, 0x3000, RW));
	assert_false(may(&alice, channels_page + 0x2000, 0x1000, RW));
	assert_false(may(&alice, channels_page + 0x3000, 0x1000, RW));
	assert_false(may(&alice, channels_page - 0x1000, 0x2000, RW));
}

static void test_images(void **state)
{
	(void)state;
	share_out();
	assert_true(may(&monitor, IMAGES, 0x3000, MAP_READ)); /* to the end of its last page */
	assert_false(may(&monitor, IMAGES, 0x4000, MAP_READ));
	assert_false(may(&monitor, IMAGES, 0x1000, RW));
	assert_false(may(&monitor, IMAGES, 0x1000, RX));
	assert_false(may(&monitor, IMAGES + F, 0x1000, MAP_READ)); /* not granted */
	assert_false(may(&alice, IMAGES, 0x1000, MAP_READ));
	monitor.handle[3] = (struct handle){ .object = &other_image, .type = BH_HANDLE_IMAGE };
	assert_true(may(&monitor, IMAGES + F, F, MAP_READ));
	assert_false(may(&monitor, IMAGES + F, F + 0x1000, MAP_READ));
	assert_false(may(&monitor, IMAGES, 2 * F, MAP_READ));
}

static void test_message_pages(void **state)
{
	uint64_t page[2];

	(void)state;
	share_out();
	for (unsigned i = 0; i < 2; i++) {
		page[i] = pool_physical(guest_vcpu[i].message);
		assert_true(may(&monitor, page[i], 0x1000, RW));
		assert_false(may(&monitor, page[i], 0x1000, RX));
		assert_false(may(&bob, page[i], 0x1000, MAP_READ));
		assert_false(may(&alice, page[i], 0x1000, MAP_READ));
	}
	assert_int_equal(page[1], page[0] + 0x1000);
	assert_true(may(&monitor, page[0], 0x2000, RW));
	assert_false(may(&monitor, page[0], 0x3000, RW));
	assert_false(may(&monitor, page[0] - 0x1000, 0x2000, RW));
}

static void test_nobodys(void **state)
{
	static const unsigned rights[] = { MAP_READ, RW, RX, RWX };

	(void)state;
	share_out();
	for (unsigned i = 0; i < 4; i++) {
		assert_false(may(&monitor, F, F, rights[i]));		     /* free */
		assert_false(may(&monitor, 0, 0x1000, rights[i]));	     /* firmware */
		assert_false(may(&monitor, FAKE_REGION, 0x1000, rights[i])); /* the kernel's */
		assert_false(may(&monitor, END, 0x1000, rights[i]));	     /* past the end */
		assert_false(may(&monitor, 0xfee00000, 0x1000, rights[i]));
	}
}

/* Ranges that run over the end of all addresses, and those of no length, say nothing about a page: refused. */
static void test_wrapping(void **state)
{
	(void)state;
	share_out();
	assert_false(may(&alice, mine, -mine, MAP_READ));
	assert_false(may(&alice, mine, UINT64_MAX & ~0xfffull, MAP_READ));
	assert_false(may(&alice, -0x1000ull, 0x1000, MAP_READ));
	assert_false(may(&alice, 0xfee00000, 0, MAP_READ));
}

static bool newest(void *context, const struct paging_page *page)
{
	*(struct paging_page *)context = *page;
	return true;
}

static void test_map(void **state)
{
	struct paging_page page;

	(void)state;
	share_out();
	assert_int_equal(paging_create(&alice.ept, &paging_ept_1g, &paging_pool), PAGING_OK);
	assert_true(frame_map(&alice, 0, mine, 2 * F, RW));
	assert_false(frame_map(&alice, 2 * F, wards, F, RW));
	assert_false(frame_map(&alice, 2 * F, mine + F, 2 * F, RW));
	assert_false(frame_map(&alice, 0, mine, F, RW)); /* there is something */
	paging_walk(&alice.ept, newest, &page);
	assert_int_equal(page.address, F); /* nothing behind it */
	assert_int_equal(page.physical, mine + F);
	assert_int_equal(page.bytes, F);
	assert_int_equal(page.flags, RW | PAGING_WB);

	/* The kernel's memory is used up. */
	while (pool_alloc(1))
		continue;
	assert_false(frame_map(&alice, 1ull << 40, mine, 0x1000, RW));
	paging_walk(&alice.ept, newest, &page);
	assert_int_equal(page.address, F);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_usual),
		TEST(test_partial_frames),
		TEST(test_device_memory),
		TEST(test_no_memory_for_the_record),
		TEST(test_take_highest_first),
		TEST(test_take_aligned),
		TEST(test_take_all),
		TEST(test_take_over_holes),
		TEST(test_pages),
		TEST(test_pages_large),
		TEST(test_pages_exhausted),
		TEST(test_pages_without_pool),
		TEST(test_too_many_splits),
		TEST(test_own_memory),
		TEST(test_wards_memory),
		TEST(test_channel_pages),
		TEST(test_images),
		TEST(test_message_pages),
		TEST(test_nobodys),
		TEST(test_wrapping),
		TEST(test_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
