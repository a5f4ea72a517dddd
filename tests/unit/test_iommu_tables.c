#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "boot/iommu_tables.h"
#include "apic.h"
#include "kernel_fakes.h"
#include "iommu/iommu_unit.h"

static uint8_t image[4096];
static uint32_t image_bytes;
static struct iommu_tables t;

bool apic_is_x2apic(void) { return false; }

/* Parses a copy of the exact size, so that the sanitizer sees a byte too far. */
static bool parse(bool dmar);

static void begin(const char *signature)
{
	memset(image, 0, sizeof(image));
	memcpy(image, signature, 4);
	image_bytes = 48;
}

static void put(uint32_t at, uint64_t value, unsigned bytes) { memcpy(image + at, &value, bytes); }

/* Appends a structure; returns where it stands. */
static uint32_t add(const void *bytes, uint32_t count)
{
	uint32_t at = image_bytes;

	memcpy(image + at, bytes, count);
	image_bytes += count;
	return at;
}

/* ---- DMAR -------------------------------------------------------------------------------------- */

/* 00:1c.0 leads to bus 2 (to 3), 02:00.0 to bus 5; 00:1e.0 leads nowhere. */
static uint32_t buses(uint16_t bridge)
{
	switch (bridge) {
	case 0x00e0: return 0x00030200;
	case 0x0200: return 0x00050502;
	case 0x00f0: return 0;
	default: return UINT32_MAX;
	}
}

static bool parse(bool dmar)
{
	uint8_t *copy = malloc(image_bytes ? image_bytes : 1);

	memcpy(copy, image, image_bytes);
	if (dmar)
		dmar_parse(&t, copy, image_bytes, buses);
	else
		ivrs_parse(&t, copy, image_bytes);
	free(copy);
	if (t.kind != IOMMU_DAMAGED)
		assert_int_equal(t.kind, dmar ? IOMMU_VTD : IOMMU_AMD_VI);
	return t.kind != IOMMU_DAMAGED;
}

static uint32_t add_drhd(bool all, uint16_t segment, uint64_t base, const void *scopes, uint16_t bytes)
{
	uint8_t head[16] = { 0, 0, (uint8_t)(16 + bytes), 0, all };
	uint32_t at;

	memcpy(head + 6, &segment, 2);
	memcpy(head + 8, &base, 8);
	at = add(head, 16);
	if (bytes)
		add(scopes, bytes);
	return at;
}

static uint32_t add_rmrr(uint64_t base, uint64_t last, const void *scopes, uint16_t bytes)
{
	uint8_t head[24] = { 1, 0, (uint8_t)(24 + bytes) };
	uint32_t at;

	memcpy(head + 8, &base, 8);
	memcpy(head + 16, &last, 8);
	at = add(head, 24);
	if (bytes)
		add(scopes, bytes);
	return at;
}

static const uint8_t graphics[] = { 1, 8, 0, 0, 0, 0, 2, 0 };			/* 00:02.0 */
static const uint8_t behind[] = { 1, 10, 0, 0, 0, 0, 0x1c, 0, 1, 3 };		/* 02:01.3 */
static const uint8_t far_behind[] = { 1, 12, 0, 0, 0, 0, 0x1c, 0, 0, 0, 4, 0 }; /* 05:04.0 */
static const uint8_t bridge[] = { 2, 8, 0, 0, 0, 0, 0x1c, 0 };			/* buses 2, 3 */
static const uint8_t dead_bridge[] = { 2, 8, 0, 0, 0, 0, 0x1e, 0 };
static const uint8_t ioapic[] = { 3, 8, 0, 0, 7, 0xf0, 0x1f, 0 };
static const uint8_t hpet[] = { 4, 8, 0, 0, 0, 0xf0, 0xf, 0 };

static uint16_t alias;

static int unit_of(uint16_t segment, uint16_t device)
{
	int unit;

	iommu.tables = &t;
	unit = iommu_unit_of(segment, &device);
	alias = device;
	return unit;
}

static void test_dmar(void **state)
{
	uint8_t scopes[sizeof(ioapic) + sizeof(hpet)];

	(void)state;
	memcpy(scopes, ioapic, sizeof(ioapic));
	memcpy(scopes + sizeof(ioapic), hpet, sizeof(hpet));
	begin("DMAR");
	image[37] = 1;
	add_drhd(false, 0, 0xfed90000, graphics, sizeof(graphics));
	add_drhd(true, 0, 0xfed91000, scopes, sizeof(scopes));
	add_rmrr(0x7b800000, 0x7fffffff, graphics, sizeof(graphics));
	add("\2\0\x8\0\1\0\0", 8); /* ATSR: of no use */
	assert_true(parse(true));
	assert_true(t.remap);
	assert_true(t.x2apic);
	assert_int_equal(t.units, 2);
	assert_int_equal(t.unit[0].base, 0xfed90000);
	assert_false(t.unit[0].all);
	assert_int_equal(t.unit[1].base, 0xfed91000);
	assert_true(t.unit[1].all);
	assert_int_equal(unit_of(0, 0x0010), 0);
	assert_int_equal(unit_of(0, 0x0018), 1);
	assert_int_equal(unit_of(1, 0x0018), -1);
	assert_int_equal(t.ioapics, 1);
	assert_int_equal(t.ioapic[0].id, 7);
	assert_int_equal(t.ioapic[0].device, 0xf0f8);
	assert_int_equal(t.ioapic[0].unit, 1);
	assert_int_equal(t.regions, 1);
	assert_int_equal(t.region[0].base, 0x7b800000);
	assert_int_equal(t.region[0].last, 0x7fffffff);
	assert_int_equal(t.region[0].first_device, 0x10);
	assert_int_equal(t.region[0].last_device, 0x10);
	image[37] = 2;
	assert_true(parse(true));
	assert_false(t.remap);
	assert_false(t.x2apic);
}

static void test_dmar_paths(void **state)
{
	(void)state;
	begin("DMAR");
	add_drhd(false, 3, 0x1000, behind, sizeof(behind));
	add_drhd(false, 3, 0x2000, far_behind, sizeof(far_behind));
	add_drhd(false, 3, 0x3000, bridge, sizeof(bridge));
	add_drhd(false, 3, 0x4000, dead_bridge, sizeof(dead_bridge));
	assert_true(parse(true));
	assert_int_equal(unit_of(3, 0x020b), 0);
	assert_int_equal(unit_of(3, 0x0520), 1);
	assert_int_equal(unit_of(3, 0x00e0), 2);
	assert_int_equal(unit_of(3, 0x0200), 2);
	assert_int_equal(unit_of(3, 0x03ff), 2);
	assert_int_equal(unit_of(3, 0x0400), -1);
	assert_int_equal(unit_of(3, 0x00f0), 3);
	assert_int_equal(unit_of(3, 0x00f1), -1);
	assert_int_equal(unit_of(0, 0x00f0), -1);
}

static void test_dmar_damaged(void **state)
{
	uint32_t at;

	(void)state;
	begin("DMAR");
	assert_false(parse(true)); /* no unit */
	image_bytes = 47;
	assert_false(parse(true));
	begin("DMAR");
	at = add_drhd(true, 0, 0xfed90000, ioapic, sizeof(ioapic));
	assert_true(parse(true));
	image[at + 17] = 0; /* a scope of no length */
	assert_false(parse(true));
	image[at + 17] = 7;
	assert_false(parse(true));
	image[at + 17] = 10; /* beyond its structure */
	assert_false(parse(true));
	image[at + 17] = 8;
	put(at + 2, 0, 2);
	assert_false(parse(true));
	put(at + 2, 3, 2);
	assert_false(parse(true));
	put(at + 2, 15, 2); /* too short for what it is */
	assert_false(parse(true));
	put(at + 2, 25, 2); /* beyond the table */
	assert_false(parse(true));
	put(at + 2, 24, 2);
	assert_true(parse(true));
	add("\0", 1); /* three bytes short of a head */
	assert_false(parse(true));
	image_bytes--;
	at = add_rmrr(0, 0xfff, NULL, 0);
	assert_true(parse(true));
	put(at + 2, 23, 2);
	assert_false(parse(true));
}

static void test_dmar_too_much(void **state)
{
	(void)state;
	begin("DMAR");
	for (unsigned i = 0; i < IOMMU_UNITS; i++)
		add_drhd(false, 0, i << 12, NULL, 0);
	assert_true(parse(true));
	add_drhd(true, 0, 0xfed90000, NULL, 0);
	assert_false(parse(true));
	begin("DMAR");
	add_drhd(true, 0, 0xfed90000, NULL, 0);
	for (unsigned i = 0; i < IOMMU_RESERVED; i++)
		add_rmrr(i << 12, i << 12 | 0xfff, graphics, sizeof(graphics));
	assert_true(parse(true));
	add_rmrr(0, 0xfff, graphics, sizeof(graphics));
	assert_false(parse(true));
	begin("DMAR");
	add_drhd(true, 0, 0xfed90000, NULL, 0);
	for (unsigned i = 0; i <= IOMMU_IOAPICS; i++)
		add_drhd(false, 0, i << 12, ioapic, sizeof(ioapic));
	assert_false(parse(true));
}

/* ---- IVRS -------------------------------------------------------------------------------------- */

static uint32_t add_ivhd(uint8_t type, uint16_t segment, uint64_t base, const void *entries, uint16_t bytes)
{
	uint8_t head[40] = { type, 0x2e };
	uint16_t head_bytes = type == 0x10 ? 24 : 40, length = (uint16_t)(head_bytes + bytes);
	uint32_t at;

	memcpy(head + 2, &length, 2);
	memcpy(head + 8, &base, 8);
	memcpy(head + 16, &segment, 2);
	at = add(head, head_bytes);
	if (bytes)
		add(entries, bytes);
	return at;
}

static uint32_t add_ivmd(uint8_t type, uint16_t first, uint16_t last, uint64_t base, uint64_t length)
{
	uint8_t block[32] = { type, 7, 32 };

	memcpy(block + 4, &first, 2);
	memcpy(block + 6, &last, 2);
	memcpy(block + 16, &base, 8);
	memcpy(block + 24, &length, 8);
	return add(block, 32);
}

static const uint8_t entries[] = {
	2,  0x10, 0x00, 0,		     /* select 00:02.0 */
	0,  0,	  0,	0,		     /* padding */
	3,  0x00, 0x01, 0,		     /* range 01:00.0 */
	4,  0xff, 0x01, 0,		     /* to 01:1f.7 */
	66, 0x18, 0x00, 0, 0, 0x20, 0x00, 0, /* 00:03.0 looks like 00:04.0 */
	67, 0x00, 0x02, 0, 0, 0xa0, 0x00, 0, /* range from 02:00.0 as 00:14.0 */
	4,  0xff, 0x02, 0,		     /* to 02:1f.7 */
	72, 0,	  0,	0, 5, 0xa0, 0x00, 1, /* I/O APIC 5 */
	72, 0,	  0,	0, 0, 0xa1, 0x00, 2, /* HPET */
	70, 0x30, 0x00, 0, 0, 0,    0,	  0, /* extended select 00:06.0 */
};

static void test_ivrs(void **state)
{
	(void)state;
	begin("IVRS");
	add_ivhd(0x10, 0, 0xfed80000, entries, sizeof(entries));
	add_ivmd(0x21, 0x0010, 0xffff, 0x7b800000, 0x1000);
	add_ivmd(0x22, 0x0100, 0x0107, 0x7b900000, 0x3000);
	add_ivmd(0x20, 0x0100, 0x0107, 0x7ba00000, 0x1000);
	assert_true(parse(false));
	assert_true(t.remap);
	assert_int_equal(t.units, 1);
	assert_int_equal(t.unit[0].base, 0xfed80000);
	assert_int_equal(t.unit[0].flags, 0x2e);
	assert_false(t.unit[0].all);
	assert_int_equal(unit_of(0, 0x0010), 0);
	assert_int_equal(unit_of(0, 0x0011), -1);
	assert_int_equal(unit_of(0, 0x0100), 0);
	assert_int_equal(unit_of(0, 0x01ff), 0);
	assert_int_equal(unit_of(0, 0x0030), 0);
	assert_int_equal(unit_of(0, 0x0300), -1);
	assert_int_equal(unit_of(0, 0x0018), 0);
	assert_int_equal(alias, 0x0020);
	assert_int_equal(unit_of(0, 0x0288), 0);
	assert_int_equal(alias, 0x00a0);
	assert_int_equal(t.ioapics, 1);
	assert_int_equal(t.ioapic[0].id, 5);
	assert_int_equal(t.ioapic[0].device, 0x00a0);
	assert_int_equal(t.regions, 3);
	assert_int_equal(t.region[0].first_device, 0); /* 20h comes first */
	assert_int_equal(t.region[0].last_device, 0xffff);
	assert_int_equal(t.region[1].first_device, 0x10);
	assert_int_equal(t.region[1].last_device, 0x10);
	assert_int_equal(t.region[1].last, 0x7b800fff);
	assert_int_equal(t.region[2].first_device, 0x100);
	assert_int_equal(t.region[2].last_device, 0x107);
}

/* A unit is described once for each generation of software: the newest counts. */
static void test_ivrs_types(void **state)
{
	static const uint8_t old[] = { 1, 0, 0, 0 };
	static const uint8_t with_acpi[] = { 2,	  0x10, 0, 0, 240, 0x99, 0, 0, 'A', 'M', 'D', 'I', '0', '0', '2',
					     '0', 0,	0, 0, 0,   0,	 0, 0, 0,   1,	 3,   'U', 'I', 'D' };

	(void)state;
	begin("IVRS");
	add_ivhd(0x10, 0, 0xfed80000, old, sizeof(old));
	add_ivhd(0x11, 0, 0xfed80000, old, sizeof(old));
	add_ivhd(0x40, 0, 0xfed80000, with_acpi, sizeof(with_acpi));
	add_ivhd(0x10, 1, 0xfee80000, old, sizeof(old));
	assert_true(parse(false));
	assert_int_equal(t.units, 2);
	assert_int_equal(t.ranges, 3);
	assert_int_equal(unit_of(0, 0x0010), 0);
	assert_int_equal(unit_of(0, 0x0099), 0);
	assert_int_equal(unit_of(0, 0x0098), -1);
	assert_int_equal(unit_of(1, 0x0098), 1);
}

static void refuse(const void *bytes, uint16_t count)
{
	begin("IVRS");
	add_ivhd(0x10, 0, 0xfed80000, bytes, count);
	assert_false(parse(false));
}

static void test_ivrs_damaged(void **state)
{
	uint32_t at;

	(void)state;
	begin("IVRS");
	assert_false(parse(false));
	image_bytes = 10;
	assert_false(parse(false));
	refuse("\4\0\0\0", 4);		 /* the end of no range */
	refuse("\3\0\0\0", 4);		 /* a range without end */
	refuse("\3\x10\0\0\4\0\0\0", 8); /* backwards */
	refuse("\2\0\0", 3);		 /* cut off */
	refuse("\x42\0\0\0", 4);
	refuse("\xf0\0\0\0\0\0\0\0", 8);
	begin("IVRS");
	at = add_ivhd(0x11, 0, 0xfed80000, entries, sizeof(entries));
	assert_true(parse(false));
	put(at + 2, 39, 2);
	assert_false(parse(false));
	put(at + 2, 0, 2);
	assert_false(parse(false));
	put(at + 2, 0xffff, 2);
	assert_false(parse(false));
	put(at + 2, 40 + sizeof(entries), 2);
	add_ivmd(0x21, 0, 0, 0x1000, 0); /* of no length */
	assert_false(parse(false));
	image_bytes -= 32;
	add_ivmd(0x22, 2, 1, 0x1000, 0x1000);
	assert_false(parse(false));
	image_bytes -= 32;
	add_ivmd(0x21, 0, 0, 0xfffffffffffff000, 0x2000);
	assert_false(parse(false));
	image_bytes -= 32;
	at = add_ivmd(0x21, 0, 0, 0x1000, 0x1000);
	assert_true(parse(false));
	put(at + 2, 31, 2);
	assert_false(parse(false));
}

static void test_ivrs_too_much(void **state)
{
	(void)state;
	begin("IVRS");
	for (unsigned i = 0; i < IOMMU_UNITS; i++)
		add_ivhd(0x10, 0, i << 12, NULL, 0);
	assert_true(parse(false));
	add_ivhd(0x10, 0, 0xfed80000, NULL, 0);
	assert_false(parse(false));
	begin("IVRS");
	for (unsigned i = 0; i < 15; i++)
		add_ivhd(0x10, 0, i << 12, entries, sizeof(entries));
	assert_true(parse(false));
	add_ivhd(0x10, 0, 0xfed80000, entries + 36, 8);
	add_ivhd(0x10, 0, 0xfed81000, entries + 36, 8);
	assert_false(parse(false)); /* I/O APICs */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dmar),	     cmocka_unit_test(test_dmar_paths),
		cmocka_unit_test(test_dmar_damaged), cmocka_unit_test(test_dmar_too_much),
		cmocka_unit_test(test_ivrs),	     cmocka_unit_test(test_ivrs_types),
		cmocka_unit_test(test_ivrs_damaged), cmocka_unit_test(test_ivrs_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
