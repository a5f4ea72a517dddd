/*
 * main.c: the UEFI application. Finds the configuration and the files, loads them, leaves boot
 * services, enters the kernel. A fault in the configuration never stops it: the console must come
 * up to show it.
 */
#include <efi.h>
#include "config.h"
#include "discover.h"
#include "elf.h"
#include "firmware.h"
#include "load.h"
#include "memory_map.h"
#include "pci_scan.h"
#include "region_build.h"
#include "text.h"
#include "tsc.h"
#include "volume.h"

#define LEAVE_TRIES 16

/* Errors of the configuration: kept for the kernel's log, and shown here. */
static void note_error(void *context, uint32_t line, const char *text)
{
	static const char more[] = "(more errors than fit here: make check shows all)\n";
	struct boot_info *info = context;
	char entry[CONFIG_ERROR_BYTES + 32];
	size_t used = text_of(info->config_log).bytes;
	size_t room = sizeof(info->config_log) - sizeof(more) - used;
	size_t bytes;

	if (line)
		bytes = text_format(entry, sizeof(entry), "%s:%u: %s", CONFIG_NAME, line, text);
	else
		bytes = text_format(entry, sizeof(entry), "%s: %s", CONFIG_NAME, text);
	firmware_print("%s", entry);
	if (used && info->config_log[used - 1] == ')')
		return;
	if (bytes + 1 > room) {
		/* The last line, without a line break, so that it is known again. */
		text_format(info->config_log + used, sizeof(more), "%.*s", (int)sizeof(more) - 2, more);
		return;
	}
	text_format(info->config_log + used, room + 1, "%s\n", entry);
}

static void read_config(struct boot_info *info)
{
	struct volume_file file;
	const char *wrong = volume_open(CONFIG_NAME, &file);
	char *text = NULL;

	/* The parser refuses a file that is too long without looking at it. */
	if (!wrong && file.bytes && file.bytes <= CONFIG_TEXT_MAX) {
		text = firmware_allocate(file.bytes);
		wrong = text ? volume_read(&file, text, file.bytes) : "memory is too small for it";
	}
	volume_close(&file);
	config_parse(text, wrong ? 0 : file.bytes, &info->config, wrong ? NULL : note_error, info);
	if (wrong)
		note_error(info, 0, wrong);
}

/* NULL, or what this machine lacks so that not even the kernel could say so. */
static const char *check_cpu(void)
{
	uint32_t eax = 0x80000001, ebx, ecx = 0, edx;
	uint64_t cr4;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if (!(edx & 1u << 20))
		return "The CPU has no execute-disable bit (CPUID 80000001h EDX.20), or the "
		       "firmware's setup has it off: turn on XD or NX there.";
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	if (cr4 & 1u << 12)
		return "The firmware runs with 5-level page tables (CR4.LA57): turn that off in "
		       "its setup.";
	return NULL;
}

/* The kernel's file and its segments; NULL when the firmware's console has been told why not. */
static const void *read_kernel(struct boot_program *kernel)
{
	char error[ELF_ERROR_BYTES];
	const char *wrong;
	uint64_t bytes;
	const void *file = load_file(LOAD_FOLDER "kernel.elf", &bytes, &wrong);

	if (!file) {
		firmware_give_up("%skernel.elf: %s", LOAD_FOLDER, wrong);
		return NULL;
	}
	if (!elf_parse(file, bytes, &elf_kernel, kernel, error)) {
		firmware_give_up("%skernel.elf: %s", LOAD_FOLDER, error);
		return NULL;
	}
	return file;
}

static uint64_t ram_bytes(struct memory_map *map)
{
	uint64_t bytes, stride, key;
	const void *descriptors = firmware_memory_map(&bytes, &stride, &key);

	if (!descriptors)
		return 0;
	memory_map_read(map, descriptors, bytes, stride);
	return memory_map_end(map);
}

/* From here on nothing may be allocated or printed: both change the map. */
static bool leave(struct memory_map *map)
{
	uint64_t bytes, stride, key;

	for (int i = 0; i < LEAVE_TRIES; i++) {
		const void *descriptors = firmware_memory_map(&bytes, &stride, &key);

		if (!descriptors)
			return false;
		if (!firmware_leave(key))
			continue;
		memory_map_read(map, descriptors, bytes, stride);
		return true;
	}
	return false;
}

static void finish_map(struct boot_info *info, struct memory_map *map)
{
	load_mark(info, map);
	memory_map_set(map, info->region_base, info->region_bytes, BOOT_MEMORY_KERNEL);
	/* Not free: nothing else may come to lie in the page that CPUs start in. */
	memory_map_set(map, info->trampoline, info->trampoline ? 4096 : 0, BOOT_MEMORY_RESERVED);
	info->ranges = memory_map_write(map, info->range, BOOT_RANGES);
}

static EFI_STATUS run(struct boot_info *info, struct memory_map *map)
{
	struct boot_program kernel;
	struct region region;
	const void *file = read_kernel(&kernel);
	const char *wrong;

	if (!file)
		return EFI_LOAD_ERROR;
	read_config(info);
	if (!load_all(info, note_error, info))
		return EFI_LOAD_ERROR;
	discover(info);
	info->magic = BOOT_INFO_MAGIC;
	info->version = BOOT_INFO_VERSION;
	info->bytes = sizeof(*info);
	info->trampoline = firmware_allocate_low_page();
	wrong = region_build(&region, info, &kernel, file, ram_bytes(map));
	if (wrong) {
		firmware_give_up("%skernel.elf: %s", LOAD_FOLDER, wrong);
		return EFI_OUT_OF_RESOURCES;
	}
	/* The kernel has the only copy. */
	__builtin_memset(info->seed, 0, sizeof(info->seed));
	firmware_print("Starting the kernel");
	if (!leave(map)) {
		firmware_give_up("The firmware does not let go: its memory map keeps changing.");
		return EFI_ABORTED;
	}
	tsc_measure(region.info);
	pci_boot(region.info);
	finish_map(region.info, map);
	region_enter(region.tables, region.stack, region.entry, region.info_address);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	struct boot_info *info;
	struct memory_map *map;
	const char *wrong;

	firmware_init(image, table);
	firmware_print("Bulkhead");
	wrong = check_cpu();
	if (!wrong)
		wrong = volume_init();
	if (wrong) {
		firmware_give_up("%s", wrong);
		return EFI_UNSUPPORTED;
	}
	info = firmware_allocate(sizeof(*info));
	map = firmware_allocate(sizeof(*map));
	if (!info || !map) {
		firmware_give_up("Memory is too small for the loader.");
		return EFI_OUT_OF_RESOURCES;
	}
	return run(info, map);
}
