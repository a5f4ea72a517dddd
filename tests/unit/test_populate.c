#include "fake_system.h"
#include <string.h>
#include "frame.h"
#include "pool.h"
#include "populate.h"

#define RW (MAP_READ | MAP_WRITE)
#define RX (MAP_READ | MAP_EXECUTE)

/* ---- rights -------------------------------------------------------------------------------------- */

static bool look_up(void *context, const struct paging_page *page)
{
	struct paging_page *found = context;

	if (found->address < page->address || found->address - page->address >= page->bytes)
		return true;
	*found = *page;
	return false;
}

static bool lookup(const struct paging *paging, uint64_t address, struct paging_page *page)
{
	page->address = address;
	return !paging_walk(paging, look_up, page);
}

struct run {
	uint64_t end;
	unsigned rights;
};

/* The runs of `native`'s memory, from 0 to its end, are these. */
static void assert_runs(const struct partition *native, const struct run *run)
{
	uint64_t address = 0, end;

	while (address < native->memory_bytes) {
		/* From anywhere in the run the answer is the same. */
		for (unsigned i = 0; i < 3; i++) {
			uint64_t inside = address + (run->end - address) / 3 * i;

			end = 0;
			assert_int_equal(populate_rights(native, inside, &end), run->rights);
			assert_int_equal(end, run->end);
		}
		assert_int_equal(populate_rights(native, run->end - 1, &end), run->rights);
		address = run->end;
		run++;
	}
	assert_int_equal(run->end, 0);
}

static void test_rights(void **state)
{
	static const struct run runs[] = {
		{ 0x10000, RW },  { 0x15000, MAP_READ }, { 0x100000, RW },     { 0x103000, RX },
		{ 0x200000, RW }, { 0x206000, RW },	 { 4 * FAKE_MIB, RW }, { 0 },
	};

	(void)state;
	assert_runs(the_ping, runs);
}

/* Segments in any order, of which one is constant, one is empty in the file, and one ends within a page. */
static void test_rights_of_others(void **state)
{
	static const struct boot_program program = {
		.segments = 4,
		.segment = {
			{ 0x180000, 0, 0, 0x80000, 1, 0 },
			{ 0x100000, 0, 0x1001, 0x1001, 0, 1 },
			{ 0x102000, 0, 0x800, 0x800, 0, 0 },
			{ 0x3ff000, 0, 1, 1, 0, 1 },
		},
	};
	static const struct run runs[] = {
		{ 0x10000, RW },  { 0x15000, MAP_READ }, { 0x100000, RW }, { 0x102000, RX }, { 0x103000, MAP_READ },
		{ 0x180000, RW }, { 0x200000, RW },	 { 0x3ff000, RW }, { 0x400000, RX }, { 0 },
	};
	struct partition native = { .program = &program, .memory_bytes = 0x400000 };

	(void)state;
	assert_runs(&native, runs);
}

/* The nested tables say the same, page by page, and nothing is writable and executable. */
static void test_mapped_rights(void **state)
{
	struct partition *const natives[] = { the_console, the_monitor, the_ping, the_pong };

	(void)state;
	for (unsigned n = 0; n < 4; n++) {
		for (uint64_t address = 0; address < natives[n]->memory_bytes; address += PAGE_BYTES) {
			struct paging_page page;
			uint64_t end;

			assert_true(lookup(&natives[n]->ept, address, &page));
			assert_int_equal(page.flags, populate_rights(natives[n], address, &end) | PAGING_WB);
			assert_int_not_equal(page.flags & (MAP_WRITE | MAP_EXECUTE), MAP_WRITE | MAP_EXECUTE);
		}
	}
}

/* A guest's memory is all its own, in large pages; its monitor sees it without executing it. */
static void test_guests_memory(void **state)
{
	struct paging_page page, window;

	(void)state;
	for (uint64_t address = 0; address < the_linux->memory_bytes; address += FAKE_FRAME) {
		assert_true(lookup(&the_linux->ept, address, &page));
		assert_int_equal(page.bytes, FAKE_FRAME);
		assert_int_equal(page.flags, RW | MAP_EXECUTE | PAGING_WB);
		assert_true(lookup(&the_monitor->ept, BH_GPA_GUEST + address, &window));
		assert_int_equal(window.physical, page.physical);
		assert_int_equal(window.flags, RW | PAGING_WB);
	}
	assert_false(lookup(&the_linux->ept, the_linux->memory_bytes, &page));
	for (unsigned i = 0; i < 2; i++) {
		assert_true(lookup(&the_monitor->ept, BH_GPA_MESSAGES + i * PAGE_BYTES, &page));
		assert_int_equal(page.physical, pool_physical(the_linux->vcpu[i]->message));
		assert_int_equal(page.flags, RW | PAGING_WB);
	}
	assert_false(lookup(&the_monitor->ept, BH_GPA_MESSAGES + 2 * PAGE_BYTES, &page));
	assert_true(lookup(&the_monitor->ept, BH_GPA_IMAGES + 0x5000, &page));
	assert_int_equal(page.physical, fake_boot.image[0].physical + 0x5000);
	assert_int_equal(page.flags, MAP_READ | PAGING_WB);
	assert_false(lookup(&the_monitor->ept, BH_GPA_IMAGES + 0x6000, &page));
}

/* ---- wiping, several extents ------------------------------------------------------------------------ */

/* Two pieces each, of the leader and of its monitor; what lies between them is others'. */
static struct partition monitor = {
	.extent = { { 0, 100 * FAKE_FRAME, FAKE_FRAME }, { FAKE_FRAME, 110 * FAKE_FRAME, FAKE_FRAME } },
	.extents = 2,
	.memory_bytes = 2 * FAKE_FRAME,
};
static struct partition leader = {
	.extent = { { 0, 90 * FAKE_FRAME, 2 * FAKE_FRAME }, { BH_GUEST_HIGH, 80 * FAKE_FRAME, FAKE_FRAME } },
	.extents = 2,
	.memory_bytes = 3 * FAKE_FRAME,
	.monitor = &monitor,
};

static void test_wiping(void **state)
{
	static const unsigned order[] = { 90, 91, 80, 100, 110 };

	(void)state;
	fake_memory_fill(79 * FAKE_FRAME, 33 * FAKE_FRAME, 0xee);
	for (unsigned i = 0; i < 5; i++) {
		assert_true(fake_memory_is(order[i] * FAKE_FRAME, FAKE_FRAME, 0xee));
		assert_int_equal(populate_wipe_slice(&leader), i == 4);
		assert_true(fake_memory_is(order[i] * FAKE_FRAME, FAKE_FRAME, 0));
	}
	for (unsigned i = 79; i < 112; i++) {
		bool ours = i == 80 || i == 90 || i == 91 || i == 100 || i == 110;

		assert_true(ours || fake_memory_is(i * FAKE_FRAME, FAKE_FRAME, 0xee));
	}

	leader.monitor = NULL;
	leader.wiped = 0;
	fake_memory_fill(79 * FAKE_FRAME, 33 * FAKE_FRAME, 0xee);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(populate_wipe_slice(&leader), i == 2);
	assert_true(fake_memory_is(100 * FAKE_FRAME, FAKE_FRAME, 0xee));
}

/* A program that lies across the border of two extents, and of two frames of its file. */
static void test_copying(void **state)
{
	static struct boot_program program = {
		.segments = 1,
		.segment = { { FAKE_FRAME - 0x3000, 120 * FAKE_FRAME - 0x1234, 0x8765, 0x9000, 1, 0 } },
	};
	static struct handle handles[1];

	(void)state;
	monitor.program = &program;
	monitor.handle = handles;
	monitor.handle_max = 1;
	monitor.vcpus = 1;
	fake_memory_fill(79 * FAKE_FRAME, 33 * FAKE_FRAME, 0);
	for (uint64_t i = 0; i < 0x8765; i++)
		*fake_memory(120 * FAKE_FRAME - 0x1234 + i) = (uint8_t)(i * 7 + i / 256);
	populate(&monitor);
	for (uint64_t i = 0; i < 0x9000; i++) {
		uint64_t at = FAKE_FRAME - 0x3000 + i;
		uint64_t physical = at < FAKE_FRAME ? 100 * FAKE_FRAME + at : 110 * FAKE_FRAME + at - FAKE_FRAME;

		assert_int_equal(*fake_memory(physical), i < 0x8765 ? (uint8_t)(i * 7 + i / 256) : 0);
	}
	assert_true(fake_memory_is(100 * FAKE_FRAME + BH_GPA_IMAGE, FAKE_FRAME - 0x3000 - BH_GPA_IMAGE, 0));
	assert_true(fake_memory_is(110 * FAKE_FRAME + 0x6000, FAKE_FRAME - 0x6000, 0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, fake_system_reset)
	const struct CMUnitTest tests[] = {
		TEST(test_rights),	  TEST(test_rights_of_others), TEST(test_mapped_rights),
		TEST(test_guests_memory), TEST(test_wiping),	       TEST(test_copying),
	};

	return cmocka_run_group_tests(tests, fake_system, fake_system_end);
}
