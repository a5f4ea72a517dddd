#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "fake_nic.h"
#include "fake_virtio_net.h"

#define CLASS	  0x020000
#define MODERN	  0x10411af4
#define JUMBO	  (9000u + NIC_HEADERS)
#define EVENT_IDX (1ull << 29)

static struct nic *const nic = &fake_nic.nic;
static struct fake_virtio_net *const v = &fake_virtio_net;
static uint8_t frame[16384];

/* Each test runs with these: kind of interrupt, event indexes. */
static const struct kind {
	enum bh_device_irq irq;
	bool event_index;
} kinds[] = {
	{ BH_DEVICE_IRQ_INTX, true },
	{ BH_DEVICE_IRQ_INTX, false },
	{ BH_DEVICE_IRQ_MSIX, true },
	{ BH_DEVICE_IRQ_MSIX, false },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void fill(uint32_t seed, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		frame[i] = (uint8_t)(seed * 31 + i * 7 + (i >> 8));
}

static void model(unsigned kind)
{
	fake_virtio_net_reset(kinds[kind].irq);
	if (!kinds[kind].event_index)
		v->offers &= ~EVENT_IDX;
}

static bool start(uint32_t mtu) { return nic_start(nic, &fake_nic.access, MODERN, CLASS, mtu); }

static void begin(unsigned kind, uint32_t mtu)
{
	model(kind);
	assert_true(start(mtu));
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

static void expect(uint32_t seed, uint32_t bytes)
{
	const uint8_t *data;
	uint32_t got;

	assert_true(nic_next(nic, &data, &got));
	assert_true(nic_next(nic, &data, &got)); /* the same once more */
	assert_int_equal(got, bytes);
	fill(seed, bytes);
	assert_memory_equal(data, frame, bytes);
	nic_done(nic);
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
	return fake_virtio_net_receive(frame, bytes, 0, 0);
}

static void test_start(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		begin(k, 1500);
		assert_memory_equal(nic->mac, "\x52\x54\x00\x12\x34\x56", 6);
		assert_true(nic->link);
		assert_string_equal(nic->words, "virtio-net: link up");
		assert_int_equal(v->status, 15);
		assert_int_equal(v->accepted & ~(1ull << 3 | 1ull << 5 | 1ull << 16 | EVENT_IDX | 1ull << 32 |
						 1ull << 33 | 1ull << 36),
				 0);
		assert_int_equal(v->queue[0].size, 256);
		assert_int_equal(v->queue[0].vector, kinds[k].irq == BH_DEVICE_IRQ_MSIX ? 0 : 0xffff);
		assert_int_equal(v->queue[0].notices, 1);
		assert_int_equal(fake_nic.binds, 1);
	}
	fake_virtio_net_reset(BH_DEVICE_IRQ_INTX);
	assert_true(nic_start(nic, &fake_nic.access, 0x10001af4, CLASS, 1500));
	fake_virtio_net_reset(BH_DEVICE_IRQ_INTX);
	assert_false(nic_start(nic, &fake_nic.access, 0x10011af4, 0x010000, 1500)); /* a disk */
	/* A device of long ago: no status, no MTU, small queues. */
	fake_virtio_net_reset(BH_DEVICE_IRQ_INTX);
	v->offers = 1ull << 32;
	v->queue[0].size_max = v->queue[1].size_max = 8;
	fake_nic.config[0xa0 + 12] = 6;
	assert_true(start(1500));
	assert_true(nic->link);
	assert_int_equal(v->queue[1].size, 8);
	for (unsigned i = 0; i < 100; i++) {
		assert_true(receive(i, 60));
		expect(i, 60);
		assert_true(send(i, 60));
		nic_flush(nic);
		assert_int_equal(v->sent, i + 1);
	}
}

/* What is wrong, as bits of the model, and a part of the words. */
static void test_cannot_start(void **state)
{
	static const char *const words[] = {
		"no structures",    "no structures",	  "no structures", "features that are needed",
		"own features",	    "outside of its BAR", "no queue 1",	   "size that cannot be",
		"MTU of 1400",	    "no MSI-X vector",	  "end its reset", "not answer",
		"not reach memory", "cannot be bound",	  "no memory",	   "past the IOMMU",
	};

	(void)state;
	for (unsigned fault = 0; fault < sizeof(words) / sizeof(words[0]); fault++) {
		fake_virtio_net_reset(BH_DEVICE_IRQ_MSIX);
		switch (fault) {
		case 0: fake_nic.config[6] = 0; break;
		case 1: fake_nic.config[0x78 + 14] = 1; break; /* ISR ends beyond the BAR */
		case 2: fake_nic.config[0x41] = 0x40; break;   /* a list that goes round */
		case 3: v->offers &= ~(1ull << 32); break;
		case 4: v->refuses = true; break;
		case 5: fake_nic.config[0x8c + 19] = 0xff; break;
		case 6: v->queues = 1; break;
		case 7: v->queue[0].size_max = 24; break;
		case 8: memcpy(v->config + 10, (uint16_t[]){ 1400 }, 2); break;
		case 9: v->no_vectors = true; break;
		case 10:
			v->reset_hangs = true;
			v->status = 15;
			break;
		case 11: v->gone = true; break;
		case 12: fake_nic.no_master = true; break;
		case 13: fake_nic.no_bind = true; break;
		case 14: fake_nic.memory_left = 30000; break;
		case 15:
			fake_nic.access.iommu = true;
			v->offers &= ~(1ull << 33);
			break;
		}
		assert_false(start(1500));
		assert_non_null(strstr(fake_nic.said, words[fault]));
		assert_string_equal(fake_nic.said, nic->words);
		assert_int_not_equal(nic->state, NIC_RUNS);
		assert_false(fake_nic.master);
		assert_true(fake_nic.paused < 500000);
		nic_check(nic);
		nic_stop(nic);
	}
}

static void test_send(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		uint32_t mtu = k % 2 ? 9000 : 1500;
		unsigned notices;

		begin(k, mtu);
		v->backwards = k > 1;
		notices = 0;
		for (uint32_t i = 0, batch = 1; i < 70000; batch = batch % 50 + 1) { /* indexes go round */
			for (uint32_t j = 0; j < batch; j++, i++)
				assert_true(send(i, 14 + i * 13 % 1000));
			assert_int_equal(v->sent, i - batch);
			nic_flush(nic);
			nic_flush(nic);
			assert_int_equal(v->sent, i);
			assert_int_equal(v->queue[1].notices, ++notices);
			assert_memory_equal(v->frame, frame, v->frame_bytes);
		}
		assert_true(send(1, mtu + NIC_HEADERS));
		nic_flush(nic);
		assert_int_equal(v->frame_bytes, mtu + NIC_HEADERS);
		assert_memory_equal(v->frame, frame, v->frame_bytes);
		assert_int_equal(nic->counters.tx_full, 0);
		assert_true(v->interrupts <= 2); /* of 70,000 */
	}
}

static void test_send_full(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		unsigned count = 0, interrupts;

		begin(k, 1500);
		v->holds = true;
		while (send(count, 1000))
			count++;
		assert_int_equal(count, 256);
		assert_int_equal(nic->counters.tx_full, 1);
		assert_true(nic_may_sleep(nic));
		interrupts = v->interrupts;
		fake_virtio_net_go();
		assert_int_equal(v->interrupts, interrupts + 1);
		nic_interrupt(nic);
		assert_false(nic_may_sleep(nic));
		assert_true(nic_may_sleep(nic));
		assert_true(send(1, 60));
		nic_flush(nic);
		assert_int_equal(v->sent, 257);
	}
}

static void test_receive(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		uint32_t mtu = k % 2 ? 9000 : 1500;

		begin(k, mtu);
		expect_none();
		nic_interrupt(nic);
		for (uint32_t i = 0; i < 70000; i++) {
			assert_true(receive(i, 14 + i * 17 % 500));
			if (i % 50 == 49) {
				for (uint32_t j = i - 49; j <= i; j++)
					expect(j, 14 + j * 17 % 500);
				nic_flush(nic);
			}
		}
		expect_none();
		assert_true(receive(2, mtu + NIC_HEADERS));
		expect(2, mtu + NIC_HEADERS);
		assert_int_equal(nic->counters.rx_frames, 70001);
		assert_true(v->interrupts <= 3); /* nobody asked for them */
	}
}

static void test_bad_frames(void **state)
{
	(void)state;
	begin(0, 1500);
	fill(1, 2000);
	assert_true(fake_virtio_net_receive(frame, 13, 0, 0));
	assert_true(fake_virtio_net_receive(frame, 64, 1, 0)); /* needs a checksum */
	assert_true(fake_virtio_net_receive(frame, 64, 0, 1)); /* to be segmented */
	assert_true(fake_virtio_net_receive(frame, 1519, 0, 0));
	assert_true(fake_virtio_net_receive(frame, 64, 2, 0)); /* checksum known good: fine */
	expect(1, 64);
	expect_none();
	assert_int_equal(nic->counters.rx_errors, 3);
	assert_int_equal(nic->counters.rx_oversize, 1);
	/* Nothing was lost of the buffers. */
	nic_flush(nic);
	for (unsigned i = 0; i < 256; i++)
		assert_true(receive(i, 64));
	assert_false(receive(0, 64));
}

static void test_rules(void **state)
{
	(void)state;
	for (unsigned fault = 0; fault < 6; fault++) {
		begin(0, 1500);
		switch (fault) {
		case 0: fake_virtio_net_give(0, 256, 64); break;
		case 1: fake_virtio_net_give(0, 0xffffffff, 64); break;
		case 2:
			assert_true(send(1, 64));
			nic_flush(nic);
			fake_virtio_net_give(1, 0, 0); /* a second time */
			break;
		case 3: fake_virtio_net_give(0, 3, 1537); break;
		case 4: fake_virtio_net_give(0, 3, 0xffffffff); break;
		case 5: fake_virtio_net_give(1, 0, 0); break; /* nothing was sent */
		}
		for (unsigned i = 0; i < 3; i++) {
			const uint8_t *data;
			uint32_t bytes;

			if (nic_next(nic, &data, &bytes))
				nic_done(nic);
		}
		nic_check(nic);
		assert_int_equal(nic->state, NIC_STOPPED);
		assert_non_null(strstr(fake_nic.said, "breaks the rules"));
		assert_false(fake_nic.master);
		nic_check(nic);
		assert_int_equal(nic->state, NIC_STOPPED);
	}
}

static void test_interrupts(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		begin(k, 1500);
		assert_true(nic_may_sleep(nic));
		assert_true(receive(1, 64));
		assert_int_equal(v->interrupts, 1);
		nic_interrupt(nic);
		for (unsigned i = 0; i < 50; i++)
			assert_true(receive(2, 64));
		assert_int_equal(v->interrupts, 1);
		assert_false(nic_may_sleep(nic));
		nic_interrupt(nic);
		expect(1, 64);
		for (unsigned i = 0; i < 50; i++)
			expect(2, 64);
		assert_true(nic_may_sleep(nic));
		assert_true(receive(3, 64));
		assert_int_equal(v->interrupts, 2);
		assert_int_equal(fake_nic.binds, kinds[k].irq == BH_DEVICE_IRQ_INTX ? 3 : 1);
		expect(3, 64);
	}
}

static void test_link(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		begin(k, 1500);
		fake_virtio_net_link(false);
		nic_interrupt(nic);
		assert_false(nic->link);
		assert_string_equal(nic->words, "virtio-net: link down");
		v->holds = true;
		assert_true(send(1, 64));
		nic_flush(nic);
		for (unsigned i = 0; i < 10; i++)
			nic_check(nic);
		assert_int_equal(nic->state, NIC_RUNS);
		fake_virtio_net_link(true);
		nic_check(nic);
		assert_true(nic->link);
	}
}

static void again(const char *words)
{
	assert_int_equal(nic->state, NIC_FAILED);
	assert_non_null(strstr(nic->words, words));
	v->holds = v->gone = false;
	nic_check(nic);
	assert_int_equal(nic->state, NIC_RUNS);
	assert_true(send(1, 64));
	nic_flush(nic);
	assert_int_equal(v->frame_bytes, 64);
	assert_true(receive(2, 64));
	expect(2, 64);
}

static void test_failures(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KINDS; k++) {
		begin(k, 1500);
		v->holds = true;
		assert_true(send(1, 64));
		nic_flush(nic);
		for (unsigned i = 0; i < 3; i++)
			nic_check(nic);
		again("stopped sending: 1 frames");
		begin(k, 1500);
		v->gone = true;
		nic_check(nic);
		again("does not answer");
		begin(k, 1500);
		v->status |= 64;
		nic_check(nic);
		again("asks to be reset");
		begin(k, 1500);
		v->status = 0;
		nic_check(nic);
		again("forgotten");
		nic_stop(nic);
		assert_int_equal(v->status, 0);
		assert_int_equal(nic->state, NIC_STOPPED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),	cmocka_unit_test(test_cannot_start),
		cmocka_unit_test(test_send),	cmocka_unit_test(test_send_full),
		cmocka_unit_test(test_receive), cmocka_unit_test(test_bad_frames),
		cmocka_unit_test(test_rules),	cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_link),	cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
