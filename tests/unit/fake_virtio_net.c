#include <string.h>
#include "fake_nic.h"
#include "fake_virtio_net.h"

/* Where the structures lie: BAR 4, with the device's own in BAR 2. */
#define COMMON	     0x1000u
#define ISR	     0x2000u
#define NOTIFY	     0x3000u
#define DEVICE	     0x100u
#define MULTIPLIER   8u
#define NOTIFY_OFF   3u /* of queue 0; queue 1 has the next */
#define HEADER_BYTES 12u
#define EVENT_IDX    (1ull << 29)

struct descriptor {
	uint64_t address;
	uint32_t bytes;
	uint16_t flags, next;
};

struct fake_virtio_net fake_virtio_net;

static struct fake_virtio_net *const v = &fake_virtio_net;

static uint16_t read16(uint64_t address)
{
	uint16_t value;

	memcpy(&value, fake_nic_dma(address, 2), 2);
	return value;
}

static void write_dma(uint64_t address, const void *from, uint32_t bytes)
{
	memcpy(fake_nic_dma(address, bytes), from, bytes);
}

/* 2.6.7.2: `before` to `now` are the used index before and after. */
static bool wants_interrupt(struct fake_virtio_queue *q, uint16_t before, uint16_t now)
{
	uint16_t event;

	if (!(v->accepted & EVENT_IDX))
		return !(read16(q->driver) & 1);
	event = read16(q->driver + 4 + 2 * q->size);
	return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

static void interrupt(struct fake_virtio_queue *q)
{
	uint16_t before = q->signalled;

	q->signalled = q->used;
	if (before == q->used || !wants_interrupt(q, before, q->used))
		return;
	v->isr |= 1;
	v->interrupts++;
}

void fake_virtio_net_give(unsigned index, uint32_t id, uint32_t bytes)
{
	struct fake_virtio_queue *q = &v->queue[index];
	uint32_t element[2] = { id, bytes };

	write_dma(q->device + 4 + 8 * (q->used % q->size), element, 8);
	q->used++;
	write_dma(q->device + 2, &q->used, 2);
}

/* The next buffer that the driver has made available. */
static bool take(struct fake_virtio_queue *q, uint16_t *id, struct descriptor *d)
{
	uint16_t available;

	if (!q->enabled || !(v->status & 4))
		return false;
	available = read16(q->driver + 2);
	fake_nic_check((uint16_t)(available - q->seen) <= q->size, "more buffers than fit");
	if (available == q->seen)
		return false;
	*id = read16(q->driver + 4 + 2 * (q->seen++ % q->size));
	if (v->accepted & EVENT_IDX)
		write_dma(q->device + 4 + 8 * q->size, &q->seen, 2);
	fake_nic_check(*id < q->size, "a descriptor that is not there");
	memcpy(d, fake_nic_dma(q->desc + 16 * *id, 16), 16);
	return true;
}

static void send_one(const struct descriptor *d)
{
	const uint8_t *data = fake_nic_dma(d->address, d->bytes);

	fake_nic_check(d->flags == 0 && d->bytes >= HEADER_BYTES + 14, "a buffer to send");
	for (unsigned i = 0; i < HEADER_BYTES; i++)
		fake_nic_check(data[i] == 0, "no offload was agreed upon");
	v->frame_bytes = d->bytes - HEADER_BYTES;
	fake_nic_check(v->frame_bytes <= 9018, "a frame's length");
	memcpy(v->frame, data + HEADER_BYTES, v->frame_bytes);
	v->sent++;
}

static void transmit(void)
{
	uint16_t ids[256], count = 0;
	struct descriptor d;

	while (!v->holds && count < 256 && take(&v->queue[1], &ids[count], &d)) {
		send_one(&d);
		count++;
	}
	for (uint16_t i = 0; i < count; i++)
		fake_virtio_net_give(1, ids[v->backwards ? count - 1 - i : i], 0);
	if (count)
		interrupt(&v->queue[1]);
}

void fake_virtio_net_go(void)
{
	v->holds = false;
	transmit();
}

bool fake_virtio_net_receive(const void *frame, uint32_t bytes, uint8_t flags, uint8_t gso_type)
{
	uint8_t header[HEADER_BYTES] = { flags, gso_type, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0 };
	struct descriptor d;
	uint16_t id;

	if (!take(&v->queue[0], &id, &d))
		return false;
	fake_nic_check(d.flags == 2 && d.bytes >= 1526, "a buffer to receive");
	if (bytes > d.bytes - HEADER_BYTES)
		bytes = d.bytes - HEADER_BYTES;
	write_dma(d.address, header, HEADER_BYTES);
	write_dma(d.address + HEADER_BYTES, frame, bytes);
	fake_virtio_net_give(0, id, bytes + HEADER_BYTES);
	interrupt(&v->queue[0]);
	return true;
}

void fake_virtio_net_link(bool up)
{
	v->config[6] = up;
	v->isr |= 2;
	v->interrupts++;
}

/* ---- registers --------------------------------------------------------------------------------- */

static struct fake_virtio_queue *selected(void)
{
	static struct fake_virtio_queue none;

	return v->queue_select < 2 ? &v->queue[v->queue_select] : &none;
}

static uint64_t read_common(uint32_t offset)
{
	switch (offset) {
	case 0x04: return v->feature_select < 2 ? (uint32_t)(v->offers >> 32 * v->feature_select) : 0;
	case 0x10: return v->config_vector;
	case 0x12: return v->queues;
	case 0x14: return v->status;
	case 0x18: return selected()->size_max;
	case 0x1a: return selected()->vector;
	case 0x1c: return selected()->enabled;
	case 0x1e: return v->queue_select + NOTIFY_OFF;
	default: fake_nic_check(false, "a field that is not to be read"); return 0;
	}
}

static void write_status(uint8_t status)
{
	if (status == 0 && !v->reset_hangs) {
		for (unsigned i = 0; i < 2; i++)
			v->queue[i] = (struct fake_virtio_queue){ .size_max = v->queue[i].size_max, .vector = 0xffff };
		v->accepted = 0;
		v->config_vector = 0xffff;
	}
	v->status = v->reset_hangs ? v->status : status;
	if (v->refuses || v->accepted & ~v->offers)
		v->status &= (uint8_t)~8;
}

static void half(uint64_t *field, bool high, uint64_t value)
{
	*field = high ? (*field & 0xffffffff) | value << 32 : (*field & ~0xffffffffull) | value;
}

static void write_common(uint32_t offset, uint64_t value)
{
	uint16_t vector = v->no_vectors ? 0xffff : (uint16_t)value;

	switch (offset) {
	case 0x00: v->feature_select = (uint32_t)value; break;
	case 0x08: v->driver_select = (uint32_t)value; break;
	case 0x0c: half(&v->accepted, v->driver_select, value); break;
	case 0x10: v->config_vector = vector; break;
	case 0x14: write_status((uint8_t)value); break;
	case 0x16: v->queue_select = (uint16_t)value; break;
	case 0x18: selected()->size = (uint16_t)value; break;
	case 0x1a: selected()->vector = vector; break;
	case 0x1c:
		fake_nic_check(v->status & 8 && !(v->status & 4), "queues are enabled before DRIVER_OK");
		selected()->enabled = (uint16_t)value;
		break;
	case 0x20:
	case 0x24: half(&selected()->desc, offset & 4, value); break;
	case 0x28:
	case 0x2c: half(&selected()->driver, offset & 4, value); break;
	case 0x30:
	case 0x34: half(&selected()->device, offset & 4, value); break;
	default: fake_nic_check(false, "a field that is not to be written");
	}
}

static uint64_t device_read(unsigned bar, uint32_t offset, unsigned bytes)
{
	uint64_t value = 0;

	if (v->gone)
		return bytes == 4 ? 0xffffffff : (1u << 8 * bytes) - 1;
	if (bar == 2) {
		fake_nic_check(offset >= DEVICE && offset + bytes <= DEVICE + 12, "the device's configuration");
		memcpy(&value, &v->config[offset - DEVICE], bytes);
		return value;
	}
	if (bar == 4 && offset == ISR) {
		value = v->isr;
		v->isr = 0;
		return value;
	}
	fake_nic_check(bar == 4 && offset >= COMMON && offset < COMMON + 0x38, "a structure");
	return read_common(offset - COMMON);
}

static void device_write(unsigned bar, uint32_t offset, unsigned bytes, uint64_t value)
{
	if (v->gone)
		return;
	fake_nic_check(bar == 4, "a structure");
	if (offset >= NOTIFY) {
		unsigned index = (offset - NOTIFY) / MULTIPLIER - NOTIFY_OFF;

		fake_nic_check(bytes == 2 && index < 2 && value == index && v->status & 4, "a notification");
		v->queue[index].notices++;
		transmit();
		return;
	}
	write_common(offset - COMMON, value);
}

/* ---- configuration space ----------------------------------------------------------------------- */

static void capability(uint8_t at, uint8_t next, uint8_t type, uint8_t bar, uint32_t offset, uint32_t bytes)
{
	uint8_t *to = fake_nic.config + at;
	uint32_t multiplier = MULTIPLIER;

	to[0] = 9;
	to[1] = next;
	to[2] = 20;
	to[3] = type;
	to[4] = bar;
	memcpy(to + 8, &offset, 4);
	memcpy(to + 12, &bytes, 4);
	memcpy(to + 16, &multiplier, 4);
}

void fake_virtio_net_reset(enum bh_device_irq kind)
{
	static const uint8_t config[12] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 0, 1, 0, 0x28, 0x23 };

	fake_nic_reset();
	memset(v, 0, sizeof(*v));
	fake_nic.access.irq_kind = kind;
	fake_nic.access.bar_bytes[2] = 0x1000;
	fake_nic.access.bar_bytes[4] = 0x4000;
	fake_nic.read = device_read;
	fake_nic.write = device_write;
	v->offers = ~0ull;
	v->queues = 3;
	v->queue[0].size_max = v->queue[1].size_max = 256;
	memcpy(v->config, config, sizeof(config));
	fake_nic.config[6] = 0x10;
	fake_nic.config[0x34] = 0x40;
	fake_nic.config[0x40] = 0x11; /* MSI-X: not ours */
	fake_nic.config[0x41] = 0x50;
	capability(0x50, 0x64, 1, 0, 0, 0x38); /* in an I/O BAR */
	capability(0x64, 0x78, 1, 4, COMMON, 0x38);
	capability(0x78, 0x8c, 3, 4, ISR, 1);
	capability(0x8c, 0xa0, 2, 4, NOTIFY, 0x1000);
	capability(0xa0, 0xb4, 4, 2, DEVICE, 12);
	capability(0xb4, 0x00, 5, 0, 0, 0);
}
