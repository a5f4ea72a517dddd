#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "fake_e1000.h"
#include "fake_nic.h"

#define CLASS	 0x020000
#define REG(r)	 fake_e1000.reg[(r) / 4]
#define JUMBO	 (9000u + NIC_HEADERS)
#define ALL_SENT fake_e1000.sent

static struct nic *const nic = &fake_nic.nic;
static uint8_t frame[16384];

/* Each test runs with both chips and each kind of interrupt. */
struct kind {
	bool is_82574;
	enum bh_device_irq irq;
	bool like_bochs;
};
static const struct kind kinds[] = {
	{ false, BH_DEVICE_IRQ_INTX, false }, { false, BH_DEVICE_IRQ_INTX, true }, { true, BH_DEVICE_IRQ_INTX, false },
	{ true, BH_DEVICE_IRQ_MSI, false },   { true, BH_DEVICE_IRQ_MSIX, false },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void fill(uint32_t seed, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		frame[i] = (uint8_t)(seed * 31 + i * 7 + (i >> 8));
}

static void model(unsigned kind)
{
	fake_e1000_reset(kinds[kind].is_82574, kinds[kind].irq);
	fake_e1000.like_bochs = kinds[kind].like_bochs;
	if (kinds[kind].like_bochs)
		REG(E1000_RAL0) = REG(E1000_RAH0) = 0;
}

static bool start(unsigned kind, uint32_t mtu)
{
	return nic_start(nic, &fake_nic.access, kinds[kind].is_82574 ? 0x10d38086 : 0x100e8086, CLASS, mtu);
}

static void begin(unsigned kind, uint32_t mtu)
{
	model(kind);
	assert_true(start(kind, mtu));
}

static bool send(uint32_t seed, uint32_t bytes)
{
	void *to = nic_reserve(nic, bytes);

	if (!to)
		return false;
	fill(seed, bytes);
	memcpy(to, frame, bytes);
	nic_commit(nic, bytes);
	return true;
}

/* The next frame is that of `seed`. */
static void expect(uint32_t seed, uint32_t bytes)
{
	const uint8_t *data;
	uint32_t got;

	assert_true(nic_next(nic, &data, &got));
	assert_int_equal(got, bytes);
	fill(seed, bytes);
	assert_memory_equal(data, frame, bytes);
	nic_done(nic);
}

static void expect_none(void)
{
	const uint8_t *data;
	uint32_t got;

	assert_false(nic_next(nic, &data, &got));
}

static bool receive(uint32_t seed, uint32_t bytes)
{
	fill(seed, bytes);
	return fake_e1000_receive(frame, bytes, 0);
}

static void test_start(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		begin(k, 1500);
		assert_memory_equal(nic->mac, "\x52\x54\x00\x12\x34\x56", 6);
		assert_true(nic->link);
		assert_int_equal(nic->speed, 1000);
		assert_non_null(strstr(nic->words, "link up, 1000 Mbit/s"));
		assert_string_equal(fake_nic.said, nic->words);
		assert_int_equal(fake_nic.says, 1);
		assert_int_equal(REG(E1000_RCTL) & E1000_RCTL_LPE, 0);
		assert_int_equal(REG(E1000_CTRL) & 0x40000000, 0); /* VME */
		assert_int_equal(REG(E1000_RDLEN), 4096);
		assert_int_equal(REG(E1000_RDT), 255);
		assert_int_not_equal(REG(E1000_ITR), 0);
		assert_true(fake_nic.master);
		assert_int_equal(fake_nic.binds, 1);
		assert_int_equal(fake_e1000.resets, 1);
		assert_true(fake_nic.paused < 500000);
		if (kinds[k].irq == BH_DEVICE_IRQ_MSIX)
			assert_int_equal(REG(E1000_IVAR), 0x00080808);
	}
	begin(0, 9000);
	assert_int_equal(REG(E1000_RCTL) & E1000_RCTL_LPE, E1000_RCTL_LPE);
}

static void test_address(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		model(k);
		fake_e1000.like_bochs = true;
		REG(E1000_RAL0) = REG(E1000_RAH0) = 0;
		assert_true(start(k, 1500));
		assert_memory_equal(nic->mac, "\x52\x54\x00\x12\x34\x56", 6);
		assert_int_equal(REG(E1000_RAL0), 0x12005452);
		assert_int_equal(REG(E1000_RAH0), 0x80005634);
		model(k);
		REG(E1000_RAL0) = REG(E1000_RAH0) = 0;
		fake_e1000.eeprom_dead = true;
		assert_false(start(k, 1500));
		assert_non_null(strstr(nic->words, "has an address"));
		assert_int_equal(nic->state, NIC_FAILED);
		assert_false(fake_nic.master);
		assert_true(fake_nic.paused < 500000);
	}
}

static void test_cannot_start(void **state)
{
	(void)state;
	model(0);
	assert_false(nic_start(nic, &fake_nic.access, 0x12345678, CLASS, 1500));
	assert_int_equal(nic->state, NIC_ABSENT);
	assert_non_null(strstr(fake_nic.said, "no driver for 5678:1234, class 020000"));
	assert_null(nic_reserve(nic, 60));
	nic_check(nic);
	nic_stop(nic);
	assert_int_equal(nic->state, NIC_ABSENT);
	model(0);
	assert_false(start(0, 9001));
	for (unsigned fault = 0; fault < 4; fault++) {
		model(0);
		fake_nic.access.bar_bytes[0] = fault == 0 ? 0x1000 : 0x20000;
		fake_nic.memory_left = fault == 1 ? 600000 : FAKE_NIC_MEMORY;
		fake_nic.no_master = fault == 2;
		fake_nic.no_bind = fault == 3;
		assert_false(start(0, 1500));
		assert_int_equal(nic->state, NIC_STOPPED);
		assert_true(nic->words[0]);
		nic_check(nic);
		nic_stop(nic);
		assert_int_equal(nic->counters.starts, 1);
	}
}

static void test_send(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		begin(k, 1500);
		for (unsigned i = 0; i < 10; i++)
			assert_true(send(i, 100 + i));
		assert_int_equal(ALL_SENT, 0);
		nic_flush(nic);
		assert_int_equal(ALL_SENT, 10);
		assert_int_equal(fake_e1000.tail_writes, 2); /* with the one of the start */
		assert_int_equal(fake_e1000.write_backs, 1);
		assert_int_equal(fake_e1000.frame_bytes, 109);
		fill(9, 109);
		assert_memory_equal(fake_e1000.frame, frame, 109);
		nic_flush(nic);
		assert_int_equal(fake_e1000.tail_writes, 2);

		memset(nic_reserve(nic, 1518), 0xee, 1518); /* not committed */
		assert_true(send(1, 42));
		nic_flush(nic);
		assert_int_equal(fake_e1000.frame_bytes, 60);
		for (unsigned i = 42; i < 60; i++)
			assert_int_equal(fake_e1000.frame[i], 0);
		assert_null(nic_reserve(nic, 1519));
		assert_int_equal(nic->counters.tx_frames, 11);
	}
}

static void test_send_wraps(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		uint32_t mtu = k % 2 ? 9000 : 1500;

		begin(k, mtu);
		for (uint32_t i = 0, batch = 1; i < 3000; batch = batch % 300 + 7) {
			for (uint32_t j = 0; j < batch; j++, i++)
				assert_true(send(i, 60 + i * 13 % (mtu + NIC_HEADERS - 59)));
			nic_flush(nic);
			assert_int_equal(ALL_SENT, i);
			assert_memory_equal(fake_e1000.frame, frame, fake_e1000.frame_bytes);
		}
		assert_int_equal(nic->counters.tx_full, 0);
	}
}

static void test_send_full(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		unsigned count = 0, interrupts;

		begin(k, 1500);
		assert_true(nic_may_sleep(nic));
		REG(E1000_TCTL) &= ~E1000_TCTL_EN; /* it takes its time */
		while (send(count, 1000))
			count++;
		assert_int_equal(count, 255);
		assert_int_equal(nic->counters.tx_full, 1);
		assert_true(nic_may_sleep(nic));
		interrupts = fake_e1000.interrupts;
		fake_nic.write(0, E1000_TCTL, 4, REG(E1000_TCTL) | E1000_TCTL_EN);
		assert_int_equal(fake_e1000.interrupts, interrupts + 1);
		nic_interrupt(nic);
		assert_int_equal(ALL_SENT, 255);
		assert_false(nic_may_sleep(nic)); /* there is room now */
		assert_true(nic_may_sleep(nic));
		assert_true(send(1, 60));
		nic_flush(nic);
		assert_int_equal(ALL_SENT, 256);
	}
}

static void test_receive(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		begin(k, 1500);
		expect_none();
		for (uint32_t i = 0; i < 3000; i++) {
			uint32_t bytes = 60 + i * 17 % 1459;

			assert_true(receive(i, bytes));
			if (i % 100 == 99) {
				for (uint32_t j = i - 99; j <= i; j++)
					expect(j, 60 + j * 17 % 1459);
				nic_flush(nic);
			}
		}
		expect_none();
		assert_int_equal(nic->counters.rx_frames, 3000);
		assert_int_equal(nic->counters.rx_errors, 0);
		/* One write a batch of 32, not one a frame. */
		assert_in_range(fake_e1000.rx_tail_writes, 90, 135);
	}
}

static void test_receive_overrun(void **state)
{
	uint32_t count = 0;

	(void)state;
	for (unsigned stays = 0; stays < 2; stays++, count = 0) {
		begin(0, 1500);
		fake_e1000.mpc_stays = stays;
		while (receive(count, 64))
			count++;
		assert_int_equal(count, 255);
		assert_false(receive(0, 64));
		nic_check(nic);
		assert_int_equal(nic->counters.rx_missed, 2);
		nic_check(nic);
		assert_int_equal(nic->counters.rx_missed, 2);
		for (uint32_t i = 0; i < count; i++)
			expect(i, 64);
		expect_none();
		nic_flush(nic);
		assert_true(receive(7, 64));
		expect(7, 64);
	}
}

static void test_jumbo(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		begin(k, 9000);
		for (uint32_t i = 0; i < 600; i++) { /* ends round the ring's end at each of the pieces */
			assert_true(receive(i, JUMBO - i));
			expect(i, JUMBO - i);
			nic_flush(nic);
		}
		for (uint32_t bytes = 2000; bytes < 2100; bytes++) {
			assert_true(receive(bytes, bytes));
			expect(bytes, bytes);
		}
		assert_true(send(5, JUMBO));
		nic_flush(nic);
		assert_int_equal(fake_e1000.frame_bytes, JUMBO);
		assert_memory_equal(fake_e1000.frame, frame, JUMBO);

		assert_true(receive(1, JUMBO + 1));
		assert_true(receive(2, 16384));
		assert_true(receive(3, 70));
		expect(3, 70);
		assert_int_equal(nic->counters.rx_oversize, 2);
	}
}

/* The first descriptors of a frame may be written before its last. */
static void test_pieces_later(void **state)
{
	(void)state;
	begin(0, 9000);
	fake_e1000.hold_last = true;
	assert_true(receive(1, 5000));
	expect_none();
	expect_none();
	assert_true(nic_may_sleep(nic));
	fake_e1000_finish();
	assert_false(nic_may_sleep(nic));
	expect(1, 5000);
}

static void test_bad_descriptors(void **state)
{
	uint64_t *ring;

	(void)state;
	begin(0, 9000);
	assert_true(fake_e1000_receive(frame, 100, 0x01));  /* CRC */
	assert_true(fake_e1000_receive(frame, 5000, 0x80)); /* RXE at its end */
	assert_true(fake_e1000_receive(frame, 100, 0x20));  /* TCP's checksum: not ours to judge */
	assert_true(fake_e1000_receive(frame, 13, 0));
	assert_true(receive(4, 64));
	ring = fake_nic_dma(REG(E1000_RDBAL) | (uint64_t)REG(E1000_RDBAH) << 32, 4096);
	fill(4, 100);
	memcpy(fake_nic_dma(ring[2 * 4], 100), frame, 100); /* 1 and 3 descriptors before it */
	expect(4, 100);
	expect(4, 64);
	assert_int_equal(nic->counters.rx_errors, 3);

	/* Longer than its buffer; a piece in the middle that is not full; pieces without an end. */
	for (unsigned i = 7; i < 256; i++)
		ring[2 * i + 1] = 2048 | E1000_RXD_DD;
	ring[2 * 7 + 1] = 2049 | E1000_RXD_DD | E1000_RXD_EOP;
	ring[2 * 8 + 1] = 100 | E1000_RXD_DD;
	ring[2 * 9 + 1] = 100 | E1000_RXD_DD | E1000_RXD_EOP;
	expect_none();
	assert_int_equal(nic->counters.rx_errors, 5);
	assert_int_equal(nic->counters.rx_oversize, 1);
	assert_int_equal(nic->state, NIC_RUNS);
	/* All of them are the NIC's again, with their addresses. */
	for (unsigned i = 0; i < 255; i++) {
		assert_int_equal(ring[2 * i + 1], 0);
		fake_nic_dma(ring[2 * i], 2048);
	}
}

static void test_interrupts(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		unsigned binds, interrupts, accesses;

		begin(k, 1500);
		assert_true(nic_may_sleep(nic));
		interrupts = fake_e1000.interrupts;
		binds = fake_nic.binds;
		assert_true(receive(1, 64));
		assert_int_equal(fake_e1000.interrupts, interrupts + 1);
		nic_interrupt(nic);
		for (unsigned i = 0; i < 50; i++)
			assert_true(receive(2, 64)); /* none for these */
		assert_int_equal(fake_e1000.interrupts, interrupts + 1);
		assert_false(nic_may_sleep(nic));
		expect(1, 64);
		for (unsigned i = 0; i < 50; i++)
			expect(2, 64);
		nic_interrupt(nic);
		assert_true(nic_may_sleep(nic));
		assert_int_equal(fake_e1000.interrupts, interrupts + 1);
		assert_int_equal(fake_nic.binds, binds + (kinds[k].irq == BH_DEVICE_IRQ_INTX ? 2 : 0));
		accesses = fake_nic.accesses;
		for (unsigned i = 0; i < 10; i++)
			assert_true(nic_may_sleep(nic));
		assert_int_equal(fake_nic.accesses, accesses);
		assert_true(receive(3, 64));
		assert_int_equal(fake_e1000.interrupts, interrupts + 2);
	}
}

static void test_link(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		unsigned interrupts;

		begin(k, 1500);
		interrupts = fake_e1000.interrupts;
		fake_e1000_link(false);
		assert_int_equal(fake_e1000.interrupts, interrupts + 1);
		nic_interrupt(nic);
		assert_false(nic->link);
		assert_int_equal(nic->speed, 0);
		assert_non_null(strstr(nic->words, "link down"));
		assert_true(nic_may_sleep(nic));
		/* Frames wait for the link; that is no reason to reset it. */
		assert_true(send(1, 64));
		nic_flush(nic);
		for (unsigned i = 0; i < 10; i++)
			nic_check(nic);
		assert_int_equal(nic->state, NIC_RUNS);
		assert_int_equal(ALL_SENT, 0);
		fake_e1000_link(true);
		nic_check(nic); /* without its interrupt */
		assert_true(nic->link);
		assert_int_equal(ALL_SENT, 1);
	}
}

static void test_stuck(void **state)
{
	unsigned says;

	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		begin(k, 1500);
		fake_e1000.stuck = true;
		assert_true(send(1, 64));
		nic_flush(nic);
		nic_check(nic);
		nic_check(nic);
		assert_int_equal(nic->state, NIC_RUNS);
		nic_check(nic);
		assert_int_equal(nic->state, NIC_FAILED);
		assert_non_null(strstr(fake_nic.said, "stopped sending: TDH 0, TDT 1"));
		assert_false(nic->link);
		assert_false(fake_nic.master);
		assert_null(nic_reserve(nic, 64));
		expect_none();
		assert_true(nic_may_sleep(nic));
		nic_check(nic); /* a second later it is started again */
		assert_int_equal(nic->state, NIC_RUNS);
		assert_true(nic->link);
		fake_e1000.stuck = false;
		assert_true(send(2, 64));
		nic_flush(nic);
		assert_int_equal(ALL_SENT, 1);
		assert_true(receive(2, 64));
		expect(2, 64);
		assert_int_equal(nic->counters.starts, 2);
	}
	fake_e1000.gone = true;
	nic_check(nic);
	assert_int_equal(nic->state, NIC_FAILED);
	assert_non_null(strstr(nic->words, "does not answer"));
	says = fake_nic.says;
	for (unsigned i = 0; i < 600; i++)
		nic_check(nic);
	assert_int_equal(fake_nic.says, says);
	assert_in_range(nic->counters.starts, 12, 20);
	fake_e1000.gone = false;
	for (unsigned i = 0; i < 60; i++)
		nic_check(nic);
	assert_int_equal(nic->state, NIC_RUNS);
}

static void test_gone(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		model(k);
		fake_e1000.gone = true;
		assert_false(start(k, 1500));
		assert_non_null(strstr(nic->words, "does not answer"));
		model(k);
		fake_e1000.reset_hangs = true;
		assert_false(start(k, 1500));
		assert_non_null(strstr(nic->words, "reset"));
		assert_true(fake_nic.paused < 500000);
		begin(k, 1500);
		fake_e1000.gone = true;
		nic_interrupt(nic);
		assert_int_equal(nic->state, NIC_FAILED);
		nic_stop(nic);
		assert_int_equal(nic->state, NIC_STOPPED);
	}
}

static void test_phy_off(void **state)
{
	(void)state;
	begin(0, 1500);
	assert_int_equal(fake_e1000.phy[0], 0x1140); /* left alone */
	model(2);
	fake_e1000.phy[0] = 0x0940;
	assert_true(start(2, 1500));
	assert_int_equal(fake_e1000.phy[0], 0x1340);
}

static void test_aspm_off(void **state)
{
	(void)state;
	model(2);
	fake_nic.config[0x34] = 0xc8;
	fake_nic.config[0xc8] = 0x01;
	fake_nic.config[0xc9] = 0xe0;
	fake_nic.config[0xe0] = 0x10;
	fake_nic.config[0xf0] = 0x43;
	assert_true(start(2, 1500));
	assert_int_equal(fake_nic.config[0xf0], 0x40);
	model(2); /* a list that goes round */
	fake_nic.config[0x34] = 0xc8;
	fake_nic.config[0xc9] = 0xc8;
	assert_true(start(2, 1500));
}

static void test_stop(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		begin(k, 1500);
		nic_stop(nic);
		assert_int_equal(nic->state, NIC_STOPPED);
		assert_int_equal(REG(E1000_RCTL) & E1000_RCTL_EN, 0);
		assert_int_equal(REG(E1000_IMS), 0);
		assert_false(fake_nic.master);
		nic_check(nic);
		assert_int_equal(nic->state, NIC_STOPPED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_cannot_start),
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_send_wraps),
		cmocka_unit_test(test_send_full),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_receive_overrun),
		cmocka_unit_test(test_jumbo),
		cmocka_unit_test(test_pieces_later),
		cmocka_unit_test(test_bad_descriptors),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_phy_off),
		cmocka_unit_test(test_aspm_off),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
