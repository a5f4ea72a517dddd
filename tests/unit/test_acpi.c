#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "boot/acpi.h"

#define BASE  0x7fe00000ull
#define BYTES 0x10000u
#define RSDP  0x40u
#define XSDT  0x100u
#define RSDT  0x200u
#define MADT  0x1000u
#define FADT  0x3000u
#define MCFG  0x3800u
#define HPET  0x3c00u

static uint8_t memory[BYTES];
static uint8_t *mapped;
static struct acpi acpi;

/* Hands out copies of the exact size, so that the sanitizer sees a byte too far or one read too
 * late. */
static const void *map(uint64_t physical, uint64_t bytes)
{
	free(mapped);
	mapped = NULL;
	if (physical < BASE || physical - BASE > BYTES || bytes > BYTES - (physical - BASE))
		return NULL;
	mapped = malloc(bytes);
	memcpy(mapped, memory + (physical - BASE), bytes);
	return mapped;
}

static bool parse_at(uint64_t rsdp)
{
	acpi_parse(&acpi, rsdp, map);
	return acpi.found;
}

static bool parse(void) { return parse_at(BASE + RSDP); }

static void put(uint32_t at, uint64_t value, unsigned bytes) { memcpy(memory + at, &value, bytes); }

static void seal_at(uint32_t at, uint32_t length, uint32_t checksum_at)
{
	uint8_t sum = 0;

	memory[checksum_at] = 0;
	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + memory[at + i]);
	memory[checksum_at] = (uint8_t)-sum;
}

static void seal(uint32_t at, const char *signature, uint32_t length)
{
	memcpy(memory + at, signature, 4);
	put(at + 4, length, 4);
	seal_at(at, length, at + 9);
}

static uint32_t madt_end;

static void madt_add(const uint8_t *entry, uint32_t bytes)
{
	memcpy(memory + MADT + madt_end, entry, bytes);
	madt_end += bytes;
	seal(MADT, "APIC", madt_end);
}

static void build_madt(void)
{
	static const uint8_t cpu0[] = { 0, 8, 0, 3, 1, 0, 0, 0 };
	static const uint8_t cpu1_off[] = { 0, 8, 1, 5, 2, 0, 0, 0 };
	static const uint8_t x2apic[] = { 9, 16, 0, 0, 0x2c, 1, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0 };
	static const uint8_t again[] = { 9, 16, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0 };
	static const uint8_t io[] = { 1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0 };
	static const uint8_t override[] = { 2, 10, 0, 9, 20, 0, 0, 0, 0x0f, 0 };

	madt_end = 44;
	madt_add(cpu0, sizeof(cpu0));
	madt_add(cpu1_off, sizeof(cpu1_off));
	madt_add(x2apic, sizeof(x2apic));
	madt_add(again, sizeof(again));
	madt_add(io, sizeof(io));
	madt_add(override, sizeof(override));
}

static void build_fadt(void)
{
	put(FADT + 76, 0x608, 4);
	put(FADT + 91, 4, 1);
	put(FADT + 112, 1u << 8 | 1u << 10, 4);
	put(FADT + 116, 1, 1);
	put(FADT + 120, 0xcf9, 8);
	put(FADT + 128, 15, 1);
	seal(FADT, "FACP", 244);
}

static int build(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	build_madt();
	build_fadt();
	seal(MCFG, "MCFG", 60);
	put(HPET + 44, 0xfed00000, 8);
	seal(HPET, "HPET", 56);
	for (unsigned i = 0; i < 4; i++) {
		static const uint32_t at[] = { MADT, FADT, MCFG, HPET };

		put(XSDT + 36 + 8 * i, BASE + at[i], 8);
		put(RSDT + 36 + 4 * i, BASE + at[i], 4);
	}
	seal(XSDT, "XSDT", 36 + 4 * 8);
	seal(RSDT, "RSDT", 36 + 4 * 4);
	memcpy(memory + RSDP, "RSD PTR ", 8);
	put(RSDP + 15, 2, 1);
	put(RSDP + 16, BASE + RSDT, 4);
	put(RSDP + 20, 36, 4);
	put(RSDP + 24, BASE + XSDT, 8);
	seal_at(RSDP, 20, RSDP + 8);
	seal_at(RSDP, 36, RSDP + 32);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(mapped);
	mapped = NULL;
	return 0;
}

static void assert_everything(void)
{
	assert_true(acpi.madt);
	assert_int_equal(acpi.cpus, 2);
	assert_int_equal(acpi.apic_id[0], 3);
	assert_int_equal(acpi.apic_id[1], 300);
	assert_int_equal(acpi.ioapics, 1);
	assert_int_equal(acpi.ioapic[0].address, 0xfec00000);
	assert_int_equal(acpi.ioapic[0].gsi_base, 24);
	assert_int_equal(acpi.isa[9].gsi, 20);
	assert_true(acpi.isa[9].overridden && acpi.isa[9].active_low && acpi.isa[9].level);
	assert_int_equal(acpi.isa[0].gsi, 0);
	assert_int_equal(acpi.isa[8].gsi, 8);
	assert_false(acpi.isa[8].overridden || acpi.isa[8].active_low || acpi.isa[8].level);
	assert_int_equal(acpi.pm_timer_port, 0x608);
	assert_true(acpi.pm_timer_32bit);
	assert_int_equal(acpi.reset_space, 1);
	assert_int_equal(acpi.reset_address, 0xcf9);
	assert_int_equal(acpi.reset_value, 15);
	assert_int_equal(acpi.hpet, 0xfed00000);
	assert_int_equal(acpi.damaged, 0);
}

static void test_xsdt(void **state)
{
	(void)state;
	put(RSDP + 16, 0, 4); /* no RSDT to fall back on */
	seal_at(RSDP, 20, RSDP + 8);
	seal_at(RSDP, 36, RSDP + 32);
	assert_true(parse());
	assert_everything();
}

static void test_rsdt(void **state)
{
	(void)state;
	put(RSDP + 15, 0, 1);
	seal_at(RSDP, 20, RSDP + 8);
	assert_true(parse());
	assert_everything();
}

/* A damaged XSDT, or second checksum of the RSDP: the RSDT serves. */
static void test_fallback(void **state)
{
	(void)state;
	memory[XSDT + 20] ^= 1;
	assert_true(parse());
	assert_everything();
	memory[XSDT + 20] ^= 1;
	memory[RSDP + 33] ^= 1;
	assert_true(parse());
	assert_everything();
}

static void test_no_rsdp(void **state)
{
	(void)state;
	assert_false(parse_at(0));
	assert_int_equal(acpi.ioapics, 1); /* as every PC has it */
	assert_int_equal(acpi.ioapic[0].address, 0xfec00000);
	assert_int_equal(acpi.isa[0].gsi, 2);
	assert_int_equal(acpi.isa[1].gsi, 1);
	assert_false(parse_at(0x1000));
	assert_false(parse_at(BASE + BYTES - 10));
	memory[RSDP] = 'X';
	assert_false(parse());
	assert_int_equal(acpi.reset_space, 0xff);
	assert_int_equal(acpi.cpus, 0);
}

static void test_bad_checksum(void **state)
{
	(void)state;
	memory[MADT + 50] ^= 0x40;
	assert_true(parse());
	assert_false(acpi.madt);
	assert_int_equal(acpi.pm_timer_port, 0x608);
	assert_int_equal(acpi.damaged, 1);
}

static void test_bad_lengths(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 35, 0x80001, 0x7fffffff, 0xffffffff, BYTES };

	(void)state;
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		build(NULL);
		put(FADT + 4, lengths[i], 4);
		assert_true(parse());
		assert_int_equal(acpi.pm_timer_port, 0);
		assert_true(acpi.madt);
		assert_int_equal(acpi.damaged, 1);

		build(NULL);
		put(XSDT + 4, lengths[i], 4);
		put(RSDT + 4, lengths[i], 4);
		assert_false(parse());
	}
}

/* Entries of length 0, 1, or past the end: what came before them counts, and the parser ends. */
static void test_bad_madt_entries(void **state)
{
	static const uint8_t bad[][2] = { { 0, 0 }, { 0, 1 }, { 0, 200 }, { 1, 3 }, { 9, 2 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		build(NULL);
		madt_add(bad[i], 2);
		assert_true(parse());
		assert_everything();
	}
	build(NULL);
	madt_add((const uint8_t[]){ 0 }, 1);
	assert_true(parse());
	assert_everything();
}

static void test_too_many(void **state)
{
	uint8_t x2apic[] = { 9, 16, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t io[] = { 1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0 };
	static const uint8_t other[] = { 2, 10, 0, 9, 21, 0, 0, 0, 0, 0 },
			     beyond[] = { 2, 10, 0, 16, 22, 0, 0, 0, 0, 0 };

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		x2apic[4] = (uint8_t)i;
		x2apic[5] = (uint8_t)(4 + i / 256);
		madt_add(x2apic, sizeof(x2apic));
	}
	for (unsigned i = 0; i < 40; i++) {
		madt_add(io, sizeof(io));
		madt_add(other, sizeof(other));
		madt_add(beyond, sizeof(beyond));
	}
	assert_true(parse());
	assert_int_equal(acpi.cpus, ACPI_CPUS);
	assert_int_equal(acpi.cpus_left_out, 302 - ACPI_CPUS);
	assert_int_equal(acpi.ioapics, ACPI_IOAPICS);
	assert_int_equal(acpi.isa[9].gsi, 20); /* the first one counts */
	assert_int_equal(acpi.isa[0].gsi, 0);
}

static void mcfg_entry(unsigned i, uint64_t address, unsigned segment, unsigned first, unsigned last)
{
	put(MCFG + 44 + 16 * i, address, 8);
	put(MCFG + 52 + 16 * i, segment | first << 16 | last << 24, 4);
	seal(MCFG, "MCFG", 44 + 16 * (i + 1));
}

/* An address that is none or does not fit, buses that end before they begin, half an entry: left out. */
static void test_mcfg(void **state)
{
	(void)state;
	mcfg_entry(0, 0xb0000000, 0, 0, 255);
	mcfg_entry(1, 0, 0, 0, 255);
	mcfg_entry(2, 0xb0010000, 0, 0, 255);
	mcfg_entry(3, 0xb0000000, 0, 8, 7);
	mcfg_entry(4, 0x380000000000, 3, 0x40, 0x40);
	put(MCFG + 44 + 16 * 5, 0xc0000000, 8);
	seal(MCFG, "MCFG", 44 + 16 * 5 + 15);
	assert_true(parse());
	assert_int_equal(acpi.ecams, 2);
	assert_int_equal(acpi.ecam[0].address, 0xb0000000);
	assert_int_equal(acpi.ecam[0].last_bus, 255);
	assert_int_equal(acpi.ecam[1].address, 0x380000000000);
	assert_int_equal(acpi.ecam[1].segment, 3);
	assert_int_equal(acpi.ecam[1].first_bus, 0x40);
	assert_int_equal(acpi.ecam[1].last_bus, 0x40);
	for (unsigned i = 0; i < ACPI_ECAMS + 2; i++)
		mcfg_entry(i, 0xb0000000, i, 0, 255);
	assert_true(parse());
	assert_int_equal(acpi.ecams, ACPI_ECAMS);
}

static void test_short_tables(void **state)
{
	(void)state;
	seal(FADT, "FACP", 116); /* of ACPI 1.0: no reset register */
	seal(HPET, "HPET", 50);
	seal(MADT, "APIC", 40);
	assert_true(parse());
	assert_int_equal(acpi.pm_timer_port, 0x608);
	assert_int_equal(acpi.pm_timer_port, 0x608);
	assert_int_equal(acpi.reset_space, 0xff);
	assert_int_equal(acpi.hpet, 0);
	assert_false(acpi.madt);
	assert_int_equal(acpi.damaged, 0);
}

/* A root table that names itself and others that name nothing: no recursion, no crash. */
static void test_strange_pointers(void **state)
{
	(void)state;
	put(XSDT + 36, BASE + XSDT, 8);
	put(XSDT + 44, 0, 8);
	put(XSDT + 52, UINT64_MAX, 8);
	put(XSDT + 60, BASE + BYTES - 36, 8);
	seal(XSDT, "XSDT", 68);
	assert_true(parse());
	assert_int_equal(acpi.damaged, 3);
	assert_false(acpi.madt);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, build, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_xsdt),	 TEST(test_rsdt),	  TEST(test_fallback),	       TEST(test_no_rsdp),
		TEST(test_bad_checksum), TEST(test_bad_lengths),  TEST(test_bad_madt_entries), TEST(test_too_many),
		TEST(test_mcfg),	 TEST(test_short_tables), TEST(test_strange_pointers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
