#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "drivers/e1000_registers.h"
#include "qemu_nic.h"

/* The drivers with QEMU's own models of their NICs. */
struct machine {
	const char *machine, *device;
	enum bh_device_irq irq;
	const char *driver;
	bool no_address;
};

#define MANY 10000u /* steps, for what has to come; each is 1 ms and what QEMU needs */
#define FEW  20u    /* for what should not */

static struct qemu_nic qemu;
static struct nic *const nic = &qemu.nic;
static uint8_t frame[16384], got[16384];

static void fill(uint32_t seed, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		frame[i] = (uint8_t)(seed * 31 + i * 7 + (i >> 8));
	frame[0] &= 0xfe;
	frame[12] = 0x81; /* a VLAN tag: nobody takes it away */
	frame[13] = 0x00;
}

static uint32_t length(uint32_t i, uint32_t mtu) { return 60 + i * 37 % (mtu + NIC_HEADERS - 59); }

static void wait_for_link(bool up)
{
	for (unsigned i = 0; i < MANY && nic->link != up; i++) {
		qemu_nic_step();
		nic_check(nic);
	}
	assert_int_equal(nic->link, up);
	assert_int_equal(nic->state, NIC_RUNS);
}

static void send(uint32_t count, uint32_t mtu)
{
	for (uint32_t i = 0, batch = 1; i < count; batch = batch % 40 + 3) {
		uint32_t first = i;

		for (uint32_t j = 0; j < batch && i < count; j++, i++) {
			void *to = nic_reserve(nic, length(i, mtu));

			assert_non_null(to);
			fill(i, length(i, mtu));
			memcpy(to, frame, length(i, mtu));
			nic_commit(nic, length(i, mtu));
		}
		nic_flush(nic);
		for (; first < i; first++) {
			assert_int_equal(qemu_nic_sent(got, sizeof(got)), length(first, mtu));
			fill(first, length(first, mtu));
			assert_memory_equal(got, frame, length(first, mtu));
		}
	}
	assert_int_equal(nic->counters.tx_frames, count);
}

static void expect(uint32_t seed, uint32_t bytes)
{
	const uint8_t *data = NULL;
	uint32_t size = 0;

	for (unsigned i = 0; i < MANY && !nic_next(nic, &data, &size); i++)
		qemu_nic_step();
	assert_int_equal(size, bytes);
	fill(seed, bytes);
	assert_memory_equal(data, frame, bytes);
	nic_done(nic);
}

static void receive(uint32_t count, uint32_t mtu)
{
	for (uint32_t i = 0; i < count;) {
		uint32_t first = i;

		for (uint32_t j = 0; j < 20 && i < count; j++, i++) {
			fill(i, length(i, mtu));
			assert_true(qemu_nic_receive(frame, length(i, mtu)));
		}
		for (; first < i; first++)
			expect(first, length(first, mtu));
		nic_flush(nic);
	}
	assert_int_equal(nic->counters.rx_errors + nic->counters.rx_oversize, 0);
}

static void interrupts(void)
{
	while (qemu_nic_interrupted(&qemu, FEW))
		nic_interrupt(nic);
	assert_true(nic_may_sleep(nic));
	for (uint32_t round = 0; round < 3; round++) {
		fill(round, 100);
		qemu_nic_receive(frame, 100);
		assert_true(qemu_nic_interrupted(&qemu, MANY));
		nic_interrupt(nic);
		qemu_nic_receive(frame, 100);
		expect(round, 100);
		expect(round, 100);
		assert_false(qemu_nic_interrupted(&qemu, FEW)); /* none while we look ourselves */
		qemu_nic_receive(frame, 100);
		for (unsigned i = 0; i < FEW; i++)
			qemu_nic_step();
		assert_false(nic_may_sleep(nic)); /* it has come before */
		nic_interrupt(nic);
		expect(round, 100);
		while (!nic_may_sleep(nic))
			;
		qemu_nic_interrupted(&qemu, FEW);
		nic_interrupt(nic);
		assert_true(nic_may_sleep(nic));
	}
}

static void link(void)
{
	qemu_nic_link(false);
	assert_true(qemu_nic_interrupted(&qemu, MANY));
	nic_interrupt(nic);
	wait_for_link(false);
	assert_true(nic_may_sleep(nic));
	qemu_nic_link(true);
	wait_for_link(true);
}

/* More than its buffers take: none comes broken, and it goes on afterwards. */
static void flood(void)
{
	uint64_t before = nic->counters.rx_frames;
	const uint8_t *data;
	uint32_t bytes, sent = 0;

	fill(1, 500);
	while (sent < 1000 && qemu_nic_receive(frame, 500))
		sent++;
	for (unsigned quiet = 0; quiet < FEW; quiet++) {
		for (; nic_next(nic, &data, &bytes); quiet = 0) {
			assert_int_equal(bytes, 500);
			assert_memory_equal(data, frame, 500);
			nic_done(nic);
		}
		nic_flush(nic);
		qemu_nic_step();
	}
	assert_in_range(nic->counters.rx_frames - before, 100, sent);
}

static void whole(const struct machine *m, uint32_t mtu)
{
	if (!qemu_nic_open(&qemu, m->machine, m->device, m->irq)) {
		skip();
		return;
	}
	if (m->no_address) /* as Bochs leaves it: the EEPROM has it */
		qemu.access.write(NULL, 0, E1000_RAH0, 4, 0);
	assert_true(nic_start(nic, &qemu.access, qemu.id, qemu.class_code, mtu));
	assert_string_equal(nic->driver->name, m->driver);
	assert_memory_equal(nic->mac, "\x52\x54\x00\x12\x34\x56", 6);
	wait_for_link(true);
	send(600, mtu);
	receive(600, mtu);
	flood();
	interrupts();
	link();
	nic_check(nic);
	assert_int_equal(nic->state, NIC_RUNS);
	nic_fail(nic, NIC_FAILED, "as the test wants it");
	nic_check(nic); /* starts it again */
	wait_for_link(true);
	nic->counters.tx_frames = 0;
	send(300, mtu);
	receive(300, mtu);
	nic_stop(nic);
	qemu_nic_close();
}

#define TEST(name, mtu, ...)                                 \
	static void test_##name(void **state)                \
	{                                                    \
		static const struct machine m = __VA_ARGS__; \
		(void)state;                                 \
		whole(&m, mtu);                              \
	}

TEST(e1000, 1500, { "pc", "e1000", BH_DEVICE_IRQ_INTX, "e1000", true })
TEST(e1000_jumbo, 9000, { "pc", "e1000", BH_DEVICE_IRQ_INTX, "e1000", false })
TEST(e1000e_intx, 2030, { "q35", "e1000e", BH_DEVICE_IRQ_INTX, "e1000e", false })
TEST(e1000e_msi, 1500, { "q35", "e1000e", BH_DEVICE_IRQ_MSI, "e1000e", true })
TEST(e1000e_msix, 9000, { "q35", "e1000e", BH_DEVICE_IRQ_MSIX, "e1000e", false })
TEST(virtio, 1500, { "pc", "virtio-net-pci", BH_DEVICE_IRQ_INTX, "virtio-net", false })
TEST(virtio_msix, 9000, { "q35", "virtio-net-pci,disable-legacy=on", BH_DEVICE_IRQ_MSIX, "virtio-net", false })
TEST(virtio_plain, 1500,
     { "q35", "virtio-net-pci,event_idx=off,host_mtu=1500", BH_DEVICE_IRQ_MSIX, "virtio-net", false })

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_e1000),	    cmocka_unit_test(test_e1000_jumbo),
		cmocka_unit_test(test_e1000e_intx), cmocka_unit_test(test_e1000e_msi),
		cmocka_unit_test(test_e1000e_msix), cmocka_unit_test(test_virtio),
		cmocka_unit_test(test_virtio_msix), cmocka_unit_test(test_virtio_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
