#include "pci.h"
#include <guests/lib/bh_format.h>
#include "log.h"
#include "machine.h"

struct pci_function *pci_functions;
unsigned pci_function_count;

void pci_init(struct pci_found *found)
{
	pci_config_init();
	pci_functions = found->function;
	pci_function_count = found->count;
	log_printf("pci: %u functions, by %s", found->count, machine_acpi.ecams ? "ECAM" : "ports");
	if (found->left_out)
		log_printf("pci: %u more were left out, the kernel knows %u", found->left_out, PCI_FUNCTIONS);
}

bool pci_may_write(const struct pci_function *function, unsigned offset, unsigned bytes)
{
	/* Behind the first 256 bytes stand ATS, SR-IOV and the like: none of them is a holder's. */
	return offset >= PCI_HEADER_BYTES && offset + bytes <= PCI_SPACE_BYTES && !(function->kept >> offset / 4 & 1);
}

const char *pci_name(uint32_t address, char text[PCI_NAME_BYTES])
{
	bool segments = false;
	int done = 0;

	for (unsigned i = 0; i < machine_acpi.ecams; i++)
		segments |= machine_acpi.ecam[i].segment != 0;
	if (segments)
		done = bh_snprintf(text, PCI_NAME_BYTES, "%04x:", address >> 16);
	bh_snprintf(text + done, (size_t)(PCI_NAME_BYTES - done), "%02x:%02x.%x", address >> 8 & 0xff,
		    address >> 3 & 0x1f, address & 7);
	return text;
}
