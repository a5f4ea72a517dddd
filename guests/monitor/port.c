/* port.c: dispatch of port accesses. On the measured path: one byte load finds the device. */
#include "port.h"

bool ports_add(struct ports *ports, const struct port_range *range)
{
	if (!ports->ranges)
		ports->ranges = 1; /* range[0] is nobody: first > last, so that nothing is inside */
	if (ports->ranges == PORT_RANGES || range->first > range->last)
		return false;

	for (unsigned i = range->first / 8; i <= range->last / 8u; i++)
		if (ports->group[i])
			return false;
	for (unsigned i = range->first / 8; i <= range->last / 8u; i++)
		ports->group[i] = (uint8_t)ports->ranges;
	ports->range[ports->ranges++] = *range;
	return true;
}

/* The range that holds `port`, or NULL. */
static inline const struct port_range *find(const struct ports *ports, unsigned port)
{
	const struct port_range *range = &ports->range[ports->group[port / 8 % PORT_GROUPS]];

	return range->read && port >= range->first && port <= range->last ? range : (void *)0;
}

static inline uint32_t all_ones(unsigned size)
{
	return UINT32_MAX >> (32 - 8 * size);
}

static uint32_t read_bytes(const struct ports *ports, uint16_t port, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= ports_read(ports, (uint16_t)(port + i), 1) << 8 * i;
	return value;
}

uint32_t ports_read(const struct ports *ports, uint16_t port, unsigned size)
{
	const struct port_range *range = find(ports, port);

	if (!range)
		return all_ones(size);
	if (size > 1 && range->byte_wide)
		return read_bytes(ports, port, size);
	if (port + size - 1 > range->last)
		return all_ones(size);
	return range->read(range->device, port, size) & all_ones(size);
}

void ports_write(const struct ports *ports, uint16_t port, unsigned size, uint32_t value)
{
	const struct port_range *range = find(ports, port);

	if (!range)
		return;
	if (size > 1 && range->byte_wide) {
		for (unsigned i = 0; i < size; i++)
			ports_write(ports, (uint16_t)(port + i), 1, value >> 8 * i & 0xff);
		return;
	}
	if (port + size - 1 <= range->last)
		range->write(range->device, port, size, value & all_ones(size));
}
