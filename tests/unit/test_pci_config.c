/* The source itself, with ports of the test's own. */
#include "io.h"
#define outb fake_outb
#define outw fake_outw
#define outl fake_outl
#define inl  fake_inl
#include <stdint.h>
static void fake_outb(uint16_t port, uint8_t value);
static void fake_outw(uint16_t port, uint16_t value);
static void fake_outl(uint16_t port, uint32_t value);
static uint32_t fake_inl(uint16_t port);
#include "arch/x86_64/pci_config.c"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct acpi machine_acpi;
static uint8_t *registers;
static bool room;

/* The last accesses by ports. */
static uint32_t chosen, written;
static unsigned written_bytes, written_port;

static void note(uint16_t port, uint32_t value, unsigned bytes)
{
	written_port = port;
	written = value;
	written_bytes = bytes;
}

static void fake_outb(uint16_t port, uint8_t value) { note(port, value, 1); }

static void fake_outw(uint16_t port, uint16_t value) { note(port, value, 2); }

static void fake_outl(uint16_t port, uint32_t value)
{
	if (port == 0xcf8)
		chosen = value;
	else
		note(port, value, 4);
}

static uint32_t fake_inl(uint16_t port)
{
	assert_int_equal(port, 0xcfc);
	return 0x44332211;
}

void log_printf(const char *format, ...) { (void)format; }

void *mmio_map(uint64_t physical, uint64_t bytes, unsigned type)
{
	assert_int_equal(physical, 0xb0000000 + 0x200000);
	assert_int_equal(bytes, 0x200000);
	assert_int_equal(type, PAGING_UC);
	return room ? registers : NULL;
}

static int set_up(void **state)
{
	(void)state;
	memset(&machine_acpi, 0, sizeof(machine_acpi));
	memset(ecam, 0, sizeof(ecam));
	chosen = written = written_bytes = written_port = 0;
	room = true;
	return 0;
}

static void test_ports(void **state)
{
	(void)state;
	pci_config_init();
	assert_int_equal(pci_read(0x1234, 0x40, 4), 0x44332211);
	assert_int_equal(chosen, 0x80123440);
	assert_int_equal(pci_read(0x1234, 0x42, 2), 0x4433);
	assert_int_equal(pci_read(0x1234, 0x43, 1), 0x44);
	assert_int_equal(chosen, 0x80123440);
	assert_int_equal(pci_config_bytes(0x1234), 256);
	/* What the ports do not reach. */
	assert_int_equal(pci_read(0x1234, 0x100, 2), 0xffff);
	assert_int_equal(pci_read(0x11234, 0, 4), 0xffffffff);

	pci_write(0xff, 0x07, 1, 0xab);
	assert_int_equal(chosen, 0x8000ff04);
	assert_int_equal(written_port, 0xcff);
	assert_int_equal(written_bytes, 1);
	pci_write(0xff, 0x06, 2, 0xabcd);
	assert_int_equal(written_port, 0xcfe);
	assert_int_equal(written_bytes, 2);
	pci_write(0xff, 0x04, 4, 0x89abcdef);
	assert_int_equal(written, 0x89abcdef);
	written_bytes = 0;
	pci_write(0xff, 0x100, 4, 0);
	pci_write(0x100ff, 0, 4, 0);
	assert_int_equal(written_bytes, 0);
	assert_int_equal(lock.next, lock.serving);
}

static void test_ecam(void **state)
{
	uint8_t *at;

	(void)state;
	registers = calloc(2, 0x100000);
	machine_acpi.ecams = 1;
	machine_acpi.ecam[0] = (struct acpi_ecam){ 0xb0000000, 1, 2, 3 };
	pci_config_init();
	at = registers + 0x100000 + 0xa1 * 0x1000 + 0xffc; /* 0001:03:14.1 */
	memcpy(at, "\x11\x22\x33\x44", 4);
	assert_int_equal(pci_read(0x103a1, 0xffc, 4), 0x44332211);
	assert_int_equal(pci_read(0x103a1, 0xffe, 2), 0x4433);
	assert_int_equal(pci_read(0x103a1, 0xfff, 1), 0x44);
	assert_int_equal(pci_config_bytes(0x103a1), 4096);
	pci_write(0x103a1, 0xffd, 1, 0xee);
	pci_write(0x103a1, 0xffe, 2, 0xabcd);
	assert_memory_equal(at, "\x11\xee\xcd\xab", 4);
	pci_write(0x103a1, 0xffc, 4, 0x01020304);
	assert_memory_equal(at, "\x04\x03\x02\x01", 4);
	/* Outside of its buses, and of its segment. */
	assert_int_equal(pci_read(0x104a1, 0, 4), 0xffffffff);
	assert_int_equal(pci_read(0x101a1, 0, 4), 0xffffffff);
	assert_int_equal(pci_read(0x03a1, 0, 4), 0x44332211);
	assert_int_equal(chosen, 0x8003a100);
	free(registers);
}

static void test_no_room(void **state)
{
	(void)state;
	room = false;
	machine_acpi.ecams = 1;
	machine_acpi.ecam[0] = (struct acpi_ecam){ 0xb0000000, 0, 2, 3 };
	pci_config_init();
	assert_int_equal(pci_config_bytes(0x200), 256);
	assert_int_equal(pci_read(0x200, 0, 4), 0x44332211);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ports, set_up),
		cmocka_unit_test_setup(test_ecam, set_up),
		cmocka_unit_test_setup(test_no_room, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
