#include "fake_pci.h"
#include <string.h>
#include "machine.h"
#include "pci.h"

static struct fake_pci functions[FAKE_PCI];
static unsigned count;

void fake_pci_none(void)
{
	memset(functions, 0, sizeof(functions));
	count = pci_function_count = 0;
}

void fake_pci_scan(void)
{
	static struct pci_found found;

	memset(&found, 0, sizeof(found));
	pci_scan(&found, &machine_acpi);
	pci_init(&found);
}

uint32_t fake_pci_get(const struct fake_pci *f, unsigned offset, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = bytes; i--;)
		value = value << 8 | f->space[(offset + i) % 256];
	return value;
}

void fake_pci_put(struct fake_pci *f, unsigned offset, unsigned bytes, uint32_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		f->space[(offset + i) % 256] = (uint8_t)(value >> 8 * i);
}

struct fake_pci *fake_pci_add(uint32_t address, uint32_t id, uint32_t class_code)
{
	struct fake_pci *f = &functions[count++];

	f->address = address;
	fake_pci_put(f, 0, 4, id);
	fake_pci_put(f, 4, 2, 7); /* as the firmware leaves it: at work */
	fake_pci_put(f, 8, 4, class_code << 8 | 1);
	f->mask[4] = 0x47;
	f->mask[5] = 0x05;
	f->mask[0xc] = f->mask[0xd] = f->mask[0x3c] = 0xff;
	fake_pci_put(f, 0x3c, 1, 0xff);
	return f;
}

void fake_pci_bar(struct fake_pci *f, unsigned i, uint64_t physical, uint64_t bytes, uint32_t low)
{
	unsigned at = 0x10 + 4 * i, size = low == 4 ? 8 : 4;
	uint64_t mask = ~(bytes - 1), value = physical | low;

	memcpy(f->space + at, &value, size);
	memcpy(f->mask + at, &mask, size);
}

void fake_pci_capability(struct fake_pci *f, uint8_t at, uint8_t id, unsigned bytes)
{
	f->space[f->last ? f->last + 1 : 0x34] = at;
	f->space[6] |= 0x10;
	f->space[at] = id;
	f->space[at + 1] = 0;
	for (unsigned i = 2; i < bytes; i++)
		f->mask[at + i] = 0xff;
	f->last = at;
}

void fake_pci_msix(struct fake_pci *f, uint8_t at, unsigned vectors, unsigned bar, uint32_t offset)
{
	fake_pci_capability(f, at, 0x11, 12);
	memset(f->mask + at + 2, 0, 10);
	f->mask[at + 3] = 0xc0;
	fake_pci_put(f, at + 2u, 2, vectors - 1);
	fake_pci_put(f, at + 4u, 4, offset | bar);
	fake_pci_put(f, at + 8u, 4, (offset + 0x1000) | bar);
}

void fake_pci_msi(struct fake_pci *f, uint8_t at, uint16_t control)
{
	fake_pci_capability(f, at, 0x05, control & 0x100 ? 24 : control & 0x80 ? 14 : 10);
	fake_pci_put(f, at + 2u, 2, control);
	f->mask[at + 2] = 0x71;
	f->mask[at + 3] = 0;
}

void fake_pci_express(struct fake_pci *f, uint8_t at, bool flr)
{
	fake_pci_capability(f, at, 0x10, 60);
	fake_pci_put(f, at + 2u, 2, 2);
	fake_pci_put(f, at + 4u, 4, flr ? 1u << 28 : 0);
	memset(f->mask + at + 2, 0, 6);
	f->mask[at + 9] = 0x7f; /* Device Control; bit 15 is no register */
	f->mask[at + 10] = f->mask[at + 11] = 0;
	f->express = at;
}

void fake_pci_power(struct fake_pci *f, uint8_t at, bool no_soft_reset)
{
	fake_pci_capability(f, at, 0x01, 8);
	memset(f->mask + at + 2, 0, 6);
	f->mask[at + 4] = 3;
	fake_pci_put(f, at + 4u, 2, no_soft_reset ? 8 : 0);
	f->power = at;
}

void fake_pci_af(struct fake_pci *f, uint8_t at)
{
	fake_pci_capability(f, at, 0x13, 6);
	memset(f->mask + at + 2, 0, 4);
	fake_pci_put(f, at + 2u, 2, 0x0306);
	f->af = at;
}

/* ---- access -------------------------------------------------------------------------------------- */

static struct fake_pci *find(uint32_t address)
{
	for (unsigned i = 0; i < count; i++) {
		if (functions[i].address == address)
			return &functions[i];
	}
	return NULL;
}

void pci_config_init(void) {}

unsigned pci_config_bytes(uint32_t address)
{
	(void)address;
	return 256;
}

uint32_t pci_read(uint32_t address, unsigned offset, unsigned bytes)
{
	struct fake_pci *f = find(address);

	if (!f || offset >= 256)
		return UINT32_MAX >> (32 - 8 * bytes);
	return fake_pci_get(f, offset, bytes);
}

/* What a reset does to the header. */
static void reset(struct fake_pci *f)
{
	f->resets++;
	for (unsigned i = 4; i < 0x40; i++)
		f->space[i] &= (uint8_t)~f->mask[i];
	if (f->express)
		fake_pci_put(f, f->express + 8u, 2, 0);
}

void pci_write(uint32_t address, unsigned offset, unsigned bytes, uint32_t value)
{
	struct fake_pci *f = find(address);
	uint8_t power = f && f->power ? f->space[f->power + 4] & 3 : 0;

	if (!f || offset + bytes > 256)
		return;
	if (offset >= 0x10 && offset < 0x28 && f->space[4] & 3)
		f->decoded_while_sized++;
	for (unsigned i = 0; i < bytes; i++) {
		uint8_t mask = f->mask[offset + i];

		f->space[offset + i] = (uint8_t)((f->space[offset + i] & ~mask) | (value >> 8 * i & mask));
	}
	if (f->express && offset == f->express + 8u && value & 0x8000 && f->space[f->express + 7] & 0x10)
		reset(f);
	if (f->af && offset == f->af + 4u && value & 1)
		reset(f);
	if (power && !(f->space[f->power + 4] & 3) && !(f->space[f->power + 4] & 8))
		reset(f);
}
