/*
 * fuzz_pci.c: a function with any 256 bytes of configuration space, of which any bits can be written. Finding it ends;
 * and whatever its holder may write then, the header and the capabilities that the kernel uses stay as they are.
 *
 * The input: what stands there, what can be written, and then three bytes a write: offset, width, value.
 */
#include <stdlib.h>
#include <string.h>
#include "pci.h"
#include "machine.h"
#include "log.h"
#include "tests/unit/fake_pci.h"

struct acpi machine_acpi = { .ecams = 1 }; /* bus 0 alone */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

void log_printf(const char *format, ...) { (void)format; }

static void check_kept(const struct pci_function *f, unsigned at, unsigned bytes)
{
	for (unsigned i = at; at && i < at + bytes; i++) {
		if (i >= PCI_SPACE_BYTES || pci_may_write(f, i, 1))
			abort();
	}
}

static void check(const struct pci_function *f)
{
	check_kept(f, f->power, 8);
	check_kept(f, f->express, 60);
	check_kept(f, f->msi, 10);
	check_kept(f, f->msix, 12);
	check_kept(f, f->af, 6);
	for (unsigned i = 0; i < PCI_BARS; i++) {
		if (f->bar[i].bytes & (f->bar[i].bytes - 1))
			abort();
	}
	if (f->msix && (f->vectors == 0 || f->vectors > 2048 || f->vectors_at % 8))
		abort();
}

static void use(const struct pci_function *f, struct fake_pci *fake, const uint8_t *data, size_t bytes)
{
	uint8_t before[256];

	memcpy(before, fake->space, sizeof(before));
	for (; bytes >= 3; data += 3, bytes -= 3) {
		unsigned width = 1u << data[1] % 3, offset = (data[0] | (data[1] & 4u) << 6) & ~(width - 1);

		if (!pci_may_write(f, offset, width))
			continue;
		pci_write(f->address, offset, width, data[2] * 0x01010101u);
		for (unsigned i = 0; i < width; i++)
			before[offset + i] = fake->space[offset + i];
	}
	if (memcmp(before, fake->space, PCI_HEADER_BYTES) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fake_pci *fake;

	if (bytes < 512)
		return 0;
	fake_pci_none();
	fake = fake_pci_add(0x10, 0, 0);
	memcpy(fake->space, data, 256);
	memcpy(fake->mask, data + 256, 256);
	fake_pci_scan();
	for (unsigned i = 0; i < pci_function_count; i++)
		check(&pci_functions[i]);
	if (pci_function_count)
		use(&pci_functions[0], fake, data + 512, bytes - 512);
	return 0;
}
