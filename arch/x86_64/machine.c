#include "machine.h"
#include <stdatomic.h>
#include "address_space.h"
#include "apic.h"
#include "clock.h"
#include "cpu_this.h"
#include "instructions.h"
#include "interrupt.h"
#include "ioapic.h"
#include "log.h"
#include "panic.h"
#include "pool.h"

extern char boot_stack_top[]; /* entry.S */

struct acpi machine_acpi;
static atomic_bool stopping;

static void take_acpi(const struct acpi *acpi)
{
	machine_acpi = *acpi;
	if (acpi->found)
		log_printf("acpi: %u CPUs, %u I/O APICs%s%s", machine_acpi.cpus, machine_acpi.ioapics,
			   machine_acpi.pm_timer_port ? ", PM timer" : "", machine_acpi.hpet ? ", HPET" : "");
	else
		log_printf("acpi: the firmware has no usable tables");
	if (machine_acpi.damaged)
		log_printf("acpi: %u tables are damaged, or the firmware does not map them; they were not used",
			   machine_acpi.damaged);
}

static void start_boot_cpu(const struct boot_info *info)
{
	struct cpu *cpu = arch_cpu_create(0, info->boot_apic_id, (uint64_t)boot_stack_top);

	if (!cpu)
		panic("the kernel region is too small for the first CPU");
	interrupt_init();
	arch_cpu_load(cpu);
	cpus[0] = cpu;
	cpu_count = 1;
}

void machine_init(const struct boot_info *info)
{
	start_boot_cpu(info);
	address_space_init(info);
	machine_efi_init(info->efi_system_table);
	take_acpi(&info->acpi);
	apic_init();
	apic_enable();
	cpus[0]->apic_id = apic_id();
	log_printf("apic: %s, boot CPU has id %u", apic_is_x2apic() ? "x2APIC" : "xAPIC", cpus[0]->apic_id);
	clock_init(info);
	clock_enable();
	ioapic_init();
	cpus[0]->arch.online = true;
}

void machine_stop_others(void)
{
	if (atomic_exchange(&stopping, true) || cpu_count < 2)
		return;
	apic_send_nmi_all_but_self();
	clock_wait(1000); /* for those in the middle of a line on the UART */
}

bool machine_stopping(void) { return stopping; }
