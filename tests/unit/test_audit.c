#include "fake_system.h"
#include <string.h>
#include "address_space.h"
#include "audit.h"
#include "channel.h"
#include "frame.h"
#include "iommu/iommu.h"
#include "pool.h"

/* Each test plants something wrong behind the kernel's back, and takes it away again. */

#define RW  (PAGING_READ | PAGING_WRITE)
#define RX  (PAGING_READ | PAGING_EXECUTE)
#define RWX (RW | PAGING_EXECUTE)
#define FAR 0x4000000000ull /* nothing is mapped there */

static char text[4096];

static void read_text(void)
{
	uint64_t at = 0;
	int64_t word;

	while ((word = audit_text(at)) >= 0) {
		memcpy(text + at, &word, 8);
		at += 8;
		assert_in_range(at, 0, sizeof(text) - 16);
	}
	assert_int_equal(word, -BH_ENOENT);
	text[at] = 0;
}

static void assert_clean(void)
{
	assert_int_equal(audit_run(), 0);
	assert_int_equal(audit_text(0), -BH_ENOENT);
}

static void assert_found(unsigned count, const char *words)
{
	assert_int_equal(audit_run(), count);
	read_text();
	if (!strstr(text, words))
		fail_msg("not in the audit's text: %s\nbut: %s", words, text);
}

static void map(struct partition *partition, uint64_t address, uint64_t physical, uint64_t bytes, unsigned flags)
{
	assert_int_equal(paging_map(&partition->ept, address, physical, bytes, flags), PAGING_OK);
}

static void unmap(struct partition *partition, uint64_t address, uint64_t bytes)
{
	assert_int_equal(paging_unmap(&partition->ept, address, bytes), PAGING_OK);
}

/* Maps it where nothing is, looks, and takes it away. */
static void assert_refused(struct partition *partition, uint64_t physical, uint64_t bytes, unsigned flags)
{
	map(partition, FAR, physical, bytes, flags);
	assert_found(1, "whose owner is");
	unmap(partition, FAR, bytes);
	assert_clean();
}

static int set_up(void **state) { return fake_system_reset(state); }

/* ---- tests --------------------------------------------------------------------------------------- */

static void test_clean(void **state)
{
	(void)state;
	assert_clean();
	fake_start(the_linux);
	fake_start(the_ping);
	assert_clean();
	partition_control(the_linux, BH_STOP);
	fake_settle();
	assert_clean();
}

static void test_foreign_memory(void **state)
{
	uint64_t pongs = the_pong->extent[0].physical;

	(void)state;
	assert_refused(the_ping, pongs, 0x1000, PAGING_READ);
	assert_refused(the_ping, pongs, FAKE_FRAME, RW);
	assert_refused(the_monitor, pongs, 0x1000, PAGING_READ);
	assert_refused(the_linux, the_monitor->extent[0].physical, 0x1000, PAGING_READ);
	assert_refused(the_ping, FAKE_REGION, 0x1000, PAGING_READ);
	assert_refused(the_ping, FAKE_FRAME, FAKE_FRAME, PAGING_READ); /* free */
	assert_refused(the_ping, 0, 0x1000, PAGING_READ);	       /* firmware */
	assert_refused(the_ping, 0xfee00000, 0x1000, PAGING_READ);     /* a device */
	assert_refused(the_console, fake_boot.image[0].physical, 0x1000, PAGING_READ);
	assert_refused(the_console, pool_physical(the_linux->vcpu[0]->message), 0x1000, PAGING_READ);
}

/* What it may see, but not like that. */
static void test_rights(void **state)
{
	const struct channel *talk = &channels[channel_count - 1];

	(void)state;
	assert_string_equal(talk->name, "talk");
	assert_refused(the_monitor, fake_boot.image[0].physical, 0x1000, RW);
	assert_refused(the_monitor, fake_boot.image[0].physical, 0x1000, RX);
	assert_refused(the_monitor, pool_physical(the_linux->vcpu[1]->message), 0x1000, RX);
	assert_refused(the_monitor, the_linux->extent[0].physical, 0x1000, RX);
	assert_refused(the_ping, talk->physical, 0x1000, RX);
	assert_refused(the_console, talk->physical, 0x1000, PAGING_READ);
	/* One page more than the channel has. */
	assert_refused(the_ping, talk->physical, talk->bytes + 0x1000, RW);
}

static void test_uncached(void **state)
{
	(void)state;
	map(the_ping, FAR, channels[channel_count - 1].physical, 0x1000, RW | PAGING_WC);
	assert_found(1, "ping: 4000000000 is not mapped write-back");
	unmap(the_ping, FAR, 0x1000);
	/* As registers are mapped; but those must be a device's. */
	map(the_ping, FAR, channels[channel_count - 1].physical, 0x1000, RW | PAGING_UC);
	assert_found(1, "ping: 4000000000 maps");
	unmap(the_ping, FAR, 0x1000);
	assert_clean();
}

static void test_own_memory_missing(void **state)
{
	(void)state;
	unmap(the_ping, 0x300000, 0x1000);
	assert_found(1, "ping: 3ff000 bytes of its own memory are mapped, it owns 400000");
	map(the_ping, 0x300000, the_ping->extent[0].physical + 0x300000, 0x1000, RW);
	assert_clean();
	unmap(the_linux, 0, 8 * FAKE_MIB);
	assert_found(1, "linux: 0 bytes of its own memory");
	map(the_linux, 0, the_linux->extent[0].physical, 8 * FAKE_MIB, RWX);
	assert_clean();
}

static void test_own_memory_elsewhere(void **state)
{
	uint64_t physical = the_ping->extent[0].physical;

	(void)state;
	/* Two pages have changed places. */
	unmap(the_ping, 0x300000, 0x2000);
	map(the_ping, 0x300000, physical + 0x301000, 0x1000, RW);
	map(the_ping, 0x301000, physical + 0x300000, 0x1000, RW);
	assert_found(2, "ping: 301000 stands at 300000");
	unmap(the_ping, 0x300000, 0x2000);
	map(the_ping, 0x300000, physical + 0x300000, 0x2000, RW);
	assert_clean();

	/* Mapped twice. */
	map(the_ping, FAR, physical + 0x300000, 0x1000, RW);
	assert_found(2, "ping: 300000 stands at 4000000000");
	unmap(the_ping, FAR, 0x1000);
	assert_clean();
}

static void test_writable_and_executable(void **state)
{
	(void)state;
	unmap(the_ping, 0x300000, 0x1000);
	map(the_ping, 0x300000, the_ping->extent[0].physical + 0x300000, 0x1000, RWX);
	assert_found(1, "ping: 300000 is writable and executable");
	unmap(the_ping, 0x300000, 0x1000);
	map(the_ping, 0x300000, the_ping->extent[0].physical + 0x300000, 0x1000, RW);
	assert_clean();
}

/* The record of extents says one thing, that of owners another. */
static void test_extents(void **state)
{
	uint64_t physical = the_ping->extent[0].physical;

	(void)state;
	the_ping->extent[0].physical = the_pong->extent[0].physical;
	assert_true(audit_run() >= 2);
	read_text();
	assert_non_null(strstr(text, "of its memory belongs to"));
	the_ping->extent[0].physical = physical;
	assert_clean();
}

static void map_kernel(uint64_t address, uint64_t physical, unsigned flags, const char *words)
{
	assert_int_equal(paging_map(&kernel_paging, address, physical, 0x1000, flags), PAGING_OK);
	if (words)
		assert_found(1, words);
	else
		assert_clean();
	assert_int_equal(paging_unmap(&kernel_paging, address, 0x1000), PAGING_OK);
	assert_clean();
}

static void test_kernel(void **state)
{
	static const char foreign[] = "whose owner is";
	uint64_t pings = the_ping->extent[0].physical, kernel = KERNEL_BASE, device = MMIO_BASE + FAKE_FRAME;

	(void)state;
	map_kernel(kernel, FAKE_REGION, RX, NULL);
	map_kernel(kernel, FAKE_REGION, RWX, "is writable and executable");
	map_kernel(kernel, pings, PAGING_READ, foreign);
	map_kernel(kernel, 0x1000, RW, foreign);
	map_kernel(0x1000, 0x1000, RW, foreign); /* an identity mapping */
	map_kernel(kernel, FAKE_RAM_END, RW, foreign);
	map_kernel(device, 0xfec00000, RW | PAGING_UC, NULL);
	map_kernel(device, pings, RW | PAGING_UC, foreign);
	map_kernel(device, FAKE_FRAME, RW | PAGING_UC, foreign); /* free */
	map_kernel(device, channels[0].physical, RW | PAGING_UC, foreign);
	map_kernel(device, 0xfec00000, RWX | PAGING_UC, "is writable and executable");
	map_kernel(WINDOW_BASE + FAKE_FRAME, pings, RW, NULL);
	map_kernel(WINDOW_BASE + FAKE_FRAME, pings, RWX, "is writable and executable");
}

/* Devices reach their holder's memory, all of it, and nothing else that the holder may see. */
static void test_devices(void **state)
{
	const struct channel *talk = &channels[channel_count - 1];
	struct paging *dma = &the_ping->dma;

	(void)state;
	assert_int_equal(paging_create(dma, &paging_vtd, &paging_pool), PAGING_OK);
	assert_found(1, "ping: 0 bytes of its own memory are mapped for its devices");
	assert_int_equal(paging_map(dma, 0, the_ping->extent[0].physical, the_ping->memory_bytes, RW), PAGING_OK);
	assert_clean();
	assert_int_equal(paging_map(dma, FAR, talk->physical, 0x1000, RW), PAGING_OK);
	assert_found(1, "ping: its devices reach");
	assert_int_equal(paging_unmap(dma, FAR, 0x1000), PAGING_OK);
	assert_int_equal(paging_map(dma, FAR, the_pong->extent[0].physical, 0x1000, RW), PAGING_OK);
	assert_found(2, "whose owner is");
	assert_int_equal(paging_unmap(dma, FAR, 0x1000), PAGING_OK);
	assert_clean();
	dma->root = 0;
}

static const struct paging *fake_reserved;

const struct paging *iommu_reserved(void) { return fake_reserved; }

static void test_reserved(void **state)
{
	struct paging reserved;

	(void)state;
	assert_int_equal(paging_create(&reserved, &paging_amd_vi, &paging_pool), PAGING_OK);
	fake_reserved = &reserved;
	assert_int_equal(paging_map(&reserved, 0xf0000000, 0xf0000000, 0x2000, RW), PAGING_OK);
	assert_clean();
	assert_int_equal(paging_map(&reserved, FAR, 0xf0000000, 0x1000, RW), PAGING_OK);
	assert_found(1, "firmware: its devices' 4000000000 maps f0000000");
	assert_int_equal(paging_unmap(&reserved, FAR, 0x1000), PAGING_OK);
	assert_int_equal(paging_map(&reserved, the_ping->extent[0].physical, the_ping->extent[0].physical, 0x1000, RW),
			 PAGING_OK);
	assert_found(1, "firmware: its devices'");
	fake_reserved = NULL;
	assert_clean();
}

/* Far more than the text holds: all are counted, the text ends where its room does. */
static void test_many(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++)
		map(the_ping, FAR + i * 0x2000, the_pong->extent[0].physical, 0x1000, RW);
	assert_int_equal(audit_run(), 200);
	read_text();
	assert_in_range(strlen(text), 1900, 2048);
	unmap(the_ping, FAR, 200 * 0x2000);
	assert_clean();
}

/* Last: what was taken stays so. */
static void test_owner_is_nobody(void **state)
{
	(void)state;
	assert_int_not_equal(frame_take(1, 1, (uint16_t)(FRAME_PARTITION + partition_count)), 0);
	assert_found(1, "is nobody");
	assert_int_not_equal(frame_take(1, 1, (uint16_t)(FRAME_CHANNEL + channel_count)), 0);
	assert_found(2, "is nobody");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(test_clean),
		TEST(test_foreign_memory),
		TEST(test_rights),
		TEST(test_uncached),
		TEST(test_own_memory_missing),
		TEST(test_own_memory_elsewhere),
		TEST(test_writable_and_executable),
		TEST(test_extents),
		TEST(test_kernel),
		TEST(test_devices),
		TEST(test_reserved),
		TEST(test_many),
		TEST(test_owner_is_nobody),
	};

	return cmocka_run_group_tests(tests, fake_system, fake_system_end);
}
