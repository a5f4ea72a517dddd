/* test_monitor_acpi.c: the tables as a guest finds them, and as iasl reads them. */
#include "monitor_host.h"
#include <unistd.h>
#include "guests/monitor/acpi.h"
#include "guests/monitor/pci.h"

#define BASE  0xe0000ull
#define BYTES 0x20000ull

static uint8_t area[BYTES];

static uint64_t get(const uint8_t *at, unsigned offset, unsigned bytes)
{
	uint64_t value = 0;

	memcpy(&value, at + offset, bytes);
	return value;
}

static const uint8_t *at(uint64_t address)
{
	assert_true(address >= BASE && address < BASE + BYTES);
	return area + (address - BASE);
}

static void check_sum(const uint8_t *table, uint64_t bytes)
{
	uint8_t sum = 0;

	for (uint64_t i = 0; i < bytes; i++)
		sum += table[i];
	assert_int_equal(sum, 0);
}

/* A table with that signature, its checksum and header checked. */
static const uint8_t *table_at(uint64_t address, const char *signature)
{
	const uint8_t *table = at(address);

	assert_memory_equal(table, signature, 4);
	assert_true(get(table, 4, 4) <= BYTES - (address - BASE));
	check_sum(table, get(table, 4, 4));
	return table;
}

static const uint8_t *xsdt_entry(unsigned index, const char *signature)
{
	const uint8_t *xsdt = table_at(get(at(BASE), 24, 8), "XSDT");

	assert_int_equal(get(xsdt, 4, 4), 36 + 24);
	return table_at(get(xsdt, 36 + 8 * index, 8), signature);
}

static int setup(void **state)
{
	(void)state;
	host_reset();
	memset(area, 0xcc, sizeof(area));
	assert_int_equal(acpi_build(area, BYTES, BASE, 3), BASE);
	return 0;
}

static void test_rsdp(void **state)
{
	(void)state;
	assert_memory_equal(area, "RSD PTR ", 8);
	check_sum(area, 20);
	check_sum(area, 36);
	assert_int_equal(area[15], 2);
}

static void test_fadt(void **state)
{
	(void)state;
	const uint8_t *fadt = xsdt_entry(0, "FACP");
	const uint8_t *facs = at(get(fadt, 36, 4));

	assert_int_equal(get(fadt, 36, 4) % 64, 0);
	assert_memory_equal(facs, "FACS", 4);
	assert_int_equal(get(fadt, 132, 8), 0); /* one of the two only (5.2.9) */
	assert_int_equal(get(fadt, 40, 4), get(fadt, 140, 8));
	table_at(get(fadt, 140, 8), "DSDT");
	assert_int_equal(get(fadt, 46, 2), 9);
	assert_int_equal(get(fadt, 48, 4), 0); /* no SMI: ACPI mode from the start */
	assert_int_equal(get(fadt, 56, 4), 0x600);
	assert_int_equal(get(fadt, 64, 4), 0x604);
	assert_int_equal(get(fadt, 76, 4), 0x608);
	assert_int_equal(get(fadt, 109, 2), 0x15);	       /* no 8042, no VGA; a CMOS clock */
	assert_int_equal(get(fadt, 112, 4) & 0x100500, 0x500); /* 32-bit timer, reset register, not reduced */
	assert_int_equal(get(fadt, 120, 8), 0xcf9);
	assert_int_equal(fadt[116], 1);
}

static void test_madt(void **state)
{
	(void)state;
	const uint8_t *madt = xsdt_entry(1, "APIC");
	unsigned counts[5] = { 0 }, offset = 44;

	assert_int_equal(get(madt, 36, 4), 0xfee00000);
	for (; offset < get(madt, 4, 4); offset += madt[offset + 1]) {
		const uint8_t *entry = madt + offset;

		assert_in_range(entry[0], 0, 4);
		assert_in_range(entry[1], 6, 12);
		if (entry[0] == 0) {
			assert_int_equal(entry[3], counts[0]); /* APIC ID = index */
			assert_int_equal(get(entry, 4, 4), 1);
		}
		if (entry[0] == 1) {
			assert_int_equal(get(entry, 4, 4), 0xfec00000);
			assert_int_equal(get(entry, 8, 4), 0);
		}
		if (entry[0] == 2 && entry[3] == 0)
			assert_int_equal(get(entry, 4, 4), 2); /* the timer is at pin 2 */
		if (entry[0] == 2 && entry[3] == 9)
			assert_int_equal(get(entry, 8, 2), 0xd);
		counts[entry[0]]++;
	}
	assert_int_equal(offset, get(madt, 4, 4));
	assert_int_equal(counts[0], 3);
	assert_int_equal(counts[1], 1);
	assert_int_equal(counts[2], 2);
}

static void test_mcfg(void **state)
{
	(void)state;
	const uint8_t *mcfg = xsdt_entry(2, "MCFG");

	assert_int_equal(get(mcfg, 4, 4), 36 + 8 + 16);
	assert_int_equal(get(mcfg, 36, 8), 0);
	assert_int_equal(get(mcfg, 44, 8), PCI_ECAM_ADDRESS);
	assert_int_equal(get(mcfg, 52, 8), 0); /* segment 0, buses 0 to 0: a megabyte */
	assert_int_equal(PCI_ECAM_BYTES, 1 << 20);
}

static void test_room(void **state)
{
	(void)state;
	/* As small as it gets, and each byte less is refused without a write outside. */
	uint64_t bytes = 4096;

	while (acpi_build(area, bytes, BASE, 254))
		bytes--;
	for (uint64_t less = 0; less <= bytes; less += 13) {
		uint8_t *exact = malloc(less + 1);

		assert_int_equal(acpi_build(exact, less, BASE, 254), 0);
		free(exact);
	}
}

/* Another program's opinion: iasl disassembles each without an error. */
static void test_iasl(void **state)
{
	(void)state;
	char folder[] = "/tmp/bulkhead-acpi-XXXXXX", command[256];
	const uint8_t *tables[] = { xsdt_entry(0, "FACP"), xsdt_entry(1, "APIC"),
				    at(get(xsdt_entry(0, "FACP"), 140, 8)), xsdt_entry(2, "MCFG") };
	static const char *const words[] = { "PM Timer Block", "I/O APIC", "PNP0C02", "E0000000" };

	if (system("command -v iasl > /dev/null 2>&1"))
		skip();
	assert_non_null(mkdtemp(folder));
	for (unsigned i = 0; i < 4; i++) {
		snprintf(command, sizeof(command), "%s/table.dat", folder);
		FILE *to = fopen(command, "wb");

		assert_non_null(to);
		assert_int_equal(fwrite(tables[i], get(tables[i], 4, 4), 1, to), 1);
		fclose(to);
		snprintf(command, sizeof(command),
			 "cd %s && iasl -d table.dat > log 2>&1 && ! grep -iE 'error|invalid|unknown' log", folder);
		assert_int_equal(system(command), 0);
		snprintf(command, sizeof(command), "grep -q '%s' %s/table.dsl", words[i], folder);
		assert_int_equal(system(command), 0);
	}
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rsdp, setup), cmocka_unit_test_setup(test_fadt, setup),
		cmocka_unit_test_setup(test_madt, setup), cmocka_unit_test_setup(test_mcfg, setup),
		cmocka_unit_test_setup(test_room, setup), cmocka_unit_test_setup(test_iasl, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
