/* test_monitor_virtio_pci.c: the transport, with a device of two queues that does nothing. */
#include "monitor_host.h"
#include "guests/monitor/pci.h"
#include "guests/monitor/virtio_pci.h"
#include "virtio_driver.h"

#define MEMORY	 0xc0006000ull /* of device 3 */
#define TABLE	 (MEMORY + 0x1000)
#define COMMON	 MEMORY
#define ISR	 (MEMORY + 0x100)
#define CONFIG	 (MEMORY + 0x200)
#define FEATURES 0x500000023ull /* of the device's own: bits 0, 1, 5, 32 and 34 */
#define COMMONS	 (1ull << 28 | 1ull << 29 | 1ull << 32)

static struct pci pci;
static struct virtio virtio;
static unsigned starts, resets, kicks;
static uint32_t doorbell;
static const uint8_t config[5] = { 1, 2, 3, 4, 5 };

static bool accepts(void *device, uint64_t features)
{
	assert_ptr_equal(device, &virtio);
	return !(features & 2) || features & 1; /* bit 1 takes bit 0 */
}

static void start(void *device)
{
	assert_ptr_equal(device, &virtio);
	starts++;
}

static void reset(void *device)
{
	assert_ptr_equal(device, &virtio);
	resets++;
}

static void msi(void *context, uint64_t address, uint32_t data)
{
	(void)context;
	bh_call3(BH_GUEST_MSI, 0, address, data);
}

static void kick(void *context, unsigned index)
{
	(void)context;
	assert_int_equal(index, 3);
	kicks++;
}

static void set_doorbell(void *context, unsigned index, uint32_t port, bool on)
{
	(void)context;
	assert_int_equal(index, 3);
	if (!on)
		assert_int_equal(doorbell, port);
	doorbell = on ? port : 0;
}

static int setup(void **state)
{
	static const struct virtio_type type = { "virtio-test", 63, 0xff0000, accepts, start, reset };
	struct virtio_setup setup = { .type = &type,
				      .device = &virtio,
				      .index = 3,
				      .owner = "somebody",
				      .features = FEATURES,
				      .queues = 2,
				      .config = config,
				      .config_bytes = sizeof(config),
				      .memory = &driver_memory,
				      .outside = { msi, kick, set_doorbell, NULL } };

	(void)state;
	host_reset();
	driver_reset();
	starts = resets = kicks = 0;
	doorbell = 0;
	memset(&virtio, 0, sizeof(virtio));
	pci_init(&pci, &(struct pci_outside){ 0 });
	virtio_pci_init(&virtio, &setup);
	pci_add(&pci, 3, &virtio.function);
	pci_function_write(&virtio.function, PCI_COMMAND, 2, 7);
	return 0;
}

static uint64_t get(uint64_t address, unsigned size)
{
	return pci_read_memory(&pci, address, size) & UINT64_MAX >> (64 - 8 * size);
}

static void put(uint64_t address, unsigned size, uint64_t value) { pci_write_memory(&pci, address, size, value); }

static uint32_t config_get(unsigned offset, unsigned size) { return pci_function_read(&virtio.function, offset, size); }

static void config_put(unsigned offset, unsigned size, uint32_t value)
{
	pci_function_write(&virtio.function, offset, size, value);
}

static uint8_t set_status(uint8_t status)
{
	put(COMMON + 0x14, 1, status);
	return (uint8_t)get(COMMON + 0x14, 1);
}

static void accept(uint64_t features)
{
	for (unsigned i = 0; i < 2; i++) {
		put(COMMON + 8, 4, i);
		put(COMMON + 12, 4, features >> 32 * i & UINT32_MAX);
	}
}

static void negotiate(uint64_t features)
{
	assert_int_equal(set_status(0), 0);
	assert_int_equal(set_status(1), 1);
	assert_int_equal(set_status(3), 3);
	accept(features);
	assert_int_equal(set_status(11), 11);
}

/* The offset of the capability of that type in configuration space. */
static unsigned find(uint8_t type)
{
	for (unsigned at = config_get(0x34, 1); at; at = config_get(at + 1, 1))
		if (config_get(at, 1) == 9 && config_get(at + 3, 1) == type)
			return at;
	fail_msg("no capability of type %u", type);
	return 0;
}

static void test_identity(void **state)
{
	(void)state;
	static const struct {
		uint8_t type, bar;
		uint32_t length, offset, bytes;
	} expected[] = { { 1, 4, 16, 0, 0x38 }, { 2, 0, 20, 0, 64 }, { 3, 4, 16, 0x100, 1 }, { 4, 4, 16, 0x200, 5 } };

	assert_int_equal(config_get(0, 4), 0x107f1af4);
	assert_int_equal(config_get(8, 1), 1);
	assert_true(config_get(0x2e, 2) >= 0x40);
	assert_int_equal(config_get(0x10, 4), 0xc0c1);
	assert_int_equal(config_get(0x20, 4), MEMORY);
	for (unsigned i = 0; i < 4; i++) {
		unsigned at = find(expected[i].type);

		assert_int_equal(config_get(at + 2, 1), expected[i].length);
		assert_int_equal(config_get(at + 4, 1), expected[i].bar);
		assert_int_equal(config_get(at + 8, 4), expected[i].offset);
		assert_int_equal(config_get(at + 12, 4), expected[i].bytes);
	}
	assert_int_equal(config_get(find(2) + 16, 4), 4);
	assert_int_equal(config_get(0x42, 2), 2); /* three vectors */
	assert_int_equal(doorbell, 0xc0c0);
}

static void test_features(void **state)
{
	(void)state;
	uint64_t offered = 0;

	for (unsigned i = 0; i < 2; i++) {
		put(COMMON, 4, i);
		assert_int_equal(get(COMMON, 4), i);
		offered |= get(COMMON + 4, 4) << 32 * i;
	}
	assert_int_equal(offered, FEATURES | COMMONS);
	put(COMMON, 4, 2);
	assert_int_equal(get(COMMON + 4, 4), 0);

	set_status(3);
	accept(1); /* not of version 1 */
	assert_int_equal(set_status(11), 3);
	accept(1ull << 32 | 1ull << 3); /* never offered */
	assert_int_equal(set_status(11), 3);
	accept(1ull << 32 | 2); /* do not go together */
	assert_int_equal(set_status(11), 3);
	accept(1ull << 32 | 3);
	put(COMMON + 8, 4, 2); /* there are no more than 64 */
	put(COMMON + 12, 4, UINT32_MAX);
	assert_int_equal(get(COMMON + 12, 4), 0);
	assert_int_equal(set_status(11), 11);
	accept(1ull << 32); /* too late */
	assert_true(virtio_has(&virtio, 1));
	put(COMMON + 8, 4, 0);
	assert_int_equal(get(COMMON + 12, 4), 3);
}

static void test_status(void **state)
{
	(void)state;
	assert_int_equal(set_status(4), 0); /* not before the features */
	assert_int_equal(starts, 0);
	negotiate(1ull << 32);
	assert_int_equal(set_status(1), 11); /* nothing is taken back */
	kicks = 0;
	assert_int_equal(set_status(15), 15);
	assert_int_equal(starts, 1);
	assert_int_equal(kicks, 1);
	assert_true(virtio_is_running(&virtio));
	assert_int_equal(set_status(15), 15);
	assert_int_equal(starts, 1);
	config_put(PCI_COMMAND, 2, 3);
	assert_false(virtio_is_running(&virtio));
	config_put(PCI_COMMAND, 2, 7);
	assert_int_equal(kicks, 2);
	assert_int_equal(set_status(0x80 | 15), 0x80 | 15);
	assert_false(virtio_is_running(&virtio));
	resets = 0;
	assert_int_equal(set_status(0), 0);
	assert_int_equal(resets, 1);
}

static void test_queues(void **state)
{
	(void)state;
	assert_int_equal(get(COMMON + 0x12, 2), 2);
	put(COMMON + 0x16, 2, 1);
	assert_int_equal(get(COMMON + 0x18, 2), 256);
	assert_int_equal(get(COMMON + 0x1e, 2), 1);
	for (unsigned size = 0; size < 70000; size++) {
		bool good = size && size <= 256 && !(size & (size - 1));

		put(COMMON + 0x18, 2, size);
		if (good)
			assert_int_equal(get(COMMON + 0x18, 2), size);
		put(COMMON + 0x18, 2, 64);
		assert_int_equal(get(COMMON + 0x18, 2), 64);
	}
	put(COMMON + 0x20, 4, 0x10000);
	put(COMMON + 0x24, 4, 1);
	assert_true(get(COMMON + 0x20, 8) == 0x100010000);
	put(COMMON + 0x24, 4, 0);
	put(COMMON + 0x28, 8, 0x12000);
	put(COMMON + 0x30, 4, 0x13000);
	assert_int_equal(get(COMMON + 0x2c, 4), 0);
	assert_int_equal(get(COMMON + 0x28, 4), 0x12000);
	put(COMMON + 0x1c, 2, 1); /* not before the features */
	assert_int_equal(get(COMMON + 0x1c, 2), 0);
	negotiate(COMMONS);
	put(COMMON + 0x16, 2, 1);
	assert_int_equal(get(COMMON + 0x20, 4), 0); /* it was reset */
	put(COMMON + 0x20, 4, 0x10000);
	put(COMMON + 0x28, 4, 0x12000);
	put(COMMON + 0x30, 4, 0x13000);
	put(COMMON + 0x1c, 2, 1);
	assert_int_equal(get(COMMON + 0x1c, 2), 1);
	assert_true(virtio.queue[1].event_index && virtio.queue[1].indirect);
	put(COMMON + 0x20, 4, 0x20000);
	put(COMMON + 0x18, 2, 8);
	assert_int_equal(get(COMMON + 0x20, 4), 0x10000);
	assert_int_equal(get(COMMON + 0x18, 2), 256);
	put(COMMON + 0x16, 2, 2); /* no such queue */
	for (unsigned offset = 0x18; offset < 0x38; offset += 2) {
		put(COMMON + offset, 2, 1);
		assert_int_equal(get(COMMON + offset, 2), 0);
	}
}

static void enable_msix(void)
{
	for (unsigned i = 0; i < 3; i++) {
		put(TABLE + 16 * i, 4, 0xfee01000);
		put(TABLE + 16 * i + 8, 4, 0x50 + i);
		put(TABLE + 16 * i + 12, 4, 0);
	}
	config_put(0x42, 2, 0x8000);
}

static void test_vectors(void **state)
{
	(void)state;
	negotiate(COMMONS);
	assert_int_equal(get(COMMON + 0x10, 2), 0xffff);
	assert_int_equal(get(COMMON + 0x1a, 2), 0xffff);
	put(COMMON + 0x10, 2, 3);
	assert_int_equal(get(COMMON + 0x10, 2), 0xffff);
	put(COMMON + 0x10, 2, 2);
	assert_int_equal(get(COMMON + 0x10, 2), 2);
	put(COMMON + 0x1a, 2, 1);
	assert_int_equal(get(COMMON + 0x1a, 2), 1);
	enable_msix();
	set_status(15);
	virtio_config_changed(&virtio);
	assert_int_equal(host_msis, 1);
	assert_int_equal(host_msi[0].data, 0x52);
	assert_int_equal(get(COMMON + 0x15, 1), 1);
	assert_int_equal(get(ISR, 1), 0);
}

static void test_isr(void **state)
{
	(void)state;
	struct driver_queue driver = driver_queue(0x10000, 256);

	negotiate(1ull << 32);
	put(COMMON + 0x20, 4, driver.descriptors);
	put(COMMON + 0x28, 4, driver.driver);
	put(COMMON + 0x30, 4, driver.device);
	put(COMMON + 0x1c, 2, 1);
	set_status(15);
	virtqueue_push(&virtio.queue[0], 0, 0);
	virtio_publish(&virtio, &virtio.queue[0]);
	virtio_config_changed(&virtio);
	assert_int_equal(get(ISR, 1), 3);
	assert_int_equal(get(ISR, 1), 0);
	assert_int_equal(host_msis, 0);
}

static void test_config(void **state)
{
	(void)state;
	assert_int_equal(get(CONFIG, 4), 0x04030201);
	assert_int_equal(get(CONFIG + 4, 1), 5);
	assert_int_equal(get(CONFIG + 4, 2), 0);
	put(CONFIG, 1, 99);
	assert_int_equal(get(CONFIG, 1), 1);
}

static void test_notify(void **state)
{
	(void)state;
	kicks = 0;
	pci_write_port(&pci, 0xc0c4, 2, 1);
	assert_int_equal(kicks, 1);
	config_put(PCI_BAR(0), 4, 0xc100);
	assert_int_equal(doorbell, 0xc100);
	config_put(PCI_COMMAND, 2, 6);
	assert_int_equal(doorbell, 0);
	pci_write_port(&pci, 0xc100, 2, 1);
	assert_int_equal(kicks, 1);
}

/* 4.1.4.7: by configuration space alone. */
static void test_window(void **state)
{
	(void)state;
	unsigned at = find(5);

	config_put(at + 4, 1, 4);
	config_put(at + 8, 4, 0x14);
	config_put(at + 12, 4, 1);
	config_put(at + 16, 1, 3);
	assert_int_equal(get(COMMON + 0x14, 1), 3);
	assert_int_equal(config_get(at + 16, 1), 3);
	config_put(at + 8, 4, 0x12);
	config_put(at + 12, 4, 2);
	assert_int_equal(config_get(at + 16, 2), 2);
	config_put(at + 4, 1, 0);
	config_put(at + 8, 4, 4);
	kicks = 0;
	config_put(at + 16, 2, 1);
	assert_int_equal(kicks, 1);
	/* nowhere, and in ways that are not allowed: nothing happens */
	for (unsigned i = 0; i < 20000; i++) {
		config_put(at + 4, 1, (uint32_t)rand() % 8);
		config_put(at + 8, 4, rand() % 4 ? (uint32_t)rand() % 0x3000 : (uint32_t)rand() << 2);
		config_put(at + 12, 4, (uint32_t)rand() % 6);
		config_put(at + 16, 4, (uint32_t)rand());
		config_get(at + 16, 4);
	}
}

static void test_break(void **state)
{
	(void)state;
	negotiate(COMMONS);
	enable_msix();
	put(COMMON + 0x10, 2, 0);
	put(COMMON + 0x16, 2, 1);
	put(COMMON + 0x20, 4, DRIVER_RAM);
	put(COMMON + 0x1c, 2, 1);
	assert_int_equal(get(COMMON + 0x14, 1), 64 | 11);
	assert_non_null(strstr(host_log, "virtio-test of somebody stopped, queue"));
	assert_non_null(strstr(host_log, "1: its rings are not al"));
	assert_int_equal(host_msis, 0); /* the driver is not ready to hear of it */
	for (unsigned i = 0; i < 100; i++) {
		negotiate(COMMONS);
		set_status(15);
		host_msis = 0;
		put(COMMON + 0x10, 2, 0);
		host_log[0] = 0;
		virtio_break(&virtio, "a rule");
		virtio_break(&virtio, "another");
		assert_false(virtio_is_running(&virtio));
		assert_int_equal(get(COMMON + 0x14, 1), 64 | 15);
		assert_int_equal(host_msis, 1);
		assert_null(strstr(host_log, "another"));
	}
	assert_null(strstr(host_log, "a rule")); /* the log is not the guest's to fill */
}

/* Any access anywhere. */
static void test_noise(void **state)
{
	(void)state;
	srand(4);
	for (unsigned i = 0; i < 200000; i++) {
		unsigned size = 1u << rand() % 4;
		uint64_t address = MEMORY + (uint64_t)rand() % (rand() % 3 ? 0x40 : 0x2010);
		uint64_t value = rand() % 3 ? (uint64_t)rand() % 16 : (uint64_t)rand() << 12;

		host_msis = 0;
		if (rand() % 2)
			put(address, size, value);
		else
			get(address, size);
		if (rand() % 64 == 0)
			config_put((unsigned)rand() % 63 * 4, 4, (uint32_t)rand());
		if (rand() % 1024 == 0)
			setup(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_identity, setup), cmocka_unit_test_setup(test_features, setup),
		cmocka_unit_test_setup(test_status, setup),   cmocka_unit_test_setup(test_queues, setup),
		cmocka_unit_test_setup(test_vectors, setup),  cmocka_unit_test_setup(test_isr, setup),
		cmocka_unit_test_setup(test_config, setup),   cmocka_unit_test_setup(test_notify, setup),
		cmocka_unit_test_setup(test_window, setup),   cmocka_unit_test_setup(test_break, setup),
		cmocka_unit_test_setup(test_noise, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
