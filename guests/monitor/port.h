/*
 * port.h: which device answers at which I/O port.
 *
 * The table has one entry per group of eight ports, since every device of a PC starts at a multiple
 * of eight. A group belongs to one device at most. Ports of nobody read as all ones, and swallow
 * writes; so does what the PCI bus says of the ports that are in no range.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define PORT_GROUPS 8192
#define PORT_RANGES 16

/* `size` is 1, 2 or 4 bytes and does not reach past the range; a byte-wide device only sees size 1.
 */
typedef uint32_t (*port_read)(void *device, uint16_t port, unsigned size);
typedef void (*port_write)(void *device, uint16_t port, unsigned size, uint32_t value);

struct port_range {
	port_read read;
	port_write write;
	void *device;
	uint16_t first, last;
	uint32_t count; /* set by ports_add */
	bool byte_wide; /* wider accesses become several, as the ISA bus does it */
};

struct ports {
	uint8_t group[PORT_GROUPS]; /* index into range[]; 0: nobody */
	struct port_range range[PORT_RANGES];
	unsigned ranges; /* used, the first (nobody) included; 0 before the first ports_add */
	/* Who is asked for all other ports, if anybody: the PCI bus, whose devices move. */
	port_read read_other;
	port_write write_other;
	void *other;
};

/*
 * Gives first..last to a device. False if one of their groups is taken, the range is empty, or the
 * table is full. Only before the guest runs.
 */
bool ports_add(struct ports *ports, const struct port_range *range);

/* One access; size 1, 2 or 4. Bits above the size are zero in the result. Any vCPU: devices lock
 * themselves. */
uint32_t ports_read(const struct ports *ports, uint16_t port, unsigned size);
void ports_write(const struct ports *ports, uint16_t port, unsigned size, uint32_t value);
