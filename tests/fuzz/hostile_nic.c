#include <string.h>
#include "hostile_nic.h"
#include "tests/unit/fake_nic.h"

#define CLASS 0x020000u

static struct {
	const uint8_t *data;
	size_t size;
} input;

/* Zeros when there is no more. */
static uint64_t take(size_t bytes)
{
	uint64_t value = 0;

	bytes = bytes < input.size ? bytes : input.size;
	memcpy(&value, input.data, bytes);
	input.data += bytes;
	input.size -= bytes;
	return value;
}

static uint64_t read_anything(unsigned bar, uint32_t offset, unsigned bytes)
{
	(void)bar, (void)offset;
	return take(bytes);
}

static void write_nothing(unsigned bar, uint32_t offset, unsigned bytes, uint64_t value)
{
	(void)bar, (void)offset, (void)bytes, (void)value;
}

static void must_lie_within(const uint8_t *data, uint32_t bytes)
{
	for (unsigned i = 1; i < fake_nic.block_count; i++) {
		size_t offset = (size_t)(data - fake_nic.blocks[i].data);

		if (data >= fake_nic.blocks[i].data && offset + bytes <= fake_nic.blocks[i].bytes)
			return;
	}
	fake_nic_check(false, "a frame outside of the driver's memory");
}

/* 8 bytes, or some of them, of a ring, mostly, or of the buffers. */
static void attack(struct nic *nic)
{
	uint8_t how = (uint8_t)take(1);
	uint32_t place = (uint32_t)take(2) * 8;
	uint64_t value = take(8);
	unsigned block;

	(void)nic;
	if (fake_nic.block_count < 2)
		return;
	block = 1 + how % (fake_nic.block_count - 1);
	memcpy(fake_nic.blocks[block].data + place % (fake_nic.blocks[block].bytes - 8) + (how >> 5 & 6), &value,
	       8 - (how >> 5 & 6));
}

static void send(struct nic *nic)
{
	uint32_t bytes = 14 + (uint32_t)take(2) % (nic->mtu + NIC_HEADERS);
	uint8_t *to = nic_reserve(nic, bytes);

	if (!to)
		return;
	must_lie_within(to, bytes);
	memset(to, 0x55, bytes);
	nic_commit(nic, bytes);
}

static void receive(struct nic *nic)
{
	for (unsigned i = 0; i < 300; i++) {
		const uint8_t *data;
		uint32_t bytes;

		if (!nic_next(nic, &data, &bytes))
			return;
		fake_nic_check(bytes >= 14 && bytes <= nic->mtu + NIC_HEADERS, "a frame's length");
		must_lie_within(data, bytes);
		if (i % 3)
			nic_done(nic);
	}
}

static void one_call(struct nic *nic)
{
	switch (take(1) % 10) {
	case 0: nic_interrupt(nic); break;
	case 1: nic_may_sleep(nic); break;
	case 2: nic_check(nic); break;
	case 3: nic_flush(nic); break;
	case 4: send(nic); break;
	case 5: receive(nic); break;
	default: attack(nic);
	}
}

void hostile_nic(uint32_t id, bool from_start, const uint8_t *data, size_t size)
{
	struct nic *nic = &fake_nic.nic;
	uint8_t how;

	input.data = data;
	input.size = size;
	how = (uint8_t)take(1);
	fake_nic.access.irq_kind = how & 3;
	fake_nic.access.irqs = how & 4 ? 1 : 0;
	if (from_start) {
		fake_nic.read = read_anything;
		fake_nic.write = write_nothing;
	}
	nic_start(nic, &fake_nic.access, id, CLASS, how & 8 ? 9000 : 1500);
	fake_nic.read = read_anything;
	fake_nic.write = write_nothing;
	while (input.size)
		one_call(nic);
	receive(nic);
	nic_stop(nic);
	fake_nic_check(!fake_nic.master, "stopped, but still a bus master");
}
