#include <stdarg.h>
#include <guests/lib/bh_format.h>
#include <guests/lib/bh_string.h>
#include "address_space.h"
#include "boot/config.h"
#include "device.h"
#include "ioapic.h"
#include "iommu/iommu.h"
#include "irq.h"
#include "log.h"
#include "partition.h"
#include "pci_device.h"
#include "report.h"

#define IRQ_TIMER   0u
#define IRQ_CASCADE 2u /* of the two 8259s: no device has it */
#define LIST_BYTES  8192u

__attribute__((format(printf, 1, 2))) static const char *wrong(const char *words, ...)
{
	static char text[CONFIG_ERROR_BYTES];
	va_list arguments;

	va_start(arguments, words);
	bh_vsnprintf(text, sizeof(text), words, arguments);
	va_end(arguments);
	return text;
}

static struct device *find(uint32_t address)
{
	for (unsigned i = 0; i < pci_function_count; i++) {
		if (devices[i].pci->address == address)
			return &devices[i];
	}
	return NULL;
}

/* ---- whether it can be given away ---------------------------------------------------------------- */

struct search {
	const struct pci_function *function;
	bool found;
};

static bool look(void *context, const struct paging_page *page)
{
	struct search *search = context;
	struct pci_range mapped = pci_pages(page->physical, page->bytes);
	bool device = page->address >= MMIO_BASE && page->address < MMIO_BASE + MMIO_BYTES;

	for (const struct pci_bar *bar = search->function->bar; device && bar < search->function->bar + PCI_BARS; bar++)
		search->found |= bar->bytes && !bar->io && pci_overlap(pci_pages(bar->physical, bar->bytes), mapped);
	return !search->found;
}

static bool is_kernels(const struct pci_function *function)
{
	struct search search = { function, false };

	paging_walk(&kernel_paging, look, &search);
	return search.found;
}

static const char *check(const struct device *d, const struct partition *holder)
{
	const char *problem = d->pci->unfit[0] ? d->pci->unfit : NULL;

	if (d->holder)
		return wrong("the device %s is %s's already: give it to one of them", d->pci->name, d->holder->name);
	if (!problem && is_kernels(d->pci))
		problem = "the kernel uses it itself, as its screen or for what it needs to run";
	if (problem)
		return wrong("the device %s cannot be granted: %s", d->pci->name, problem);
	if (!iommu_present() && !holder->config->trusted_for_dma)
		return wrong("no IOMMU is there, so %s could read and write all memory by the device %s: "
			     "`trusted-for-dma = %s` says that it may be trusted",
			     holder->name, d->pci->name,
			     strcmp(holder->name, CONFIG_NET_NAME) ? "yes" : "net` in `[machine]");
	return NULL;
}

/* ---- giving it ----------------------------------------------------------------------------------- */

/* MSI-X, MSI or INTx, whatever it has first; the line of INTx must be nobody else's. */
static void choose_interrupts(struct device *d)
{
	const struct pci_function *f = d->pci;
	unsigned wanted = f->msix ? f->vectors : f->msi ? 1 : 0;

	d->irqs = irq_take_messages(wanted < DEVICE_IRQS ? wanted : DEVICE_IRQS, &d->irq);
	if (d->irqs) {
		d->irq_kind = f->msix ? BH_DEVICE_IRQ_MSIX : BH_DEVICE_IRQ_MSI;
	} else if (!wanted && f->line < IRQ_ISA && f->line != IRQ_TIMER && f->line != IRQ_CASCADE &&
		   irq_take(f->line) && ioapic_wire_pci(f->line)) {
		d->irq_kind = BH_DEVICE_IRQ_INTX;
		d->irqs = 1;
		d->irq = f->line;
	}
}

static const char *give(struct device *d, struct partition *holder, const struct handle *handle)
{
	const char *problem = iommu_present() ? iommu_attach(d->pci->address, holder) : NULL;

	if (problem)
		return wrong("the device %s cannot be given to %s: %s", d->pci->name, holder->name, problem);
	d->holder = holder;
	pci_device_reset(d->pci, 0); /* at rest from now on */
	if (!pci_device_prepare(d->pci) || !device_map_bars(d))
		return wrong("the registers of the device %s cannot be mapped: no room, or memory is there",
			     d->pci->name);
	if (handle_add(holder, handle) < 0)
		return wrong("more grants than the %u that a partition can hold", holder->handle_max);
	choose_interrupts(d);
	if (!d->irqs)
		log_printf("%s: its device %s has no interrupt: no message is to be had, and its line %u will not do",
			   holder->name, d->pci->name, d->pci->line);
	if (!iommu_present())
		log_printf("WARNING: no IOMMU: %s can read and write all memory by its device %s", holder->name,
			   d->pci->name);
	return NULL;
}

const char *device_grant(struct partition *holder, uint32_t by, uint32_t number, const char *name)
{
	struct device *d = by == CONFIG_DEVICE_ADDRESS ? find(number) : NULL;
	struct handle handle = { .object = d, .type = BH_HANDLE_DEVICE, .rights = BH_RIGHT_USE };
	const char *problem;

	if (!d && by == CONFIG_DEVICE_CLASS)
		return wrong("no PCI device of class %02x:%02x is there that nobody else has: `pci` lists them",
			     number >> 8, number & 0xff);
	if (!d)
		return wrong("there is no PCI device %04x:%02x:%02x.%x: `pci` lists them", number >> 16,
			     number >> 8 & 0xff, number >> 3 & 0x1f, number & 7);
	bh_snprintf(handle.name, sizeof(handle.name), "%s", name ? name : d->pci->name);
	problem = check(d, holder);
	return problem ? problem : give(d, holder, &handle);
}

/* ---- in words ------------------------------------------------------------------------------------ */

static char list[LIST_BYTES];
static struct report_words words = { .text = list, .size = LIST_BYTES };

void device_list(void)
{
	for (unsigned i = 0; i < pci_function_count; i++) {
		const struct pci_function *f = &pci_functions[i];
		const struct partition *holder = devices[i].holder;

		report_say(&words, "%s  %04x:%04x  %06x  %s%s\n", f->name, f->id & 0xffff, f->id >> 16, f->class_code,
			   holder ? holder->name : "-", f->words);
	}
}

int64_t device_text(uint64_t offset) { return report_word(list, words.bytes, offset); }
