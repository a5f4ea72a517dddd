#include "fake_pci.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "log.h"
#include "machine.h"
#include "pci.h"

#define ETHERNET		  0x020000u
#define AT(bus, device, function) ((bus) << 8 | (device) << 3 | (function))

struct acpi machine_acpi;
static char last_line[256];

void log_printf(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(last_line, sizeof(last_line), format, arguments);
	va_end(arguments);
}

static int set_up(void **state)
{
	(void)state;
	memset(&machine_acpi, 0, sizeof(machine_acpi));
	fake_pci_none();
	return 0;
}

/* The only function there is. */
static const struct pci_function *found(void)
{
	fake_pci_scan();
	assert_int_equal(pci_function_count, 1);
	return &pci_functions[0];
}

/* ---- finding ------------------------------------------------------------------------------------- */

static void test_no_bus(void **state)
{
	(void)state;
	fake_pci_scan();
	assert_int_equal(pci_function_count, 0);
	assert_string_equal(last_line, "pci: 0 functions, by ports");
}

static void test_functions_and_bridges(void **state)
{
	struct fake_pci *bridge, *first;

	(void)state;
	fake_pci_add(AT(0, 0, 0), 0x29c08086, 0x060000);
	bridge = fake_pci_add(AT(0, 1, 0), 0x000c1b36, 0x060400);
	bridge->space[0xe] = 1;
	fake_pci_bar(bridge, 0, 0xfe000000, 0x1000, 0);
	first = fake_pci_add(AT(0, 0x1f, 0), 0x29188086, 0x060100);
	first->space[0xe] = 0x80;
	fake_pci_add(AT(0, 0x1f, 2), 0x29228086, 0x010601);
	fake_pci_add(AT(0, 0x1f, 3), 0x29308086, 0x0c0500);
	fake_pci_add(AT(3, 0, 0), 0x10d38086, ETHERNET);    /* behind the bridge */
	fake_pci_add(AT(0x80, 2, 0), 0x10d38086, ETHERNET); /* of another host bridge */
	/* Of one that says it has one function, the others are not looked for. */
	fake_pci_add(AT(0, 5, 0), 0x100e8086, ETHERNET);
	fake_pci_add(AT(0, 5, 1), 0x100e8086, ETHERNET);

	fake_pci_scan();
	assert_int_equal(pci_function_count, 8);
	assert_int_equal(pci_functions[1].address, AT(0, 1, 0));
	assert_true(pci_functions[1].machines);
	assert_int_equal(pci_functions[1].bar[0].bytes, 0);
	assert_int_equal(fake_pci_get(bridge, 4, 2), 7);
	assert_false(pci_functions[4].machines);
	assert_int_equal(pci_functions[4].address, AT(0, 0x1f, 2));
	assert_int_equal(pci_functions[4].class_code, 0x010601);
	assert_int_equal(pci_functions[6].address, AT(3, 0, 0));
	assert_int_equal(pci_functions[7].address, AT(0x80, 2, 0));
	assert_int_equal(pci_functions[7].id, 0x10d38086);
}

static void test_segments(void **state)
{
	(void)state;
	fake_pci_add(AT(0, 3, 1), 0x10d38086, ETHERNET);
	fake_pci_add(AT(0, 3, 0), 0x10d38086, ETHERNET)->space[0xe] = 0x80;
	fake_pci_add(1 << 16 | AT(0x20, 1, 0), 0x10d38086, ETHERNET);
	fake_pci_add(AT(0x40, 1, 0), 0x10d38086, ETHERNET); /* of a bus that is in no range */
	machine_acpi.ecams = 2;
	machine_acpi.ecam[0] = (struct acpi_ecam){ 0xb0000000, 0, 0, 0x3f };
	machine_acpi.ecam[1] = (struct acpi_ecam){ 0xa0000000, 1, 0x20, 0x2f };
	fake_pci_scan();
	assert_int_equal(pci_function_count, 3);
	assert_string_equal(last_line, "pci: 3 functions, by ECAM");
	assert_string_equal(pci_functions[1].name, "0000:00:03.1");
	assert_string_equal(pci_functions[2].name, "0001:20:01.0");
	machine_acpi.ecams = 1;
	fake_pci_scan();
	assert_string_equal(pci_functions[1].name, "00:03.1");
}

static void test_too_many(void **state)
{
	struct fake_pci *last = NULL;

	(void)state;
	for (unsigned i = 0; i < PCI_FUNCTIONS + 3; i++)
		last = fake_pci_add(AT(i / 32, i % 32, 0), 0x10d38086, ETHERNET);
	fake_pci_scan();
	assert_int_equal(pci_function_count, PCI_FUNCTIONS);
	assert_string_equal(last_line, "pci: 3 more were left out, the kernel knows 64");
	assert_int_equal(fake_pci_get(last, 4, 2), 0x403); /* not at work, all the same */
}

/* What the firmware used writes to memory no more; what it shows stays. */
static void test_calm(void **state)
{
	struct fake_pci *nic = fake_pci_add(AT(0, 2, 0), 0x10d38086, ETHERNET);
	struct fake_pci *screen = fake_pci_add(AT(0, 1, 0), 0x11111234, 0x030000);
	struct fake_pci *iommu = fake_pci_add(AT(0, 0, 2), 0x14191022, 0x080600);

	(void)state;
	fake_pci_add(AT(0, 0, 0), 0x29c08086, 0x060000)->space[0xe] = 0x80;
	fake_pci_scan();
	assert_int_equal(fake_pci_get(nic, 4, 2), 0x403);
	assert_int_equal(fake_pci_get(screen, 4, 2), 7);
	assert_int_equal(fake_pci_get(iommu, 4, 2), 7);
}

/* ---- BARs ---------------------------------------------------------------------------------------- */

static void test_bars(void **state)
{
	struct fake_pci *f = fake_pci_add(AT(0, 2, 0), 0x10d38086, ETHERNET);
	const struct pci_function *is;

	(void)state;
	fake_pci_bar(f, 0, 0xfeb40000, 0x20000, 0);
	fake_pci_bar(f, 1, 0xc040, 0x20, 1);
	fake_pci_bar(f, 2, 0x380000000000, 0x400000000, 4); /* 16 GiB */
	fake_pci_bar(f, 4, 0xfebf0010, 0x10, 8);
	is = found();
	assert_int_equal(is->bar[0].physical, 0xfeb40000);
	assert_int_equal(is->bar[0].bytes, 0x20000);
	assert_false(is->bar[0].io);
	assert_true(is->bar[1].io);
	assert_int_equal(is->bar[1].physical, 0xc040);
	assert_int_equal(is->bar[1].bytes, 0x20);
	assert_int_equal(is->bar[2].physical, 0x380000000000);
	assert_int_equal(is->bar[2].bytes, 0x400000000);
	assert_int_equal(is->bar[3].bytes, 0);
	assert_int_equal(is->bar[4].physical, 0xfebf0010);
	assert_int_equal(is->bar[4].bytes, 0x10);
	assert_int_equal(is->bar[5].bytes, 0);
	assert_int_equal(f->decoded_while_sized, 0);
	assert_int_equal(fake_pci_get(f, 0x10, 4), 0xfeb40000);
	assert_int_equal(fake_pci_get(f, 0x1c, 4), 0x3800);
	assert_int_equal(fake_pci_get(f, 4, 2), 0x403);
}

/* The last register says that it has an upper half; a mask with holes; an address that does not fit. */
static void test_impossible_bars(void **state)
{
	struct fake_pci *f = fake_pci_add(AT(0, 2, 0), 0x10d38086, ETHERNET);
	const struct pci_function *is;

	(void)state;
	fake_pci_bar(f, 5, 0xfeb40000, 0x1000, 4);
	f->space[0x28] = f->space[0x29] = 0;
	f->mask[0x28] = f->mask[0x29] = 0;
	fake_pci_bar(f, 0, 0xfeb42000, 0x1000, 0);
	fake_pci_put(f, 0x10, 4, 0xfeb41000);
	f->mask[0x11] = 0xa0;
	f->mask[0x12] = 0x0f;
	fake_pci_bar(f, 1, 0xffffffff00000000, 0x100000000, 4);
	fake_pci_bar(f, 3, 0, 0x4000, 0);
	is = found();
	assert_int_equal(is->bar[0].bytes, 0x1000);
	assert_int_equal(is->bar[0].physical, 0xfeb41000);
	assert_int_equal(is->bar[1].physical, 0);
	assert_int_equal(is->bar[3].bytes, 0x4000);
	assert_int_equal(is->bar[3].physical, 0);
	assert_int_equal(is->bar[5].bytes, 0x1000);
	assert_int_equal(is->bar[5].physical, 0xfeb40000);
}

/* ---- capabilities -------------------------------------------------------------------------------- */

static void test_capabilities(void **state)
{
	struct fake_pci *f = fake_pci_add(AT(0, 2, 0), 0x10d38086, ETHERNET);
	const struct pci_function *is;

	(void)state;
	fake_pci_bar(f, 3, 0xfeb80000, 0x4000, 0);
	fake_pci_power(f, 0xc8, false);
	fake_pci_msi(f, 0xd0, 0x80);
	fake_pci_express(f, 0x60, true);
	fake_pci_msix(f, 0xa0, 5, 3, 0x1000);
	fake_pci_capability(f, 0xb0, 0x13, 8);
	f->space[0x3c] = 11;
	f->space[0x3d] = 1;
	fake_pci_put(f, 0x68, 2, 0x2810);
	is = found();
	assert_int_equal(is->power, 0xc8);
	assert_int_equal(is->msi, 0xd0);
	assert_int_equal(is->express, 0x60);
	assert_int_equal(is->express_control, 0x2810);
	assert_int_equal(is->msix, 0xa0);
	assert_int_equal(is->vectors, 5);
	assert_int_equal(is->vectors_at, 0xfeb81000);
	assert_int_equal(is->af, 0xb0);
	assert_int_equal(is->line, 11);
}

/* Without the bit in the status register the pointer means nothing; without a pin the line does. */
static void test_none(void **state)
{
	struct fake_pci *f = fake_pci_add(AT(0, 2, 0), 0x10d38086, ETHERNET);
	const struct pci_function *is;

	(void)state;
	fake_pci_msi(f, 0x50, 0);
	f->space[6] = 0;
	f->space[0x3c] = 11;
	is = found();
	assert_int_equal(is->msi, 0);
	assert_int_equal(is->kept, 0);
	assert_int_equal(is->line, 0xff);
}

/* A list that goes round, one that leads into the header, and one that leads to its own middle: all end. */
static void test_endless_lists(void **state)
{
	struct fake_pci *f = fake_pci_add(AT(0, 2, 0), 0x10d38086, ETHERNET);

	(void)state;
	fake_pci_msi(f, 0x50, 0);
	fake_pci_power(f, 0x60, true);
	f->space[0x61] = 0x50;
	assert_int_equal(found()->msi, 0x50);
	assert_int_equal(pci_functions[0].power, 0x60);

	f->space[0x61] = 0x63;
	assert_int_equal(found()->msi, 0x50);
	f->space[0x61] = 0x10;
	assert_int_equal(found()->power, 0x60);
	memset(f->space + 0x40, 0xfc, 0xc0);
	f->space[0x34] = 0xff;
	assert_int_equal(found()->msi, 0);
	/* Nothing is known of it but that it is there. */
	assert_false(pci_may_write(&pci_functions[0], 0xfc, 4));
	assert_true(pci_may_write(&pci_functions[0], 0xf8, 4));
}

/* At the end of the space there is no room for it. */
static void test_capability_that_does_not_fit(void **state)
{
	struct fake_pci *f = fake_pci_add(AT(0, 2, 0), 0x10d38086, ETHERNET);
	const struct pci_function *is;

	(void)state;
	fake_pci_capability(f, 0xf8, 0x10, 8);
	fake_pci_capability(f, 0xf4, 0x05, 4);
	fake_pci_put(f, 0xf6, 2, 0x80);
	fake_pci_capability(f, 0xfc, 0x11, 4);
	is = found();
	assert_int_equal(is->express, 0);
	assert_int_equal(is->msi, 0);
	assert_int_equal(is->msix, 0);
	assert_false(pci_may_write(is, 0xf4, 4));
	assert_false(pci_may_write(is, 0xf8, 4));
}

/* The last of its three words would be behind the end of configuration space. */
static void test_msix_that_does_not_fit(void **state)
{
	struct fake_pci *f;

	(void)state;
	f = fake_pci_add(AT(0, 2, 0), 0x10d38086, ETHERNET);
	fake_pci_bar(f, 0, 0xfeb80000, 0x2000, 0);
	fake_pci_capability(f, 0xf8, 0x11, 8);
	fake_pci_put(f, 0xfa, 2, 4);
	fake_pci_put(f, 0xfc, 4, 0);
	assert_int_equal(found()->msix, 0);
	assert_false(pci_may_write(&pci_functions[0], 0xf8, 4));
}

/* The table lies in no BAR, in ports, behind the end, in one without an address. */
static void test_msix_table_elsewhere(void **state)
{
	static const struct {
		unsigned vectors, bar;
		uint32_t offset;
	} bad[] = { { 5, 6, 0 },    { 5, 7, 0 },	  { 5, 1, 0 }, { 5, 0, 0x1fb8 },
		    { 2048, 0, 0 }, { 1, 0, 0xfffffff8 }, { 1, 2, 0 }, { 1, 3, 0 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fake_pci *f;

		fake_pci_none();
		f = fake_pci_add(AT(0, 2, 0), 0x10d38086, ETHERNET);
		fake_pci_bar(f, 0, 0xfeb80000, 0x2000, 0);
		fake_pci_bar(f, 1, 0xc000, 0x100, 1);
		fake_pci_bar(f, 2, 0, 0x2000, 0);
		fake_pci_msix(f, 0xa0, bad[i].vectors, bad[i].bar, bad[i].offset);
		assert_int_equal(found()->msix, 0);
		assert_false(pci_may_write(&pci_functions[0], 0xa0, 4));
	}
}

/* ---- the filter ---------------------------------------------------------------------------------- */

static void assert_kept(const struct pci_function *f, unsigned first, unsigned end)
{
	for (unsigned at = first; at < end; at++)
		assert_false(pci_may_write(f, at, 1));
	for (unsigned at = first & ~3u; at < end; at += 4)
		assert_false(pci_may_write(f, at, 4));
}

static void test_filter(void **state)
{
	struct fake_pci *f = fake_pci_add(AT(0, 2, 0), 0x10d38086, ETHERNET);
	const struct pci_function *is;

	(void)state;
	fake_pci_bar(f, 3, 0xfeb80000, 0x4000, 0);
	fake_pci_capability(f, 0x40, 0x09, 0x10); /* the vendor's own */
	fake_pci_msi(f, 0x50, 0x180);
	fake_pci_express(f, 0x70, true);
	fake_pci_msix(f, 0xb0, 5, 3, 0x1000);
	fake_pci_power(f, 0xc0, true);
	fake_pci_capability(f, 0xd0, 0x03, 8); /* vital product data */
	is = found();
	assert_kept(is, 0, 0x40);
	assert_true(pci_may_write(is, 0x40, 4));
	assert_true(pci_may_write(is, 0x4f, 1));
	assert_kept(is, 0x50, 0x68);
	assert_true(pci_may_write(is, 0x68, 4));
	assert_kept(is, 0x70, 0xac);
	assert_true(pci_may_write(is, 0xac, 2));
	assert_kept(is, 0xb0, 0xbc);
	assert_kept(is, 0xc0, 0xc8);
	assert_true(pci_may_write(is, 0xc8, 1));
	assert_kept(is, 0xd0, 0xe0);
	assert_true(pci_may_write(is, 0xfc, 4));
	for (unsigned at = 0x100; at < 0x1000; at += 4)
		assert_false(pci_may_write(is, at, 4));
}

/* Enhanced Allocation can move BARs, and has no end that could be believed. */
static void test_enhanced_allocation(void **state)
{
	struct fake_pci *f = fake_pci_add(AT(0, 2, 0), 0x10d38086, ETHERNET);
	const struct pci_function *is;

	(void)state;
	fake_pci_capability(f, 0x80, 0x14, 16);
	is = found();
	assert_true(pci_may_write(is, 0x7c, 4));
	assert_kept(is, 0x80, 0x100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_no_bus, set_up),
		cmocka_unit_test_setup(test_functions_and_bridges, set_up),
		cmocka_unit_test_setup(test_segments, set_up),
		cmocka_unit_test_setup(test_too_many, set_up),
		cmocka_unit_test_setup(test_calm, set_up),
		cmocka_unit_test_setup(test_bars, set_up),
		cmocka_unit_test_setup(test_impossible_bars, set_up),
		cmocka_unit_test_setup(test_capabilities, set_up),
		cmocka_unit_test_setup(test_none, set_up),
		cmocka_unit_test_setup(test_endless_lists, set_up),
		cmocka_unit_test_setup(test_capability_that_does_not_fit, set_up),
		cmocka_unit_test_setup(test_msix_that_does_not_fit, set_up),
		cmocka_unit_test_setup(test_msix_table_elsewhere, set_up),
		cmocka_unit_test_setup(test_filter, set_up),
		cmocka_unit_test_setup(test_enhanced_allocation, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
