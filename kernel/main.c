/* main.c: the kernel's beginning, one line in the log for each thing that works. */
#include <boot/boot_info.h>
#include <boot/text.h>
#include <guests/lib/bh_string.h>
#include "address_space.h"
#include "clock.h"
#include "log.h"
#include "machine.h"
#include "output.h"
#include "panic.h"
#include "pool.h"
#include "smp.h"
#include "start.h"

/* From entry.S. */
_Noreturn void kernel_main(const struct boot_info *info);

/* A loader of another version: nothing in the structure can be believed. */
static void check_boot_info(const struct boot_info *info)
{
	if (info->magic != BOOT_INFO_MAGIC)
		panic("boot_info at %p has no magic: not started by Bulkhead's loader", info);
	if (info->version != BOOT_INFO_VERSION || info->bytes != sizeof(*info))
		panic("boot_info is version %u of %u bytes, this kernel wants version %u of %u "
		      "bytes: loader and kernel are of different builds",
		      info->version, info->bytes, BOOT_INFO_VERSION, (unsigned)sizeof(*info));
	panic_unless(info->ranges <= BOOT_RANGES && info->cpus <= BOOT_CPUS);
}

static void init_pool(const struct boot_info *info)
{
	uint64_t end = info->region_base + info->region_bytes;

	panic_unless(info->pool_base >= info->region_base && info->pool_base <= end &&
		     info->pool_bytes <= end - info->pool_base);
	pool_init((void *)(POOL_BASE + (info->pool_base - info->region_base)), info->pool_base, info->pool_bytes);
}

static void log_memory(const struct boot_info *info)
{
	uint64_t ram = 0, free = 0;

	for (uint32_t i = 0; i < info->ranges; i++) {
		if (info->range[i].type <= BOOT_MEMORY_ACPI)
			ram += info->range[i].bytes;
		if (info->range[i].type == BOOT_MEMORY_FREE)
			free += info->range[i].bytes;
	}
	log_printf("memory: %lu MiB, %lu MiB of it free, %lu KiB for the kernel at 0x%lx (pool: %lu KiB, %lu free)",
		   ram >> 20, free >> 20, info->region_bytes >> 10, info->region_base, info->pool_bytes >> 10,
		   pool_free_bytes() >> 10);
}

/* "file:line: text", a line each. */
static void log_config_errors(const struct boot_info *info)
{
	struct text rest = { info->config_log, strnlen(info->config_log, sizeof(info->config_log)) };

	while (rest.bytes)
		log_printf("%.*s", TEXT_ARGUMENTS(text_until(&rest, '\n')));
}

_Noreturn void kernel_main(const struct boot_info *info)
{
	clock_boot = clock_now();
	output_uart_start();
	log_printf("Bulkhead, a partitioning hypervisor (ABI %u)", BH_ABI_VERSION);
	check_boot_info(info);
	panic_set_reset(info->config.machine.panic == CONFIG_PANIC_RESET);
	init_pool(info);
	machine_init(info);
	log_memory(info);
	output_screen_start(&info->framebuffer);
	smp_start(info);
	log_config_errors(info);
	machine_start(info);
	cpu_main(cpus[0]);
}
