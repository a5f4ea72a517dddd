#include "start.h"
#include <stdatomic.h>
#include "build.h"
#include "device.h"
#include "frame.h"
#include "iommu/iommu.h"
#include "log.h"
#include "machine_control.h"
#include "panic.h"
#include "partition.h"
#include "sched.h"
#include "clock.h"
#include "spinlock.h"
#include "trace.h"
#include "virt.h"

const struct boot_info *start_boot_info;

static _Atomic bool built;

static void log_caps_line(const char *text)
{
	log_printf("%s", text);
	machine_control_caps_line(text);
}

static void prepare_cpus(void)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		sched_init(&cpus[i]->sched);
		if (!trace_create(cpus[i]))
			panic("no memory for the trace ring of CPU %u", i);
	}
}

void machine_start(const struct boot_info *info)
{
	struct boot_info *boot = (struct boot_info *)info;

	start_boot_info = info;
	panic_set_reset(boot->config.machine.panic == CONFIG_PANIC_RESET);
	sched_slice = clock_ticks(boot->config.machine.slice_microseconds);
	prepare_cpus();
	virt_choose();
	virt->require();
	virt->caps(log_caps_line);
	frame_init(info);
	device_init(&boot->pci);
	iommu_init(&info->iommu, log_caps_line);
	build_partitions(boot);
	log_printf("%u partitions, %llu MiB free, kernel %llu KiB (%llu KiB of it free)", partition_count,
		   (unsigned long long)(frame_free_bytes() >> 20), (unsigned long long)(info->region_bytes >> 10),
		   (unsigned long long)(pool_free_bytes() >> 10));
	atomic_store(&built, true);
}

void cpu_main(struct cpu *cpu)
{
	while (!atomic_load(&built))
		spin_pause();
	virt->cpu_enable(cpu);
	if (cpu->index == 0) {
		log_printf("the UART is the console's from here on");
		log_uart_enable(false);
		partition_autostart();
	}
	if (cpu->index == start_boot_info->config.machine.services_cpu)
		iommu_watch();
	cpu->sched.charged = clock_now();
	virt->enter(sched_next(cpu));
}
