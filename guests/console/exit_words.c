#include "exit_words.h"
#include "guests/lib/bh_format.h"
#include <bulkhead/abi.h>
#include <stdbool.h>
#include <stddef.h>

static const char *const reasons[] = BH_EXIT_NAMES;

struct name {
	uint32_t number;
	const char *name;
};

static const struct name msrs[] = {
	{ 0x10, "TSC" },
	{ 0x1b, "APIC_BASE" },
	{ 0x3a, "FEATURE_CONTROL" },
	{ 0x48, "SPEC_CTRL" },
	{ 0x8b, "BIOS_SIGN_ID" },
	{ 0xfe, "MTRRCAP" },
	{ 0x10a, "ARCH_CAPABILITIES" },
	{ 0x174, "SYSENTER_CS" },
	{ 0x179, "MCG_CAP" },
	{ 0x1a0, "MISC_ENABLE" },
	{ 0x277, "PAT" },
	{ 0x2ff, "MTRR_DEF_TYPE" },
	{ 0x6e0, "TSC_DEADLINE" },
	{ 0x802, "x2APIC ID" },
	{ 0x808, "x2APIC TPR" },
	{ 0x80b, "x2APIC EOI" },
	{ 0x80f, "x2APIC SVR" },
	{ 0x830, "x2APIC ICR" },
	{ 0x832, "x2APIC LVT timer" },
	{ 0x838, "x2APIC timer count" },
	{ 0x83f, "x2APIC self IPI" },
	{ 0xda0, "XSS" },
	{ 0xc0000080, "EFER" },
	{ 0xc0000081, "STAR" },
	{ 0xc0000082, "LSTAR" },
	{ 0xc0000084, "FMASK" },
	{ 0xc0000102, "KERNEL_GS_BASE" },
	{ 0xc0000103, "TSC_AUX" },
};

static const struct name hypercalls[] = {
	{ BH_NULL, "BH_NULL" },
	{ BH_LOG, "BH_LOG" },
	{ BH_WAIT, "BH_WAIT" },
	{ BH_EVENT_SIGNAL, "BH_EVENT_SIGNAL" },
	{ BH_EXIT, "BH_EXIT" },
	{ BH_REPORT, "BH_REPORT" },
	{ BH_CHANNEL_BIND, "BH_CHANNEL_BIND" },
	{ BH_CHANNEL_SIGNAL, "BH_CHANNEL_SIGNAL" },
	{ BH_CHANNEL_STAT, "BH_CHANNEL_STAT" },
	{ BH_IRQ_BIND, "BH_IRQ_BIND" },
	{ BH_GUEST_MSI, "BH_GUEST_MSI" },
	{ BH_GUEST_APIC, "BH_GUEST_APIC" },
	{ BH_GUEST_END, "BH_GUEST_END" },
	{ BH_PARTITION_CONTROL, "BH_PARTITION_CONTROL" },
	{ BH_PARTITION_STAT, "BH_PARTITION_STAT" },
	{ BH_PARTITION_REPORT, "BH_PARTITION_REPORT" },
	{ BH_PARTITION_TRACE, "BH_PARTITION_TRACE" },
	{ BH_MACHINE_STAT, "BH_MACHINE_STAT" },
	{ BH_MACHINE_TEXT, "BH_MACHINE_TEXT" },
	{ BH_MACHINE_CONTROL, "BH_MACHINE_CONTROL" },
	{ BH_GUEST_DOORBELL, "BH_GUEST_DOORBELL" },
	{ BH_DEVICE_READ, "BH_DEVICE_READ" },
	{ BH_DEVICE_WRITE, "BH_DEVICE_WRITE" },
	{ BH_DEVICE_STAT, "BH_DEVICE_STAT" },
	{ BH_DEVICE_MASTER, "BH_DEVICE_MASTER" },
	{ BH_DEVICE_IRQ_BIND, "BH_DEVICE_IRQ_BIND" },
	{ BH_DEVICE_DMA, "BH_DEVICE_DMA" },
	{ BH_IMAGE_CREATE, "BH_IMAGE_CREATE" },
	{ BH_IMAGE_WRITE, "BH_IMAGE_WRITE" },
	{ BH_IMAGE_REMOVE, "BH_IMAGE_REMOVE" },
	{ BH_IMAGE_STAT, "BH_IMAGE_STAT" },
	{ BH_PARTITION_CREATE, "BH_PARTITION_CREATE" },
	{ BH_PARTITION_REMOVE, "BH_PARTITION_REMOVE" },
};
_Static_assert(sizeof(hypercalls) / sizeof(hypercalls[0]) == BH_HYPERCALL_END - BH_HYPERCALL_BASE,
	       "a hypercall has no name here");

static const struct name exceptions[] = {
	{ 0, "divide error" },
	{ 1, "debug" },
	{ 2, "NMI" },
	{ 3, "breakpoint" },
	{ 6, "invalid opcode" },
	{ 7, "device not available" },
	{ 8, "double fault" },
	{ 13, "general protection" },
	{ 14, "page fault" },
	{ 17, "alignment check" },
	{ 18, "machine check" },
};

static const struct name ports[] = {
	{ 0x20, "8259" },  { 0x21, "8259" },  { 0x40, "8254" },	 { 0x43, "8254" },  { 0x60, "i8042" },
	{ 0x61, "NMI" },   { 0x64, "i8042" }, { 0x70, "RTC" },	 { 0x71, "RTC" },   { 0x80, "delay" },
	{ 0xa0, "8259" },  { 0xa1, "8259" },  { 0xcf8, "PCI" },	 { 0xcfc, "PCI" },  { 0x3f8, "COM1" },
	{ 0x3f9, "COM1" }, { 0x3fa, "COM1" }, { 0x3fb, "COM1" }, { 0x3fc, "COM1" }, { 0x3fd, "COM1" },
	{ 0x3fe, "COM1" }, { 0x3ff, "COM1" },
};

#define FIND(table, number) find(table, sizeof(table) / sizeof(table[0]), number)

static const char *find(const struct name *table, size_t count, uint64_t number)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].number == number)
			return table[i].name;
	return NULL;
}

/* "what number", and the number's name if it has one. */
static void named(char *text, const char *what, uint64_t number, const char *name)
{
	bh_snprintf(text, EXIT_WORDS_BYTES, name ? "%s %#llx (%s)" : "%s %#llx", what, (unsigned long long)number,
		    name);
}

static void pio(char *text, uint64_t detail)
{
	bool in = detail & 8, string = detail & 0x10;
	uint64_t port = detail >> 16 & 0xffff;

	named(text, in ? (string ? "ins" : "in") : (string ? "outs" : "out"), port, FIND(ports, port));
}

static void control_register(char *text, uint64_t detail)
{
	static const char *const access[] = { "mov to", "mov from", "clts on", "lmsw to" };

	bh_snprintf(text, EXIT_WORDS_BYTES, "%s cr%u", access[detail >> 4 & 3], (unsigned)(detail & 0xf));
}

static void hypercall(char *text, uint64_t number)
{
	const char *name = FIND(hypercalls, number);

	if (name)
		bh_snprintf(text, EXIT_WORDS_BYTES, "hypercall %s", name);
	else
		named(text, "hypercall", number, NULL);
}

const char *exit_words(char text[EXIT_WORDS_BYTES], uint64_t reason, uint64_t detail)
{
	switch (reason) {
	case BH_EXIT_PIO: pio(text, detail); break;
	case BH_EXIT_HYPERCALL: hypercall(text, detail); break;
	case BH_EXIT_MSR_READ:
	case BH_EXIT_MSR_WRITE:
		named(text, reasons[reason], detail & UINT32_MAX, FIND(msrs, detail & UINT32_MAX));
		break;
	case BH_EXIT_EXCEPTION: named(text, reasons[reason], detail & 0xff, FIND(exceptions, detail & 0xff)); break;
	case BH_EXIT_CPUID: named(text, reasons[reason], detail & UINT32_MAX, NULL); break;
	case BH_EXIT_CONTROL_REGISTER: control_register(text, detail); break;
	case BH_EXIT_HLT:
	case BH_EXIT_TIMER:
	case BH_EXIT_INTERRUPT_WINDOW:
	case BH_EXIT_NMI: bh_snprintf(text, EXIT_WORDS_BYTES, "%s", reasons[reason]); break;
	default:
		if (reason < BH_EXIT_REASONS)
			named(text, reasons[reason], detail, NULL);
		else
			named(text, "unknown exit", reason, NULL);
	}
	return text;
}
