#include "acpi.h"
#include <stddef.h>
#include <guests/lib/bh_string.h>

#define HEADER_BYTES   36u
#define TABLE_MAX      0x80000u /* longer ones are damaged */
#define TABLES_MAX     256u
#define DEFAULT_IOAPIC 0xfec00000u /* where every PC without a MADT has it */

/* A table whose length and checksum are right; what it is read through ends with the next mapping.
 */
struct table {
	const uint8_t *bytes;
	uint32_t length;
};

/* Fields are little-endian and need not be aligned. */
static uint64_t field(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

static bool sum_is_zero(const uint8_t *bytes, uint32_t length)
{
	uint8_t sum = 0;

	while (length--)
		sum += *bytes++;
	return sum == 0;
}

static bool signature_is(const struct table *t, const char *signature) { return memcmp(t->bytes, signature, 4) == 0; }

static bool open_table(acpi_map map, uint64_t physical, struct table *t)
{
	t->bytes = map(physical, HEADER_BYTES);
	if (!t->bytes)
		return false;
	t->length = (uint32_t)field(t->bytes + 4, 4);
	if (t->length < HEADER_BYTES || t->length > TABLE_MAX)
		return false;
	t->bytes = map(physical, t->length);
	return t->bytes && sum_is_zero(t->bytes, t->length);
}

/* ---- MADT, 5.2.12 ---------------------------------------------------------------------------- */

static void add_cpu(struct acpi *acpi, uint32_t apic_id, uint32_t flags)
{
	if (!(flags & 1)) /* not enabled: a CPU that could be plugged in */
		return;
	for (uint32_t i = 0; i < acpi->cpus; i++) {
		if (acpi->apic_id[i] == apic_id) /* as local APIC and as x2APIC */
			return;
	}
	if (acpi->cpus == ACPI_CPUS)
		acpi->cpus_left_out++;
	else
		acpi->apic_id[acpi->cpus++] = apic_id;
}

static void add_ioapic(struct acpi *acpi, const uint8_t *e)
{
	if (acpi->ioapics < ACPI_IOAPICS)
		acpi->ioapic[acpi->ioapics++] =
			(struct acpi_ioapic){ (uint32_t)field(e + 4, 4), (uint32_t)field(e + 8, 4), e[2] };
}

/* The first one for an interrupt counts. */
static void add_override(struct acpi *acpi, const uint8_t *e)
{
	struct acpi_isa *isa = &acpi->isa[e[3] % ACPI_ISA];
	uint64_t flags = field(e + 8, 2);

	if (e[3] >= ACPI_ISA || isa->overridden)
		return;
	*isa = (struct acpi_isa){
		.gsi = (uint32_t)field(e + 4, 4),
		.overridden = true,
		.active_low = (flags & 3) == 3, /* 0: as the bus has it, which is high for ISA */
		.level = (flags >> 2 & 3) == 3,
	};
}

static void parse_madt_entry(struct acpi *acpi, const uint8_t *e, uint32_t length)
{
	switch (e[0]) {
	case 0: /* local APIC */
		if (length >= 8)
			add_cpu(acpi, e[3], (uint32_t)field(e + 4, 4));
		break;
	case 1:
		if (length >= 12)
			add_ioapic(acpi, e);
		break;
	case 2:
		if (length >= 10)
			add_override(acpi, e);
		break;
	case 9: /* local x2APIC */
		if (length >= 16)
			add_cpu(acpi, (uint32_t)field(e + 4, 4), (uint32_t)field(e + 8, 4));
		break;
	}
}

static void parse_madt(struct acpi *acpi, const struct table *t)
{
	uint32_t length;

	for (uint32_t at = 44; at + 2 <= t->length; at += length) {
		length = t->bytes[at + 1];
		if (length < 2 || length > t->length - at)
			break;
		parse_madt_entry(acpi, t->bytes + at, length);
	}
	acpi->madt = acpi->cpus > 0;
}

/* ---- the other tables ------------------------------------------------------------------------ */

/* 5.2.9; a shorter table is of an older version and lacks the later fields. */
static void parse_fadt(struct acpi *acpi, const struct table *t)
{
	uint32_t flags;

	if (t->length < 116)
		return;
	flags = (uint32_t)field(t->bytes + 112, 4);
	if (t->bytes[91] == 4) /* PM_TMR_LEN */
		acpi->pm_timer_port = (uint16_t)field(t->bytes + 76, 4);
	acpi->pm_timer_32bit = flags & 1u << 8;
	if (t->length < 129 || !(flags & 1u << 10)) /* RESET_REG_SUP */
		return;
	acpi->reset_space = t->bytes[116];
	acpi->reset_address = field(t->bytes + 120, 8);
	acpi->reset_value = t->bytes[128];
}

/* IA-PC HPET 1.0a, 3.2.4: a generic address, in memory. */
static void parse_hpet(struct acpi *acpi, const struct table *t)
{
	if (t->length >= 52 && t->bytes[40] == 0)
		acpi->hpet = field(t->bytes + 44, 8);
}

/* MCFG: PCI Firmware 3.0, table 4-2. */
static void parse_mcfg(struct acpi *acpi, const struct table *t)
{
	for (uint32_t at = 44; at + 16 <= t->length && acpi->ecams < ACPI_ECAMS; at += 16) {
		const uint8_t *e = t->bytes + at;
		struct acpi_ecam range = { field(e, 8), (uint16_t)field(e + 8, 2), e[10], e[11] };

		if (range.address && range.address % 0x100000 == 0 && range.first_bus <= range.last_bus)
			acpi->ecam[acpi->ecams++] = range;
	}
}

static void parse_table(struct acpi *acpi, acpi_map map, uint64_t physical)
{
	struct table t;

	if (!open_table(map, physical, &t)) {
		acpi->damaged++;
		return;
	}
	if (signature_is(&t, "APIC") && !acpi->madt)
		parse_madt(acpi, &t);
	else if (signature_is(&t, "FACP"))
		parse_fadt(acpi, &t);
	else if (signature_is(&t, "HPET"))
		parse_hpet(acpi, &t);
	else if (signature_is(&t, "DMAR"))
		acpi->dmar = physical, acpi->dmar_bytes = t.length;
	else if (signature_is(&t, "IVRS"))
		acpi->ivrs = physical, acpi->ivrs_bytes = t.length;
	else if (signature_is(&t, "MCFG"))
		parse_mcfg(acpi, &t);
}

/* RSDT (entries of 4 bytes) or XSDT (8). */
static bool parse_root(struct acpi *acpi, acpi_map map, uint64_t physical, unsigned entry_bytes)
{
	struct table t;
	uint32_t count;

	if (!open_table(map, physical, &t) || !signature_is(&t, entry_bytes == 8 ? "XSDT" : "RSDT"))
		return false;
	count = (t.length - HEADER_BYTES) / entry_bytes;
	for (uint32_t i = 0; i < count && i < TABLES_MAX; i++) {
		/* parse_table has mapped something else meanwhile */
		const uint8_t *e = map(physical + HEADER_BYTES + i * entry_bytes, entry_bytes);

		if (e)
			parse_table(acpi, map, field(e, entry_bytes));
	}
	return true;
}

static void parse_all(struct acpi *acpi, uint64_t rsdp, acpi_map map)
{
	const uint8_t *p;
	uint64_t xsdt = 0, rsdt;

	p = rsdp ? map(rsdp, 20) : NULL;
	if (!p || memcmp(p, "RSD PTR ", 8) != 0 || !sum_is_zero(p, 20))
		return;
	rsdt = field(p + 16, 4);
	if (p[15] >= 2) { /* revision */
		p = map(rsdp, HEADER_BYTES);
		if (p && sum_is_zero(p, HEADER_BYTES))
			xsdt = field(p + 24, 8);
	}
	acpi->found = (xsdt && parse_root(acpi, map, xsdt, 8)) || (rsdt && parse_root(acpi, map, rsdt, 4));
}

void acpi_parse(struct acpi *acpi, uint64_t rsdp, acpi_map map)
{
	memset(acpi, 0, sizeof(*acpi));
	acpi->reset_space = 0xff;
	for (uint32_t i = 0; i < ACPI_ISA; i++)
		acpi->isa[i].gsi = i;
	parse_all(acpi, rsdp, map);
	if (acpi->madt)
		return;
	/* The timer still comes by pin 2 (MultiProcessor specification 1.4, 5). */
	if (!acpi->isa[0].overridden)
		acpi->isa[0].gsi = 2;
	if (!acpi->ioapics)
		acpi->ioapic[acpi->ioapics++].address = DEFAULT_IOAPIC;
}
