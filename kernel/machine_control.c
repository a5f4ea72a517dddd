#include "machine_control.h"
#include "audit.h"
#include "clock.h"
#include "cpu.h"
#include "device.h"
#include "frame.h"
#include "iommu/iommu.h"
#include "log.h"
#include "machine.h"
#include "panic.h"
#include "pool.h"
#include "report.h"
#include "start.h"

#define CAPS_BYTES 3072

static char caps[CAPS_BYTES];
static struct report_words words = { .text = caps, .size = CAPS_BYTES };

void machine_control_caps_line(const char *text) { report_say(&words, "%s\n", text); }

int64_t machine_control_stat(uint64_t field, uint64_t index)
{
	if ((field == BH_MACHINE_CPU_APIC_ID || field == BH_MACHINE_CPU_IDLE) && index >= cpu_count)
		return -BH_EINVAL;

	switch (field) {
	case BH_MACHINE_CPUS: return cpu_count;
	case BH_MACHINE_TSC_HZ: return (int64_t)clock_hz;
	case BH_MACHINE_MEMORY: return (int64_t)frame_ram_bytes();
	case BH_MACHINE_MEMORY_FREE: return (int64_t)frame_free_bytes();
	case BH_MACHINE_KERNEL_BYTES: return (int64_t)start_boot_info->region_bytes;
	case BH_MACHINE_KERNEL_FREE: return (int64_t)pool_free_bytes();
	case BH_MACHINE_KERNEL_256G: return (int64_t)start_boot_info->region_bytes_256g;
	case BH_MACHINE_LOG_FIRST: return (int64_t)log_first();
	case BH_MACHINE_LOG_END: return (int64_t)log_end();
	case BH_MACHINE_CPU_APIC_ID: return cpus[index]->apic_id;
	case BH_MACHINE_CPU_IDLE: return (int64_t)cpus[index]->sched.idle;
	default: return -BH_EINVAL;
	}
}

static int64_t log_word(uint64_t position)
{
	char text[8];
	size_t length = log_read(position, text, sizeof(text));

	return report_word(text, length, 0);
}

int64_t machine_control_text(uint64_t text, uint64_t offset)
{
	switch (text) {
	case BH_TEXT_CAPS: return report_word(caps, words.bytes, offset);
	case BH_TEXT_LOG: return log_word(offset);
	case BH_TEXT_AUDIT: return audit_text(offset);
	case BH_TEXT_IOMMU: return iommu_text(offset);
	case BH_TEXT_PCI: return device_text(offset);
	default: return -BH_EINVAL;
	}
}

int64_t machine_control(uint64_t operation)
{
	switch (operation) {
	case BH_REBOOT: log_printf("the machine is rebooted"); machine_reset();
	case BH_POWEROFF: log_printf("the machine is powered off"); machine_poweroff();
	case BH_AUDIT: return audit_run();
	case BH_CRASH_KERNEL: panic("asked for by a holder of the machine's handle");
	default: return -BH_EINVAL;
	}
}
