#include "pci.h"
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
