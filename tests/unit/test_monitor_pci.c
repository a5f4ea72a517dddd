/* test_monitor_pci.c: the bus as a guest finds it: configuration by ports and memory, BARs, capabilities, MSI-X. */
#include "monitor_host.h"
#include "guests/monitor/msix.h"
#include "guests/monitor/pci.h"

#define SLOT(n)	   (0x80000000u | (n) << 11)
#define VECTORS	   3
#define MEMORY	   4
#define PORTS	   0
#define TABLE	   0x1000u
#define ADDRESS	   0xd0000000u
#define PORT	   0xc040u
#define ECAM(n)	   (PCI_ECAM_ADDRESS + ((n) << 15))
#define MESSAGE(n) (0xfee00000u | (n) << 12)

static struct pci pci;
static struct pci_function function;
static struct msix msix;
static struct {
	unsigned bar, size;
	uint32_t offset;
	uint64_t value;
} last;
static unsigned resets, written;

static uint64_t device_read(void *device, unsigned bar, uint32_t offset, unsigned size)
{
	assert_ptr_equal(device, &last);
	last.bar = bar;
	last.offset = offset;
	last.size = size;
	return 0x1122334455667788;
}

static void device_write(void *device, unsigned bar, uint32_t offset, unsigned size, uint64_t value)
{
	device_read(device, bar, offset, size);
	last.value = value;
}

static void device_reading(void *device, unsigned offset, unsigned size)
{
	assert_ptr_equal(device, &last);
	assert_true(offset + size <= PCI_CONFIG_BYTES);
}

static void device_written(void *device, unsigned offset, unsigned size)
{
	device_reading(device, offset, size);
	written++;
	msix_changed(&msix);
}

static void reset(void *context)
{
	(void)context;
	resets++;
}

static void msi(void *context, uint64_t address, uint32_t data)
{
	(void)context;
	bh_call3(BH_GUEST_MSI, 0, address, data);
}

static int setup(void **state)
{
	static const struct pci_operations operations = { device_read, device_write, device_reading, device_written };
	static const struct pci_ids ids = { 0x1234, 0x5678, 0x020000, 9, 0xabcd, 0xef01 };

	(void)state;
	host_reset();
	resets = written = 0;
	pci_init(&pci, &(struct pci_outside){ reset, NULL });
	pci_function_init(&function, &ids, &operations, &last);
	pci_function_add_bar(&function, PORTS, true, 64, PORT);
	pci_function_add_bar(&function, MEMORY, false, 0x2000, ADDRESS);
	msix_init(&msix, &function, VECTORS, MEMORY, TABLE, 0x1800, &(struct msix_outside){ msi, NULL });
	pci_function_add_capability(&function, 9, 18);
	pci_function_add_capability(&function, 9, 4);
	pci_add(&pci, 2, &function);
	return 0;
}

static uint32_t get(uint32_t address, unsigned size)
{
	pci_write(&pci, 0xcf8, 4, address);
	return (uint32_t)(pci_read(&pci, (uint16_t)(0xcfc + address % 4), size) & (UINT64_MAX >> (64 - 8 * size)));
}

static void put(uint32_t address, unsigned size, uint32_t value)
{
	pci_write(&pci, 0xcf8, 4, address);
	pci_write(&pci, (uint16_t)(0xcfc + address % 4), size, value);
}

static void test_header(void **state)
{
	(void)state;
	assert_int_equal(get(SLOT(0), 4), 0x00081b36);
	assert_int_equal(get(SLOT(0) + 8, 4), 0x06000000);
	assert_int_equal(get(SLOT(3), 4), 0x56781234);
	assert_int_equal(get(SLOT(3) + 8, 4), 0x02000009);
	assert_int_equal(get(SLOT(3) + 0x2c, 4), 0xef01abcd);
	assert_int_equal(get(SLOT(3) + 0x0e, 1), 0); /* one function */
	assert_int_equal(get(SLOT(3) + 0x3d, 1), 0); /* no pin */
	for (unsigned number = 1; number < 256; number++)
		if (number != 3 << 3)
			assert_int_equal(get(0x80000000u | number << 8, 4), UINT32_MAX);
	put(SLOT(3), 4, 0);
	put(SLOT(3) + 8, 4, 0);
	put(SLOT(3) + 0x2c, 4, 0);
	put(SLOT(3) + 0x34, 1, 0);
	put(SLOT(3) + 0x3c, 2, 0x070b); /* the line is the guest's to write, the pin not */
	assert_int_equal(get(SLOT(3), 4), 0x56781234);
	assert_int_equal(get(SLOT(3) + 8, 4), 0x02000009);
	assert_int_equal(get(SLOT(3) + 0x3c, 4), 0x0000000b);
	put(SLOT(0) + 4, 2, 0xffff);
	assert_int_equal(get(SLOT(0) + 4, 2), 0);
}

static void test_command(void **state)
{
	(void)state;
	assert_int_equal(get(SLOT(3) + 4, 4), 0x00100003); /* as firmware leaves it, with a list of capabilities */
	put(SLOT(3) + 4, 4, 0xffffffff);
	assert_int_equal(get(SLOT(3) + 4, 4), 0x00100407);
	assert_true(pci_function_is_master(&function));
	put(SLOT(3) + 4, 1, 0);
	assert_int_equal(get(SLOT(3) + 4, 2), 0x0400);
	assert_false(pci_function_is_master(&function));
	assert_int_equal(written, 2);
}

static void test_sizing(void **state)
{
	(void)state;
	for (unsigned bar = 0; bar < 6; bar++) {
		uint32_t address = SLOT(3) + 0x10 + 4 * bar, before = get(address, 4);

		put(address, 4, UINT32_MAX);
		assert_int_equal(get(address, 4), bar == PORTS ? 0xffc1 : bar == MEMORY ? 0xffffe000 : 0);
		put(address, 4, 0);
		assert_int_equal(get(address, 4), bar == PORTS ? 1 : 0);
		put(address, 4, before);
		assert_int_equal(get(address, 4), bar == PORTS ? PORT | 1 : bar == MEMORY ? ADDRESS : 0);
	}
	put(SLOT(3) + 0x30, 4, UINT32_MAX); /* no ROM */
	assert_int_equal(get(SLOT(3) + 0x30, 4), 0);
}

static void test_ports(void **state)
{
	(void)state;
	assert_int_equal(pci_read_port(&pci, PORT - 1, 1), UINT32_MAX);
	assert_int_equal(pci_read_port(&pci, PORT + 62, 2), 0x55667788);
	assert_int_equal(last.offset, 62);
	assert_int_equal(last.bar, PORTS);
	assert_int_equal(pci_read_port(&pci, PORT + 62, 4), UINT32_MAX); /* reaches past it */
	assert_int_equal(pci_read_port(&pci, PORT + 64, 1), UINT32_MAX);
	put(SLOT(3) + 0x10, 4, 0x1000);
	assert_int_equal(pci_read_port(&pci, PORT, 2), UINT32_MAX);
	pci_write_port(&pci, 0x1008, 2, 77);
	assert_int_equal(last.offset, 8);
	assert_int_equal(last.value, 77);
	put(SLOT(3) + 4, 2, 2); /* ports off */
	pci_write_port(&pci, 0x1010, 2, 78);
	assert_int_equal(last.value, 77);
}

static void test_memory(void **state)
{
	(void)state;
	assert_true(pci_read_memory(&pci, ADDRESS + 0x1ff8, 8) == 0x1122334455667788);
	assert_int_equal(last.offset, 0x1ff8);
	assert_true(pci_read_memory(&pci, ADDRESS + 0x1ffc, 8) == UINT64_MAX);
	assert_true(pci_read_memory(&pci, ADDRESS - 1, 1) == UINT64_MAX);
	assert_true(pci_read_memory(&pci, ADDRESS + (1ull << 32), 4) == UINT64_MAX);
	put(SLOT(3) + 0x20, 4, 0xc1234567); /* only the bits above the size */
	pci_write_memory(&pci, 0xc1234010, 4, 5);
	assert_int_equal(last.offset, 0x10);
	assert_int_equal(last.value, 5);
	put(SLOT(3) + 4, 2, 1);
	assert_true(pci_read_memory(&pci, 0xc1234010, 4) == UINT64_MAX);
	/* at 0, or not yet placed: nowhere */
	put(SLOT(3) + 4, 2, 3);
	put(SLOT(3) + 0x20, 4, 0);
	assert_true(pci_read_memory(&pci, 0x10, 4) == UINT64_MAX);
}

static void test_ecam(void **state)
{
	(void)state;
	for (unsigned offset = 0; offset < 256; offset += 4)
		assert_int_equal(pci_read_memory(&pci, ECAM(3) + offset, 4), get(SLOT(3) + offset, 4));
	assert_true(pci_read_memory(&pci, ECAM(3), 8) == 0x0010000356781234);
	assert_int_equal(pci_read_memory(&pci, ECAM(3) + 2, 2), 0x5678);
	assert_int_equal(pci_read_memory(&pci, ECAM(3) + 0x100, 4), 0); /* no extended capabilities */
	assert_int_equal(pci_read_memory(&pci, ECAM(3) + 0xfe, 4), 0);
	assert_true(pci_read_memory(&pci, ECAM(3) + 0x1000, 4) == UINT64_MAX); /* function 1 */
	assert_true(pci_read_memory(&pci, ECAM(4), 4) == UINT64_MAX);
	assert_int_equal(pci_read_memory(&pci, ECAM(0), 4), 0x00081b36);
	pci_write_memory(&pci, ECAM(3) + 0x10, 8, 0xffffffff00002001);
	assert_int_equal(get(SLOT(3) + 0x10, 4), 0x2001);
	pci_write_memory(&pci, ECAM(3) + 0xfff, 1, 1);
	pci_write_memory(&pci, ECAM(31) + 0x10, 4, 1);
}

static void test_capabilities(void **state)
{
	(void)state;
	unsigned ids[3], count = 0, end = 0x40;

	for (unsigned at = get(SLOT(3) + 0x34, 1); at; at = get(SLOT(3) + at + 1, 1)) {
		assert_true(count < 3 && at >= end && at % 4 == 0);
		ids[count++] = get(SLOT(3) + at, 1);
		end = at + 4;
	}
	assert_int_equal(count, 3);
	assert_int_equal(ids[0], 0x11);
	assert_int_equal(ids[1], 9);
	assert_int_equal(ids[2], 9);
}

static void test_reset_register(void **state)
{
	(void)state;
	pci_write(&pci, 0xcf9, 1, 2);
	assert_int_equal(resets, 0);
	pci_write(&pci, 0xcf9, 1, 6);
	assert_int_equal(resets, 1);
}

/* ---- MSI-X ------------------------------------------------------------------------------------------------ */

static void set_control(uint16_t value) { put(SLOT(3) + 0x42, 2, value); }

static void set_entry(unsigned vector, uint32_t destination, uint32_t data, uint32_t mask)
{
	msix_write_table(&msix, 16 * vector, 4, MESSAGE(destination));
	msix_write_table(&msix, 16 * vector + 4, 4, 0);
	msix_write_table(&msix, 16 * vector + 8, 8, data | (uint64_t)mask << 32);
}

static void test_msix(void **state)
{
	(void)state;
	assert_int_equal(get(SLOT(3) + 0x40, 1), 0x11);
	assert_int_equal(get(SLOT(3) + 0x42, 2), VECTORS - 1);
	assert_int_equal(get(SLOT(3) + 0x44, 4), TABLE | MEMORY);
	assert_int_equal(msix_read_table(&msix, 12, 4), 1); /* masked at first */
	msix_raise(&msix, 0);				    /* off: lost */
	put(SLOT(3) + 4, 2, 7);
	set_control(0x8000);
	assert_int_equal(host_msis, 0);
	set_entry(0, 1, 0x41, 0);
	set_entry(1, 2, 0x8042, 0);
	msix_raise(&msix, 0);
	msix_raise(&msix, 1);
	msix_raise(&msix, VECTORS);
	msix_raise(&msix, 0xffff);
	assert_int_equal(host_msis, 2);
	assert_int_equal(host_msi[0].address, MESSAGE(1));
	assert_int_equal(host_msi[0].data, 0x41);
	assert_int_equal(host_msi[1].data, 0x42); /* an edge, whatever the guest wrote */
	assert_true(msix_read_table(&msix, 24, 8) == 0x8042);
}

static void test_msix_masks(void **state)
{
	(void)state;
	put(SLOT(3) + 4, 2, 7);
	set_control(0xc000); /* the whole function is masked */
	set_entry(0, 1, 0x41, 0);
	set_entry(1, 2, 0x42, 1);
	msix_raise(&msix, 0);
	msix_raise(&msix, 0);
	msix_raise(&msix, 1);
	assert_int_equal(msix_read_pending(&msix, 0), 3);
	assert_int_equal(host_msis, 0);
	set_control(0x8000);
	assert_int_equal(host_msis, 1); /* once, however often it was raised */
	assert_int_equal(msix_read_pending(&msix, 0), 2);
	msix_write_table(&msix, 28, 4, 0);
	assert_int_equal(host_msis, 2);
	assert_int_equal(host_msi[1].data, 0x42);
	assert_int_equal(msix_read_pending(&msix, 0), 0);
	/* without the right to write to memory it waits as well */
	put(SLOT(3) + 4, 2, 3);
	msix_raise(&msix, 0);
	assert_int_equal(host_msis, 2);
	put(SLOT(3) + 4, 2, 7);
	assert_int_equal(host_msis, 3);
	/* what waits is forgotten when MSI-X is turned off */
	set_control(0xc000);
	msix_raise(&msix, 0);
	set_control(0);
	set_control(0x8000);
	assert_int_equal(host_msis, 3);
}

static void test_msix_table(void **state)
{
	(void)state;
	msix_write_table(&msix, 2, 4, UINT32_MAX);
	msix_write_table(&msix, 0, 2, 0xffff);
	msix_write_table(&msix, 4, 8, UINT64_MAX);
	msix_write_table(&msix, 16 * VECTORS, 4, UINT32_MAX);
	msix_write_table(&msix, 0x7fc, 4, UINT32_MAX);
	for (unsigned offset = 0; offset < 0x800; offset++)
		assert_int_equal(msix_read_table(&msix, offset, 4), offset < 16 * VECTORS && offset % 16 == 12);
	assert_int_equal(msix_read_pending(&msix, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_header, setup),	  cmocka_unit_test_setup(test_command, setup),
		cmocka_unit_test_setup(test_sizing, setup),	  cmocka_unit_test_setup(test_ports, setup),
		cmocka_unit_test_setup(test_memory, setup),	  cmocka_unit_test_setup(test_ecam, setup),
		cmocka_unit_test_setup(test_capabilities, setup), cmocka_unit_test_setup(test_reset_register, setup),
		cmocka_unit_test_setup(test_msix, setup),	  cmocka_unit_test_setup(test_msix_masks, setup),
		cmocka_unit_test_setup(test_msix_table, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
