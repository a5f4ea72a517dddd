#include <efi.h>
#include "discover.h"
#include "acpi.h"
#include "firmware.h"
#include "io.h"

/* PI 1.7, volume 2, 13.4: the MP Services protocol, as far as it is used. gnu-efi does not have it.
 */
static const EFI_GUID mp_services = { 0x3fdda605, 0xa76e, 0x4f46, { 0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08 } };

struct mp_processor {
	uint64_t id; /* APIC ID */
	uint32_t flags;
	uint32_t location[9];
};
#define MP_BOOT_CPU 1u
#define MP_ENABLED  2u
#define MP_HEALTHY  4u

struct mp_protocol {
	EFI_STATUS(EFIAPI *count)(struct mp_protocol *this, UINTN *all, UINTN *enabled);
	EFI_STATUS(EFIAPI *info)(struct mp_protocol *this, UINTN index, struct mp_processor *out);
};

static bool same_guid(const EFI_GUID *a, const EFI_GUID *b) { return !__builtin_memcmp(a, b, sizeof(*a)); }

static uint64_t find_rsdp(void)
{
	static const EFI_GUID acpi2 = ACPI_20_TABLE_GUID, acpi1 = ACPI_TABLE_GUID;
	uint64_t rsdp = 0;

	for (UINTN i = 0; i < firmware->NumberOfTableEntries; i++) {
		const EFI_CONFIGURATION_TABLE *table = &firmware->ConfigurationTable[i];

		if (same_guid(&table->VendorGuid, &acpi2))
			return (uint64_t)table->VendorTable;
		if (same_guid(&table->VendorGuid, &acpi1))
			rsdp = (uint64_t)table->VendorTable;
	}
	return rsdp;
}

static const void *at(uint64_t physical, uint64_t bytes) { return firmware_at(physical, bytes); }

/* By the way that every PC has (PCI 3.0, 3.2.2.3.2). */
static uint32_t read_buses(uint16_t bridge)
{
	outl(0xcf8, 0x80000018u | (uint32_t)bridge << 8);
	return inl(0xcfc);
}

/* Without them the ports are left, which reach segment 0 alone. */
static void drop_unmapped_ecams(struct acpi *acpi)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < acpi->ecams; i++) {
		struct acpi_ecam range = acpi->ecam[i];

		if (firmware_at(acpi_ecam_base(&range), acpi_ecam_bytes(&range))) {
			acpi->ecam[kept++] = range;
			continue;
		}
		firmware_print(
			"ACPI: the firmware does not map the configuration space of PCI segment %u, buses %u to %u, "
			"at 0x%llx: devices there may not be found.",
			range.segment, range.first_bus, range.last_bus, (unsigned long long)range.address);
		acpi->damaged++;
	}
	acpi->ecams = kept;
}

static void read_tables(struct boot_info *info)
{
	const struct acpi *acpi = &info->acpi;

	acpi_parse(&info->acpi, find_rsdp(), at);
	drop_unmapped_ecams(&info->acpi);
	if (acpi->dmar)
		dmar_parse(&info->iommu, (const uint8_t *)acpi->dmar, acpi->dmar_bytes, read_buses);
	else if (acpi->ivrs)
		ivrs_parse(&info->iommu, (const uint8_t *)acpi->ivrs, acpi->ivrs_bytes);
}

/* SDM vol. 2, CPUID: leaf 0Bh has all 32 bits of the x2APIC ID, leaf 1 only 8. */
static uint32_t own_apic_id(void)
{
	uint32_t eax = 0, ebx, ecx = 0, edx, highest;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	highest = eax;
	eax = 0xb;
	ecx = 0;
	if (highest >= 0xb) {
		__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
		if (ebx)
			return edx;
	}
	eax = 1;
	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ebx >> 24;
}

static void find_cpus(struct boot_info *info)
{
	EFI_GUID guid = mp_services;
	struct mp_processor cpu;
	struct mp_protocol *mp;
	UINTN all, enabled;

	info->boot_apic_id = info->apic_id[0] = own_apic_id();
	if (EFI_ERROR(firmware->BootServices->LocateProtocol(&guid, NULL, (void **)&mp)) ||
	    EFI_ERROR(mp->count(mp, &all, &enabled)))
		return;
	info->cpus = 1;
	for (UINTN i = 0; i < all && info->cpus < BOOT_CPUS; i++) {
		if (EFI_ERROR(mp->info(mp, i, &cpu)) || !(cpu.flags & MP_ENABLED) || !(cpu.flags & MP_HEALTHY) ||
		    (uint32_t)cpu.id == info->boot_apic_id)
			continue;
		info->apic_id[info->cpus++] = (uint32_t)cpu.id;
	}
}

/* 32 bits a pixel that the CPU can write, or false. */
static bool use_graphics(const EFI_GRAPHICS_OUTPUT_PROTOCOL *graphics, struct boot_framebuffer *framebuffer)
{
	const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode;

	if (!graphics->Mode || !graphics->Mode->Info || !graphics->Mode->FrameBufferBase)
		return false;
	mode = graphics->Mode->Info;
	if (mode->PixelFormat != PixelRedGreenBlueReserved8BitPerColor &&
	    mode->PixelFormat != PixelBlueGreenRedReserved8BitPerColor)
		return false;
	framebuffer->physical = graphics->Mode->FrameBufferBase;
	framebuffer->bytes = graphics->Mode->FrameBufferSize;
	framebuffer->width = mode->HorizontalResolution;
	framebuffer->height = mode->VerticalResolution;
	framebuffer->stride = mode->PixelsPerScanLine;
	framebuffer->bgr = mode->PixelFormat == PixelBlueGreenRedReserved8BitPerColor;
	return true;
}

/* The first screen that will do: one that firmware makes up to join several has no memory of its
 * own. */
static void find_framebuffer(struct boot_framebuffer *framebuffer)
{
	EFI_BOOT_SERVICES *services = firmware->BootServices;
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *graphics;
	EFI_HANDLE *handles;
	UINTN count;

	if (EFI_ERROR(services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles)))
		return;
	for (UINTN i = 0; i < count; i++)
		if (!EFI_ERROR(services->HandleProtocol(handles[i], &guid, (void **)&graphics)) &&
		    use_graphics(graphics, framebuffer))
			break;
	services->FreePool(handles);
}

/* Days since 1970-01-01; years begin in March, so that the leap day comes last. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	month = (month + 9) % 12;
	return year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719468;
}

static void read_clock(struct boot_info *info)
{
	uint32_t low, high;
	EFI_TIME time;
	int64_t minutes;

	if (EFI_ERROR(firmware->RuntimeServices->GetTime(&time, NULL)))
		return;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	if (time.Year < 1970 || time.Month < 1 || time.Month > 12 || time.Day < 1 || time.Day > 31)
		return;
	minutes = (days(time.Year, time.Month, time.Day) * 24 + time.Hour) * 60 + time.Minute;
	/* UEFI 2.10, 8.3: local time = UTC - TimeZone. */
	if (time.TimeZone != EFI_UNSPECIFIED_TIMEZONE)
		minutes += time.TimeZone;
	info->wall_seconds = (uint64_t)minutes * 60 + time.Second;
	info->wall_tsc = (uint64_t)high << 32 | low;
}

/* UEFI 2.10, 37.5. There may be several, of which one may have nothing. */
static void read_seed(struct boot_info *info)
{
	EFI_GUID guid = EFI_RNG_PROTOCOL_GUID;
	EFI_BOOT_SERVICES *services = firmware->BootServices;
	EFI_RNG_PROTOCOL *source;
	EFI_HANDLE *handles;
	UINTN count;

	if (EFI_ERROR(services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles)))
		return;
	for (UINTN i = 0; i < count; i++) {
		if (!EFI_ERROR(services->HandleProtocol(handles[i], &guid, (void **)&source)) &&
		    !EFI_ERROR(source->GetRNG(source, NULL, sizeof(info->seed), info->seed)))
			break;
		__builtin_memset(info->seed, 0, sizeof(info->seed));
	}
	services->FreePool(handles);
}

void discover(struct boot_info *info)
{
	info->efi_system_table = (uint64_t)firmware;
	read_tables(info);
	find_cpus(info);
	find_framebuffer(&info->framebuffer);
	read_clock(info);
	read_seed(info);
}
