/* pit.c: the 8254's counters as functions of time. */
#include "pit.h"
#include "clock.h"

#define ACCESS_LOW  1
#define ACCESS_HIGH 2
#define ACCESS_BOTH 3

#define STATUS_OUT  0x80
#define STATUS_NULL 0x40 /* no count has been loaded */

#define REFRESH_TICKS 18 /* a DRAM refresh every 15 microseconds */

static uint64_t ticks_since(const struct pit *pit, uint64_t start)
{
	uint64_t now = pit->outside.now(pit->outside.context);

	return now > start ? clock_muldiv(now - start, PIT_HZ, pit->outside.tsc_hz) : 0;
}

static bool is_periodic(const struct pit_channel *channel) { return channel->mode == 2 || channel->mode == 3; }

/* Modes 1 and 5 begin with a rising gate; the others count while the gate is open. */
static bool is_triggered(const struct pit_channel *channel) { return channel->mode == 1 || channel->mode == 5; }

static uint64_t elapsed(const struct pit *pit, const struct pit_channel *channel)
{
	if (!channel->running)
		return channel->before;
	return channel->before + ticks_since(pit, channel->start);
}

/* Data sheet, "mode definitions". */
static uint16_t count_of(const struct pit *pit, const struct pit_channel *channel)
{
	uint64_t ticks = elapsed(pit, channel), reload = channel->reload;

	switch (channel->mode) {
	case 2: return (uint16_t)(reload - ticks % reload);
	case 3: /* counts by twos, twice per period */ return (uint16_t)(reload - 2 * ticks % reload);
	default: /* goes on counting below zero */ return (uint16_t)(reload - ticks);
	}
}

static bool output_of(const struct pit *pit, const struct pit_channel *channel)
{
	uint64_t ticks = elapsed(pit, channel), reload = channel->reload;

	switch (channel->mode) {
	case 0:
	case 1: return ticks >= reload;
	case 2: return ticks % reload != reload - 1;
	case 3: return ticks % reload < (reload + 1) / 2;
	default: /* a strobe of one tick */ return ticks != reload;
	}
}

static void start(struct pit *pit, struct pit_channel *channel)
{
	channel->before = channel->fired = 0;
	channel->start = pit->outside.now(pit->outside.context);
	channel->running = channel->gate && !is_triggered(channel);
	if (channel == &pit->channel[0])
		pit->outside.deadline_changed(pit->outside.context);
}

static void load(struct pit *pit, struct pit_channel *channel, uint16_t count)
{
	channel->reload = count ? count : 0x10000;
	start(pit, channel);
}

static void write_count(struct pit *pit, struct pit_channel *channel, uint8_t value)
{
	switch (channel->access) {
	case ACCESS_LOW: load(pit, channel, value); break;
	case ACCESS_HIGH: load(pit, channel, (uint16_t)(value << 8)); break;
	default:
		if (channel->write_high)
			load(pit, channel, (uint16_t)(value << 8 | channel->low));
		else
			channel->low = value;
		channel->write_high = !channel->write_high;
	}
}

static void latch_count(const struct pit *pit, struct pit_channel *channel)
{
	if (channel->count_latched)
		return;
	channel->latched_count = count_of(pit, channel);
	channel->count_latched = true;
}

static void latch_status(const struct pit *pit, struct pit_channel *channel)
{
	if (channel->status_latched)
		return;
	channel->latched_status = (uint8_t)(channel->access << 4 | channel->mode << 1);
	if (output_of(pit, channel))
		channel->latched_status |= STATUS_OUT;
	if (!channel->reload)
		channel->latched_status |= STATUS_NULL;
	channel->status_latched = true;
}

/* Read-back: bit 5 clear latches counts, bit 4 clear status, of the channels in bits 3:1. */
static void read_back(struct pit *pit, uint8_t value)
{
	for (unsigned i = 0; i < 3; i++) {
		if (!(value >> (i + 1) & 1))
			continue;
		if (!(value & 0x20))
			latch_count(pit, &pit->channel[i]);
		if (!(value & 0x10))
			latch_status(pit, &pit->channel[i]);
	}
}

static void write_control(struct pit *pit, uint8_t value)
{
	unsigned index = value >> 6, mode = value >> 1 & 7;

	if (index == 3) {
		read_back(pit, value);
		return;
	}
	struct pit_channel *channel = &pit->channel[index];

	if (!(value & 0x30)) {
		latch_count(pit, channel);
		return;
	}
	channel->access = value >> 4 & 3;
	channel->mode = (uint8_t)(mode > 5 ? mode - 4 : mode); /* 6 and 7 are 2 and 3 */
	channel->write_high = channel->read_high = false;
	channel->count_latched = channel->status_latched = false;
	channel->running = false; /* until a count comes */
	channel->before = 0;
	if (index == 0)
		pit->outside.deadline_changed(pit->outside.context);
}

static uint8_t read_count(struct pit *pit, struct pit_channel *channel)
{
	uint16_t count = channel->count_latched ? channel->latched_count : count_of(pit, channel);
	bool high = channel->access == ACCESS_HIGH || (channel->access == ACCESS_BOTH && channel->read_high);

	if (channel->access == ACCESS_BOTH)
		channel->read_high = !channel->read_high;
	if (channel->access != ACCESS_BOTH || high)
		channel->count_latched = false;
	return (uint8_t)(high ? count >> 8 : count);
}

uint32_t pit_read(void *device, uint16_t port, unsigned size)
{
	struct pit *pit = device;
	struct pit_channel *channel = &pit->channel[port & 3];
	uint8_t value = 0xff;

	(void)size;
	if ((port & 3) == 3)
		return value; /* the control word cannot be read */
	bh_lock(&pit->lock);
	if (channel->status_latched) {
		value = channel->latched_status;
		channel->status_latched = false;
	} else {
		value = read_count(pit, channel);
	}
	bh_unlock(&pit->lock);
	return value;
}

void pit_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct pit *pit = device;

	(void)size;
	bh_lock(&pit->lock);
	if ((port & 3) == 3)
		write_control(pit, (uint8_t)value);
	else
		write_count(pit, &pit->channel[port & 3], (uint8_t)value);
	bh_unlock(&pit->lock);
}

uint8_t pit_read_61(struct pit *pit)
{
	struct pit_channel *channel = &pit->channel[2];

	bh_lock(&pit->lock);
	uint8_t value = (uint8_t)(pit->speaker | channel->gate);

	if (ticks_since(pit, 0) / REFRESH_TICKS & 1)
		value |= 0x10;
	if (output_of(pit, channel))
		value |= 0x20;
	bh_unlock(&pit->lock);
	return value;
}

static void set_gate(struct pit *pit, struct pit_channel *channel, bool gate)
{
	bool rises = gate && !channel->gate;

	if (gate == channel->gate)
		return;
	if (!gate && !is_triggered(channel)) {
		channel->before = elapsed(pit, channel);
		channel->running = false;
	}
	channel->gate = gate;
	if (!rises || !channel->reload)
		return;
	/* Modes 0 and 4 go on, the others begin anew. */
	if (channel->mode != 0 && channel->mode != 4)
		channel->before = 0;
	channel->start = pit->outside.now(pit->outside.context);
	channel->running = true;
}

void pit_write_61(struct pit *pit, uint8_t value)
{
	bh_lock(&pit->lock);
	pit->speaker = value & 2;
	set_gate(pit, &pit->channel[2], value & 1);
	bh_unlock(&pit->lock);
}

/* TSC when `ticks` will have passed, rounded up. */
static uint64_t tsc_after(const struct pit *pit, const struct pit_channel *channel, uint64_t ticks)
{
	uint64_t delta = clock_muldiv(ticks, pit->outside.tsc_hz, PIT_HZ) + 1;

	return channel->start + delta < delta ? BH_FOREVER : channel->start + delta;
}

uint64_t pit_deadline(struct pit *pit)
{
	const struct pit_channel *channel = &pit->channel[0];
	uint64_t deadline = BH_FOREVER;

	bh_lock(&pit->lock);
	if (channel->running && (is_periodic(channel) || !channel->fired))
		deadline = tsc_after(pit, channel, (channel->fired + 1) * channel->reload);
	bh_unlock(&pit->lock);
	return deadline;
}

void pit_service(struct pit *pit)
{
	struct pit_channel *channel = &pit->channel[0];

	bh_lock(&pit->lock);
	if (channel->running) {
		uint64_t due = elapsed(pit, channel) / channel->reload;

		if (!is_periodic(channel) && due > 1)
			due = 1;
		if (due > channel->fired) {
			channel->fired = due;
			wire_set(&pit->wire, true);
			wire_set(&pit->wire, false);
		}
	}
	bh_unlock(&pit->lock);
}

void pit_init(struct pit *pit, const struct pit_outside *outside, const struct wire *wire)
{
	*pit = (struct pit){ .outside = *outside, .wire = *wire };
	for (unsigned i = 0; i < 3; i++) {
		pit->channel[i].access = ACCESS_BOTH;
		pit->channel[i].gate = i != 2; /* channel 2's is in port 61h */
		pit->channel[i].reload = 0x10000;
	}
}
