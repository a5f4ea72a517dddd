#include "firmware.h"
#include "identity.h"
#include "text.h"

#define PAGE_BYTES 4096ull
#define LINE_BYTES 400

EFI_SYSTEM_TABLE *firmware;
EFI_HANDLE firmware_image;

static EFI_MEMORY_DESCRIPTOR *map;
static UINTN map_bytes;

void firmware_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	firmware = table;
	firmware_image = image;
	table->BootServices->SetWatchdogTimer(0, 0, 0, NULL);
}

static void print(const char *format, va_list arguments)
{
	char line[LINE_BYTES];
	CHAR16 wide[LINE_BYTES + 3];
	size_t bytes = text_vformat(line, sizeof(line), format, arguments);

	for (size_t i = 0; i < bytes; i++)
		wide[i] = (CHAR16)line[i];
	wide[bytes] = '\r';
	wide[bytes + 1] = '\n';
	wide[bytes + 2] = 0;
	firmware->ConOut->OutputString(firmware->ConOut, wide);
}

void firmware_print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print(format, arguments);
	va_end(arguments);
}

void firmware_give_up(const char *format, ...)
{
	va_list arguments;
	EFI_INPUT_KEY key;
	UINTN index;

	va_start(arguments, format);
	print(format, arguments);
	va_end(arguments);
	firmware_print("Bulkhead cannot start. A key leads back to the firmware.");
	firmware->ConIn->Reset(firmware->ConIn, FALSE);
	firmware->BootServices->WaitForEvent(1, &firmware->ConIn->WaitForKey, &index);
	firmware->ConIn->ReadKeyStroke(firmware->ConIn, &key);
}

static uint64_t allocate_pages(EFI_ALLOCATE_TYPE type, uint64_t limit, uint64_t pages)
{
	EFI_PHYSICAL_ADDRESS address = limit;

	if (EFI_ERROR(firmware->BootServices->AllocatePages(type, EfiLoaderData, pages, &address)))
		return 0;
	return address;
}

void *firmware_allocate(uint64_t bytes)
{
	uint64_t pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
	void *memory = (void *)allocate_pages(AllocateAnyPages, 0, pages);

	if (memory)
		__builtin_memset(memory, 0, pages * PAGE_BYTES);
	return memory;
}

/* Firmware aligns to 4 KiB only: more is taken than needed, and both ends are given back. */
uint64_t firmware_allocate_frames(uint64_t bytes, bool low)
{
	EFI_BOOT_SERVICES *services = firmware->BootServices;
	uint64_t frames = (bytes + FRAME_BYTES - 1) / FRAME_BYTES;
	uint64_t taken, aligned, head, tail;

	if (!frames || frames > 1u << 24)
		return 0;
	taken = allocate_pages(low ? AllocateMaxAddress : AllocateAnyPages, low ? 0xffffffff : 0, frames * 512 + 511);
	if (!taken)
		return 0;
	aligned = (taken + FRAME_BYTES - 1) & ~(FRAME_BYTES - 1);
	head = (aligned - taken) / PAGE_BYTES;
	tail = 511 - head;
	if (head)
		services->FreePages(taken, head);
	if (tail)
		services->FreePages(aligned + frames * FRAME_BYTES, tail);
	return aligned;
}

uint64_t firmware_allocate_low_page(void) { return allocate_pages(AllocateMaxAddress, 0xfffff, 1); }

const void *firmware_memory_map(uint64_t *bytes, uint64_t *stride, uint64_t *key)
{
	EFI_BOOT_SERVICES *services = firmware->BootServices;
	UINTN used = 0, map_key = 0, descriptor = 0;
	UINT32 version;

	if (!map) {
		services->GetMemoryMap(&used, NULL, &map_key, &descriptor, &version);
		/* What is allocated until the end, this buffer too, makes the map longer. */
		map_bytes = used + 64 * descriptor;
		map = firmware_allocate(map_bytes);
		if (!map)
			return NULL;
	}
	used = map_bytes;
	if (EFI_ERROR(services->GetMemoryMap(&used, map, &map_key, &descriptor, &version)))
		return NULL;
	*bytes = used;
	*stride = descriptor;
	*key = map_key;
	return map;
}

void *firmware_at(uint64_t physical, uint64_t bytes)
{
	uint64_t root;

	__asm__ volatile("mov %%cr3, %0" : "=r"(root));
	return identity_maps(root, physical, bytes) ? (void *)physical : NULL;
}

bool firmware_leave(uint64_t key) { return !EFI_ERROR(firmware->BootServices->ExitBootServices(firmware_image, key)); }
