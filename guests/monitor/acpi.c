/* acpi.c: fixed tables, by the specification's offsets. */
#include "acpi.h"
#include <stdbool.h>
#include "guests/lib/bh_string.h"
#include "pci.h"
#include "pm.h"

#define IOAPIC_ADDRESS 0xfec00000u
#define APIC_ADDRESS   0xfee00000u
#define RESET_PORT     0xcf9
#define RESET_VALUE    0x06
#define SCI_INTERRUPT  9
#define CENTURY_INDEX  0x32

/* FADT (ACPI 6.4, 5.2.9) */
#define FADT_BYTES	   276
#define FADT_REVISION	   6
#define BOOT_LEGACY	   (1u << 0) /* there is a COM port */
#define BOOT_NO_VGA	   (1u << 2)
#define BOOT_NO_ASPM	   (1u << 4)
#define FLAG_WBINVD	   (1u << 0)
#define FLAG_PROC_C1	   (1u << 2)
#define FLAG_NO_PWR_BUTTON (1u << 4)
#define FLAG_NO_SLP_BUTTON (1u << 5)
#define FLAG_FIX_RTC	   (1u << 6) /* the RTC does not wake */
#define FLAG_TMR_VAL_EXT   (1u << 8)
#define FLAG_RESET_REG	   (1u << 10)
#define FLAG_HEADLESS	   (1u << 12)

/* MADT (ACPI 6.4, 5.2.12) */
#define MADT_PCAT_COMPAT    1u
#define MADT_LOCAL_APIC	    0
#define MADT_IOAPIC	    1
#define MADT_OVERRIDE	    2
#define MADT_LOCAL_NMI	    4
#define MADT_BUS_DEFAULT    0x0
#define MADT_LEVEL_HIGH	    0xd
#define MADT_ALL_PROCESSORS 0xff

#define MCFG_BYTES 60

struct builder {
	uint8_t *area;
	uint64_t bytes, used, address;
	bool full;
};

static void put(uint8_t *to, unsigned offset, uint64_t value, unsigned bytes) { memcpy(to + offset, &value, bytes); }

/* Zeroed room for a table, 64-byte aligned as the FACS must be; an unused scrap when the area is
 * full. */
static uint8_t *take(struct builder *builder, uint64_t bytes, uint64_t *address)
{
	uint64_t start = (builder->used + 63) & ~63ull;

	if (builder->full || start > builder->bytes || bytes > builder->bytes - start) {
		builder->full = true;
		return NULL;
	}
	builder->used = start + bytes;
	*address = builder->address + start;
	memset(builder->area + start, 0, bytes);
	return builder->area + start;
}

static uint8_t checksum(const uint8_t *table, uint64_t bytes)
{
	uint8_t sum = 0;

	while (bytes--)
		sum += *table++;
	return (uint8_t)-sum;
}

/* System description table header (5.2.6), the checksum included: the last step. */
static void finish(uint8_t *table, const char *signature, uint32_t bytes, uint8_t revision)
{
	memcpy(table, signature, 4);
	put(table, 4, bytes, 4);
	table[8] = revision;
	memcpy(table + 10, "BLKHD ", 6);
	memcpy(table + 16, "BULKHEAD", 8);
	put(table, 24, 1, 4);
	memcpy(table + 28, "BLKH", 4);
	put(table, 32, 1, 4);
	table[9] = checksum(table, bytes);
}

/* Generic address structure (5.2.3.2) in I/O space; access size 1 byte, 2 word, 3 double word. */
static void put_io_address(uint8_t *to, unsigned offset, uint16_t port, uint8_t bits, uint8_t access)
{
	to[offset] = 1;
	to[offset + 1] = bits;
	to[offset + 3] = access;
	put(to, offset + 4, port, 8);
}

static uint64_t build_facs(struct builder *builder)
{
	uint64_t address = 0;
	uint8_t *facs = take(builder, 64, &address);

	if (!facs)
		return 0;
	memcpy(facs, "FACS", 4);
	put(facs, 4, 64, 4);
	facs[32] = 2; /* version; no waking, no global lock in use */
	return address;
}

static uint64_t build_dsdt(struct builder *builder)
{
	uint64_t address = 0;
	uint8_t *dsdt = take(builder, acpi_dsdt_bytes, &address);

	if (dsdt)
		memcpy(dsdt, acpi_dsdt, acpi_dsdt_bytes); /* iasl has made its checksum */
	return address;
}

static void fill_fadt_ports(uint8_t *fadt)
{
	put(fadt, 56, PM_EVENT, 4);
	put(fadt, 64, PM_CONTROL, 4);
	put(fadt, 76, PM_TIMER, 4);
	fadt[88] = 4; /* lengths of the three */
	fadt[89] = 2;
	fadt[91] = 4;
	put_io_address(fadt, 116, RESET_PORT, 8, 1);
	fadt[128] = RESET_VALUE;
	put_io_address(fadt, 148, PM_EVENT, 32, 2);
	put_io_address(fadt, 172, PM_CONTROL, 16, 2);
	put_io_address(fadt, 208, PM_TIMER, 32, 3);
}

/* SMI_CMD stays 0: the machine is in ACPI mode from the start. */
static uint64_t build_fadt(struct builder *builder, uint64_t facs, uint64_t dsdt)
{
	uint64_t address = 0;
	uint8_t *fadt = take(builder, FADT_BYTES, &address);

	if (!fadt)
		return 0;
	put(fadt, 36, facs, 4); /* X_FIRMWARE_CTRL must then be 0 */
	put(fadt, 40, dsdt, 4);
	put(fadt, 46, SCI_INTERRUPT, 2);
	fill_fadt_ports(fadt);
	put(fadt, 96, 0xffff, 2); /* no C2, no C3: latencies beyond what is allowed */
	put(fadt, 98, 0xffff, 2);
	fadt[108] = CENTURY_INDEX;
	put(fadt, 109, BOOT_LEGACY | BOOT_NO_VGA | BOOT_NO_ASPM, 2);
	put(fadt, 112,
	    FLAG_WBINVD | FLAG_PROC_C1 | FLAG_NO_PWR_BUTTON | FLAG_NO_SLP_BUTTON | FLAG_FIX_RTC | FLAG_TMR_VAL_EXT |
		    FLAG_RESET_REG | FLAG_HEADLESS,
	    4);
	fadt[131] = 4; /* minor version */
	put(fadt, 140, dsdt, 8);
	finish(fadt, "FACP", FADT_BYTES, FADT_REVISION);
	return address;
}

static uint8_t *add_override(uint8_t *to, uint8_t irq, uint32_t gsi, uint16_t flags)
{
	to[0] = MADT_OVERRIDE;
	to[1] = 10;
	to[3] = irq;
	put(to, 4, gsi, 4);
	put(to, 8, flags, 2);
	return to + 10;
}

static void fill_madt(uint8_t *madt, unsigned vcpus)
{
	uint8_t *to = madt + 44;

	put(madt, 36, APIC_ADDRESS, 4);
	put(madt, 40, MADT_PCAT_COMPAT, 4);
	for (unsigned i = 0; i < vcpus; i++, to += 8) {
		to[0] = MADT_LOCAL_APIC;
		to[1] = 8;
		to[2] = to[3] = (uint8_t)i;
		put(to, 4, 1, 4); /* enabled */
	}
	to[0] = MADT_IOAPIC;
	to[1] = 12;
	put(to, 4, IOAPIC_ADDRESS, 4);
	to = add_override(to + 12, 0, 2, MADT_BUS_DEFAULT);
	to = add_override(to, SCI_INTERRUPT, SCI_INTERRUPT, MADT_LEVEL_HIGH);
	to[0] = MADT_LOCAL_NMI;
	to[1] = 6;
	to[2] = MADT_ALL_PROCESSORS;
	to[5] = 1; /* LINT1 */
}

static uint64_t build_madt(struct builder *builder, unsigned vcpus)
{
	uint32_t bytes = 44 + 8 * vcpus + 12 + 2 * 10 + 6;
	uint64_t address = 0;
	uint8_t *madt = take(builder, bytes, &address);

	if (!madt)
		return 0;
	fill_madt(madt, vcpus);
	finish(madt, "APIC", bytes, 5);
	return address;
}

/* Where the PCI bus has its configuration space as memory (PCI Firmware 3.0, 4.1.2): segment 0, bus 0 to 0. */
static uint64_t build_mcfg(struct builder *builder)
{
	uint64_t address = 0;
	uint8_t *mcfg = take(builder, MCFG_BYTES, &address);

	if (!mcfg)
		return 0;
	put(mcfg, 44, PCI_ECAM_ADDRESS, 8);
	finish(mcfg, "MCFG", MCFG_BYTES, 1);
	return address;
}

static uint64_t build_xsdt(struct builder *builder, const uint64_t *tables, unsigned count)
{
	uint32_t bytes = 36 + 8 * count;
	uint64_t address = 0;
	uint8_t *xsdt = take(builder, bytes, &address);

	if (!xsdt)
		return 0;
	for (unsigned i = 0; i < count; i++)
		put(xsdt, 36 + 8 * i, tables[i], 8);
	finish(xsdt, "XSDT", bytes, 1);
	return address;
}

static void fill_rsdp(uint8_t *rsdp, uint64_t xsdt)
{
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "BLKHD ", 6);
	rsdp[15] = 2; /* revision */
	put(rsdp, 20, 36, 4);
	put(rsdp, 24, xsdt, 8);
	rsdp[8] = checksum(rsdp, 20);
	rsdp[32] = checksum(rsdp, 36);
}

uint64_t acpi_build(uint8_t *area, uint64_t bytes, uint64_t address, unsigned vcpus)
{
	struct builder builder = { .area = area, .bytes = bytes, .address = address };
	uint64_t at = 0;
	uint8_t *rsdp = take(&builder, 36, &at); /* first, where a search finds it at once */
	uint64_t facs = build_facs(&builder), dsdt = build_dsdt(&builder);
	uint64_t tables[] = { build_fadt(&builder, facs, dsdt), build_madt(&builder, vcpus), build_mcfg(&builder) };
	uint64_t xsdt = build_xsdt(&builder, tables, 3);

	if (builder.full)
		return 0;
	fill_rsdp(rsdp, xsdt);
	return at;
}
