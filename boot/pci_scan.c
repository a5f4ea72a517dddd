#include "pci_scan.h"
#include <stdarg.h>
#include <guests/lib/bh_format.h>
#include "arch/x86_64/pci.h"

#define BAR_IO		 0x1u
#define BAR_TYPE	 0x7u
#define BAR_64		 0x4u
#define MULTI_FUNCTION	 0x800000u /* of the dword at 0xc */
#define PHYSICAL_END	 (1ull << 52)
#define CAPABILITIES	 0x34u
#define UART_FIRST	 0x3f8u /* the console's */
#define UART_END	 0x400u
#define CAPABILITIES_MAX 48u /* as many as have room: a list that goes round ends, too */

/* PCI Code and ID Assignment 1.11, 1 and 2. */
enum class { CLASS_DISPLAY = 0x03, CLASS_BRIDGE = 0x06, CLASS_SYSTEM = 0x08 };
enum capability {
	CAPABILITY_POWER = 0x01,
	CAPABILITY_MSI = 0x05,
	CAPABILITY_VENDOR = 0x09,
	CAPABILITY_EXPRESS = 0x10,
	CAPABILITY_MSIX = 0x11,
	CAPABILITY_AF = 0x13,
	CAPABILITY_ENHANCED_ALLOCATION = 0x14,
};

/* ---- base address registers, 6.2.5.1 ----------------------------------------------------------- */

/* The bits of a BAR that can be written. Decoding is off. */
static uint64_t writable(const struct pci_function *f, unsigned i)
{
	uint32_t bits;

	pci_write(f->address, PCI_BAR + 4 * i, 4, UINT32_MAX);
	bits = pci_read(f->address, PCI_BAR + 4 * i, 4);
	pci_write(f->address, PCI_BAR + 4 * i, 4, f->header[PCI_BAR / 4 + i]);
	return bits;
}

/* How many registers it takes. */
static unsigned probe_bar(struct pci_function *f, unsigned i)
{
	const uint32_t *at = &f->header[PCI_BAR / 4 + i];
	bool io = at[0] & BAR_IO, wide = (at[0] & BAR_TYPE) == BAR_64 && i + 1 < PCI_BARS;
	uint64_t value = at[0] | (wide ? (uint64_t)at[1] << 32 : 0), mask = io ? ~3ull : ~15ull;
	uint64_t bits = (writable(f, i) | (wide ? writable(f, i + 1) << 32 : 0)) & mask, bytes = bits & -bits;

	f->bar[i] = (struct pci_bar){ value & mask, bytes, io };
	if (((value & mask) | bytes) >= PHYSICAL_END)
		f->bar[i].physical = 0; /* nobody could get there */
	return wide ? 2 : 1;
}

static void probe_bars(struct pci_function *f)
{
	uint32_t command = f->header[1] & 0xffff;

	pci_write(f->address, PCI_COMMAND, 2, command & ~PCI_COMMAND_DECODES);
	for (unsigned i = 0; i < PCI_BARS;)
		i += probe_bar(f, i);
	pci_write(f->address, PCI_COMMAND, 2, command);
}

/* ---- capabilities, 6.7 --------------------------------------------------------------------------- */

/* The first of its kind counts; one that does not fit cannot be used. */
static unsigned note(uint8_t *place, unsigned at, unsigned bytes)
{
	if (!*place && at + bytes <= PCI_SPACE_BYTES)
		*place = (uint8_t)at;
	return bytes;
}

/* 6.8.2. Used if all of it is there, and its table lies where it says. */
static unsigned note_msix(struct pci_function *f, unsigned at)
{
	unsigned vectors = (pci_read(f->address, at + 2, 2) & 0x7ff) + 1;
	uint32_t table = pci_read(f->address, at + 4, 4), offset = table & ~7u;
	const struct pci_bar *bar = &f->bar[(table & 7) % PCI_BARS];

	if (at + 12 <= PCI_SPACE_BYTES && (table & 7) < PCI_BARS && !bar->io && bar->physical &&
	    offset + vectors * 16ull <= bar->bytes && !f->msix) {
		f->msix = (uint8_t)at;
		f->vectors = (uint16_t)vectors;
		f->vectors_at = bar->physical + offset;
	}
	return 12;
}

/* How many bytes of it are the kernel's: of those that it does not know, the most that they have. */
static unsigned note_capability(struct pci_function *f, unsigned id, unsigned at)
{
	uint32_t control = pci_read(f->address, at + 2, 2);

	switch (id) {
	case CAPABILITY_POWER: return note(&f->power, at, 8);
	case CAPABILITY_MSI: return note(&f->msi, at, 12 + (control & 0x80 ? 4 : 0) + (control & 0x100 ? 8 : 0));
	case CAPABILITY_VENDOR: return 0;
	case CAPABILITY_EXPRESS: return note(&f->express, at, 60);
	case CAPABILITY_MSIX: return note_msix(f, at);
	case CAPABILITY_AF: return note(&f->af, at, 8);
	case CAPABILITY_ENHANCED_ALLOCATION: return PCI_SPACE_BYTES; /* it moves BARs, and is of any length */
	default: return 16;
	}
}

static void probe_capabilities(struct pci_function *f)
{
	unsigned at = f->header[1] & 0x100000 ? pci_read(f->address, CAPABILITIES, 1) & ~3u : 0;

	for (unsigned left = CAPABILITIES_MAX; left && at >= PCI_HEADER_BYTES; left--) {
		uint32_t header = pci_read(f->address, at, 2);
		unsigned end = at + note_capability(f, header & 0xff, at);

		for (unsigned kept = at; kept < end && kept < PCI_SPACE_BYTES; kept += 4)
			f->kept |= 1ull << kept / 4;
		at = header >> 8 & ~3u;
	}
	f->express_control = f->express ? (uint16_t)pci_read(f->address, f->express + 8u, 2) : 0;
}

/* ---- finding ------------------------------------------------------------------------------------- */

/* One that has no room is given to nobody, but it is silenced as the others are. */
static void add_function(struct pci_found *found, uint32_t address)
{
	bool room = found->count < PCI_FUNCTIONS;
	struct pci_function spare, *f = room ? &found->function[found->count] : &spare;
	unsigned class;

	*(room ? &found->count : &found->left_out) += 1;
	*f = (struct pci_function){ .address = address };
	for (unsigned i = 0; i < PCI_HEADER_BYTES / 4; i++)
		f->header[i] = pci_read(address, 4 * i, 4);
	f->id = f->header[0];
	f->class_code = f->header[2] >> 8;
	f->line = f->header[15] & 0xff00 ? (uint8_t)f->header[15] : 0xff;
	class = f->class_code >> 16;
	f->machines = f->header[3] & 0x7f0000 || class == CLASS_BRIDGE || class == CLASS_SYSTEM;
	if (f->machines)
		return;
	/* The firmware may have left it at work. A display goes on: somebody may be looking at it. */
	if (class != CLASS_DISPLAY)
		f->header[1] = (f->header[1] & ~PCI_COMMAND_MASTER) | PCI_COMMAND_NO_INTX;
	probe_bars(f);
	probe_capabilities(f);
}

static void scan_device(struct pci_found *found, uint32_t address)
{
	unsigned functions = pci_read(address, 0xc, 4) & MULTI_FUNCTION ? 8 : 1;

	for (unsigned i = 0; i < functions; i++) {
		if (pci_read(address + i, PCI_ID, 2) != 0xffff)
			add_function(found, address + i);
	}
}

/* All buses are looked at: those behind bridges, as the firmware numbered them, and those of further host bridges. */
static void scan_buses(struct pci_found *found, uint32_t first, uint32_t last)
{
	for (uint32_t address = first << 8; address < (last + 1) << 8; address += 8) {
		if (pci_read(address, PCI_ID, 2) != 0xffff)
			scan_device(found, address);
	}
}

/* ---- whether it can be given away ---------------------------------------------------------------- */

/* Whether a function other than `f` has registers in these pages. */
static bool is_shared(const struct pci_found *found, const struct pci_function *f, struct pci_range range)
{
	for (unsigned i = 0; i < found->count * PCI_BARS; i++) {
		const struct pci_function *other = &found->function[i / PCI_BARS];
		const struct pci_bar *bar = &other->bar[i % PCI_BARS];

		if (other != f && bar->bytes && !bar->io && pci_overlap(range, pci_pages(bar->physical, bar->bytes)))
			return true;
	}
	return false;
}

static const char *bar_unfit(const struct pci_found *found, const struct pci_function *f, const struct pci_bar *bar)
{
	if (!bar->bytes)
		return NULL;
	if (bar->io)
		return bar->physical < UART_END && bar->physical + bar->bytes > UART_FIRST ? "it is the console's UART"
											   : NULL;
	if (!bar->physical)
		return "the firmware gave its registers no address";
	return is_shared(found, f, pci_pages(bar->physical, bar->bytes))
		       ? "registers of another device stand in the same page"
		       : NULL;
}

static void judge(const struct pci_found *found, struct pci_function *f)
{
	const char *unfit = f->machines ? "it is a bridge, or one that the machine needs itself" : NULL;

	for (unsigned i = 0; i < PCI_BARS && !unfit; i++)
		unfit = bar_unfit(found, f, &f->bar[i]);
	bh_snprintf(f->unfit, sizeof(f->unfit), "%s", unfit ? unfit : "");
}

/* ---- in words ------------------------------------------------------------------------------------ */

static void name(struct pci_function *f, bool segments)
{
	uint32_t address = f->address, bus = address >> 8 & 0xff, device = address >> 3 & 0x1f, function = address & 7;

	if (segments)
		bh_snprintf(f->name, sizeof(f->name), "%04x:%02x:%02x.%x", address >> 16, bus, device, function);
	else
		bh_snprintf(f->name, sizeof(f->name), "%02x:%02x.%x", bus, device, function);
}

/* Appends to the words; what does not fit is cut off. */
__attribute__((format(printf, 3, 4))) static uint32_t say(struct pci_function *f, uint32_t used, const char *format,
							  ...)
{
	uint32_t room = PCI_WORDS_BYTES - used, length;
	va_list arguments;

	va_start(arguments, format);
	length = (uint32_t)bh_vsnprintf(f->words + used, room, format, arguments);
	va_end(arguments);
	return used + (length < room ? length : room - 1);
}

static void describe(struct pci_function *f)
{
	uint32_t used = 0;

	if (f->msix)
		used = say(f, used, "  msi-x %u", f->vectors);
	else if (f->msi || f->line < ACPI_ISA)
		used = say(f, used, f->msi ? "  msi" : "  irq %u", f->line);
	for (unsigned i = 0; i < PCI_BARS; i++) {
		if (f->bar[i].bytes)
			used = say(f, used, "  %s%u 0x%llx+0x%llx", f->bar[i].io ? "ports" : "bar", i,
				   (unsigned long long)f->bar[i].physical, (unsigned long long)f->bar[i].bytes);
	}
}

void pci_scan(struct pci_found *found, const struct acpi *acpi)
{
	bool segments = false;

	pci_config_init();
	for (unsigned i = 0; i < acpi->ecams; i++)
		scan_buses(found, acpi->ecam[i].segment << 8 | acpi->ecam[i].first_bus,
			   acpi->ecam[i].segment << 8 | acpi->ecam[i].last_bus);
	if (!acpi->ecams)
		scan_buses(found, 0, 255);
	for (unsigned i = 0; i < acpi->ecams; i++)
		segments |= acpi->ecam[i].segment != 0;
	for (unsigned i = 0; i < found->count; i++) {
		name(&found->function[i], segments);
		describe(&found->function[i]);
		judge(found, &found->function[i]);
	}
}
