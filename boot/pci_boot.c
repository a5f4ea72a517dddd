/* Configuration space for the loader: the kernel's access (arch/x86_64/pci_config.c) in the firmware's address space.
 */
#include "address_space.h"
#include "boot_info.h"
#include "firmware.h"
#include "log.h"
#include "machine.h"
#include "pci_scan.h"

struct acpi machine_acpi;

void *mmio_map(uint64_t physical, uint64_t bytes, unsigned type)
{
	(void)type;
	return firmware_at(physical, bytes);
}

/* Nobody reads it here; the kernel says the same. */
void log_printf(const char *format, ...) { (void)format; }

void pci_boot(struct boot_info *info)
{
	machine_acpi = info->acpi;
	pci_scan(&info->pci, &info->acpi);
}
