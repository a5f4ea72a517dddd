/* test_monitor_ioapic.c: redirection, masks, level and edge, EOI; and the 8259 pair. */
#include "monitor_host.h"
#include "guests/monitor/ioapic.h"
#include "guests/monitor/pic.h"

static struct ioapic ioapic;
static struct pic pic;

static void msi(void *context, uint64_t address, uint32_t data)
{
	(void)context;
	bh_call5(BH_GUEST_MSI, 0, address, data, 0, 0);
}

static void wr(uint8_t reg, uint32_t value)
{
	ioapic_write(&ioapic, 0x00, 4, reg);
	ioapic_write(&ioapic, 0x10, 4, value);
}

static uint32_t rd(uint8_t reg)
{
	ioapic_write(&ioapic, 0x00, 4, reg);
	return (uint32_t)ioapic_read(&ioapic, 0x10, 4);
}

static int setup(void **state)
{
	(void)state;
	host_reset();
	ioapic_init(&ioapic, &(struct ioapic_outside){ msi, NULL });
	pic_init(&pic);
	return 0;
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(rd(1), 0x000f0020); /* the last pin is 15, version 20h */
	for (uint8_t pin = 0; pin < 16; pin++)
		assert_int_equal(rd((uint8_t)(0x10 + 2 * pin)), 0x10000); /* all masked */
	wr(0x10, 0xffffffff);
	assert_int_equal(rd(0x10), 0x1afff); /* delivery status and remote IRR are read-only */
	wr(0x11, 0xffffffff);
	assert_int_equal(rd(0x11), 0xff000000);
	assert_int_equal(rd(0x30), 0); /* behind the table */
	wr(0x30, 1);
	assert_int_equal(rd(0x30), 0);
	wr(0xff, 1);
	assert_int_equal(host_msis, 0);
}

static void test_edge(void **state)
{
	(void)state;
	wr(0x19, 3u << 24);
	ioapic_set(&ioapic, 4, true); /* masked: lost */
	wr(0x18, 0x41);
	assert_int_equal(host_msis, 0);
	ioapic_set(&ioapic, 4, true);
	assert_int_equal(host_msis, 0); /* no edge */
	ioapic_set(&ioapic, 4, false);
	ioapic_set(&ioapic, 4, true);
	assert_int_equal(host_msis, 1);
	assert_int_equal(host_msi[0].address, 0xfee03000);
	assert_int_equal(host_msi[0].data, 0x4041);
}

static void test_level(void **state)
{
	(void)state;
	wr(0x23, 0xff000000);
	wr(0x22, 0x8951); /* level, logical, lowest priority */
	ioapic_set(&ioapic, 9, true);
	assert_int_equal(host_msis, 1);
	assert_int_equal(host_msi[0].address, 0xfeeff00c);
	assert_int_equal(host_msi[0].data, 0x4151 | BH_MSI_LEVEL);
	assert_true(rd(0x22) & 0x4000); /* remote IRR */
	ioapic_set(&ioapic, 9, false);
	ioapic_set(&ioapic, 9, true);
	assert_int_equal(host_msis, 1); /* still being served */
	ioapic_eoi(&ioapic, 0x52);
	assert_int_equal(host_msis, 1); /* not its vector */
	ioapic_eoi(&ioapic, 0x51);
	assert_int_equal(host_msis, 2); /* still high: again */
	ioapic_set(&ioapic, 9, false);
	ioapic_write(&ioapic, 0x40, 4, 0x51); /* the guest's own EOI */
	assert_int_equal(host_msis, 2);
	assert_false(rd(0x22) & 0x4000);
	ioapic_set(&ioapic, 9, true);
	assert_int_equal(host_msis, 3);
}

static void test_level_unmask(void **state)
{
	(void)state;
	ioapic_set(&ioapic, 9, true);
	wr(0x22, 0x18051);
	assert_int_equal(host_msis, 0);
	wr(0x22, 0x8051);
	assert_int_equal(host_msis, 1);
	wr(0x22, 0x10051); /* edge for a moment clears the remote IRR */
	wr(0x22, 0x8051);
	assert_int_equal(host_msis, 2);
}

static void test_not_delivered(void **state)
{
	(void)state;
	wr(0x10, 0x0700); /* ExtINT */
	ioapic_set(&ioapic, 0, true);
	wr(0x12, 0x0200); /* SMI */
	ioapic_set(&ioapic, 1, true);
	assert_int_equal(host_msis, 0);
	wr(0x14, 0x0400); /* NMI */
	ioapic_set(&ioapic, 2, true);
	assert_int_equal(host_msis, 1);
	assert_int_equal(host_msi[0].data, 0x4400);
}

/* ---- 8259 ---------------------------------------------------------------------------------------- */

static void pw(uint16_t port, uint8_t value) { pic_write(&pic, port, 1, value); }

static uint8_t pr(uint16_t port) { return (uint8_t)pic_read(&pic, port, 1); }

static void pic_start(uint8_t icw4)
{
	pw(0x20, 0x11);
	pw(0x21, 0x30);
	pw(0x21, 0x04);
	pw(0x21, icw4);
	pw(0xa0, 0x11);
	pw(0xa1, 0x38);
	pw(0xa1, 0x02);
	pw(0xa1, icw4);
}

/* As Linux finds out whether there is one: the mask reads back. */
static void test_pic_probe(void **state)
{
	(void)state;
	pw(0xa1, 0xff);
	pw(0x21, 0xfb);
	assert_int_equal(pr(0x21), 0xfb);
	assert_int_equal(pr(0xa1), 0xff);
	pic_write_elcr(&pic, 0x4d0, 1, 0xff);
	pic_write_elcr(&pic, 0x4d1, 1, 0xff);
	assert_int_equal(pic_read_elcr(&pic, 0x4d0, 1), 0xf8);
	assert_int_equal(pic_read_elcr(&pic, 0x4d1, 1), 0xde);
}

static void test_pic_priority(void **state)
{
	(void)state;
	pic_start(0x01);
	pw(0x21, 0);
	pw(0xa1, 0);
	pic_set(&pic, 4, true);
	pic_set(&pic, 8, true);
	assert_true(pic_output(&pic));
	assert_int_equal(pic_acknowledge(&pic), 0x38); /* by way of input 2 */
	assert_false(pic_output(&pic));		       /* 4 is less urgent than 2 */
	pw(0x20, 0x0b);
	assert_int_equal(pr(0x20), 0x04);
	pw(0xa0, 0x20);
	pw(0x20, 0x20);
	assert_true(pic_output(&pic));
	assert_int_equal(pic_acknowledge(&pic), 0x34);
	pic_set(&pic, 1, true);
	assert_int_equal(pic_acknowledge(&pic), 0x31); /* nested */
	pw(0x20, 0x20);
	pw(0x20, 0x20);
	assert_int_equal(pr(0x20), 0);
	assert_int_equal(pic_acknowledge(&pic), 0x37); /* spurious */
}

static void test_pic_mask_and_poll(void **state)
{
	(void)state;
	pic_start(0x03); /* automatic EOI */
	pw(0x21, 0xff);
	pic_set(&pic, 3, true);
	assert_false(pic_output(&pic));
	pw(0x20, 0x0a);
	assert_int_equal(pr(0x20), 0x08);
	pw(0x21, 0xf7);
	assert_true(pic_output(&pic));
	pw(0x20, 0x0c);
	assert_int_equal(pr(0x20), 0x83);
	pw(0x20, 0x0b);
	assert_int_equal(pr(0x20), 0);
	assert_false(pic_output(&pic)); /* edge: taken */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_edge, setup),
		cmocka_unit_test_setup(test_level, setup),
		cmocka_unit_test_setup(test_level_unmask, setup),
		cmocka_unit_test_setup(test_not_delivered, setup),
		cmocka_unit_test_setup(test_pic_probe, setup),
		cmocka_unit_test_setup(test_pic_priority, setup),
		cmocka_unit_test_setup(test_pic_mask_and_poll, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
