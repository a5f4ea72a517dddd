/* port.c: dispatch of port accesses. On the measured path: one byte load finds the device. */
#include "port.h"

bool ports_add(struct ports *ports, const struct port_range *range)
{
	if (!ports->ranges)
		ports->ranges = 1; /* range[0] is nobody's: its count is 0 */
	if (ports->ranges == PORT_RANGES || range->first > range->last)
		return false;

	for (unsigned i = range->first / 8; i <= range->last / 8u; i++)
		if (ports->group[i])
			return false;
	for (unsigned i = range->first / 8; i <= range->last / 8u; i++)
		ports->group[i] = (uint8_t)ports->ranges;
	ports->range[ports->ranges] = *range;
	ports->range[ports->ranges++].count = range->last - range->first + 1u;
	return true;
}

/* The range that `port` would belong to; range[0] has no ports at all. */
static inline const struct port_range *find(const struct ports *ports, unsigned port)
{
	return &ports->range[ports->group[port / 8 % PORT_GROUPS]];
}

/* Are the `size` bytes at `port` within the range? */
static inline bool holds(const struct port_range *range, unsigned port, unsigned size)
{
	/* Below the range the difference wraps around, to far more than any count. */
	return port - range->first < range->count && port - range->first + size <= range->count;
}

static inline uint32_t all_ones(unsigned size) { return UINT32_MAX >> (32 - 8 * size); }

/* Not inlined, so that accesses of one byte need not save registers for these. */
static __attribute__((noinline)) uint32_t read_other(const struct ports *ports, uint16_t port, unsigned size)
{
	return (ports->read_other ? ports->read_other(ports->other, port, size) : UINT32_MAX) & all_ones(size);
}

static __attribute__((noinline)) void write_other(const struct ports *ports, uint16_t port, unsigned size,
						  uint32_t value)
{
	if (ports->write_other)
		ports->write_other(ports->other, port, size, value & all_ones(size));
}

static __attribute__((noinline)) uint32_t read_wide(const struct ports *ports, uint16_t port, unsigned size)
{
	const struct port_range *range = find(ports, port);
	uint32_t value = 0;

	if (!range->byte_wide)
		return holds(range, port, size) ? range->read(range->device, port, size) & all_ones(size)
						: read_other(ports, port, size);
	for (unsigned i = 0; i < size; i++)
		value |= ports_read(ports, (uint16_t)(port + i), 1) << 8 * i;
	return value;
}

static __attribute__((noinline)) void write_wide(const struct ports *ports, uint16_t port, unsigned size,
						 uint32_t value)
{
	const struct port_range *range = find(ports, port);

	if (!range->byte_wide) {
		if (holds(range, port, size))
			range->write(range->device, port, size, value & all_ones(size));
		else
			write_other(ports, port, size, value);
		return;
	}
	for (unsigned i = 0; i < size; i++)
		ports_write(ports, (uint16_t)(port + i), 1, value >> 8 * i);
}

uint32_t ports_read(const struct ports *ports, uint16_t port, unsigned size)
{
	const struct port_range *range = find(ports, port);

	if (size != 1)
		return read_wide(ports, port, size);
	if (port - (unsigned)range->first >= range->count)
		return read_other(ports, port, 1);
	return range->read(range->device, port, 1) & 0xff;
}

void ports_write(const struct ports *ports, uint16_t port, unsigned size, uint32_t value)
{
	const struct port_range *range = find(ports, port);

	if (size != 1)
		write_wide(ports, port, size, value);
	else if (port - (unsigned)range->first < range->count)
		range->write(range->device, port, 1, value & 0xff);
	else
		write_other(ports, port, 1, value);
}
