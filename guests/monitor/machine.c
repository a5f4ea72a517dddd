/* machine.c: puts the devices together and joins them to the kernel's hypercalls. */
#include "machine.h"
#include "legacy.h"
#include "network.h"

#define GUEST_VCPUS_MAX 16

_Noreturn void machine_fail(const struct machine *machine, const char *format, ...)
{
	char text[256];
	va_list list;

	va_start(list, format);
	bh_vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	bh_report("%s\n", text);
	machine_end(machine, BH_END_FAILURE);
}

_Noreturn void machine_end(const struct machine *machine, enum bh_end how)
{
	bh_call2(BH_GUEST_END, machine->guest, how);
	bh_fail("the kernel would not end the guest\n"); /* then the monitor's end does */
}

/* ---- what devices ask for ----------------------------------------------------------------------
 */

static uint64_t now(void *context)
{
	(void)context;
	return bh_rdtsc();
}

static void power_off(void *context) { machine_end(context, BH_END_POWEROFF); }

static void reset(void *context) { machine_end(context, BH_END_RESET); }

static void deliver_msi(void *context, uint64_t address, uint32_t data)
{
	const struct machine *machine = context;

	/* A guest's nonsense (a vector below 16, nobody at that address) is lost, as on the bus. */
	bh_call3(BH_GUEST_MSI, machine->guest, address, data);
}

/* ISA interrupts go to both controllers; the timer's is at pin 2 of the I/O APIC (MADT, acpi.c). */
static void set_irq(void *context, unsigned irq, bool level)
{
	struct machine *machine = context;

	pic_set(&machine->pic, irq, level);
	ioapic_set(&machine->ioapic, irq == 0 ? 2 : irq, level);
}

static void deadline_changed(void *context)
{
	const struct machine *machine = context;

	bh_call2(BH_EVENT_SIGNAL, machine->vcpus, 1ull << MACHINE_EVENT_TIMER);
}

/* Without a console whatever is written vanishes, as on a serial port with no cable. */
static bool put_character(void *context, uint8_t byte)
{
	struct machine *machine = context;

	return !machine->has_terminal || terminal_write(&machine->terminal, &byte, 1) == 1;
}

static int get_character(void *context)
{
	struct machine *machine = context;
	uint8_t byte;

	if (!machine->has_terminal || terminal_read(&machine->terminal, &byte, 1) != 1)
		return -1;
	return byte;
}

/* ---- assembly -----------------------------------------------------------------------------------
 */

static void init_devices(struct machine *machine)
{
	const struct bh_info *info = bh_info();
	struct uart_outside uart = { put_character, get_character, machine };
	struct ioapic_outside ioapic = { deliver_msi, machine };
	struct pit_outside pit = { now, deadline_changed, machine, info->tsc_hz };
	struct rtc_outside rtc = { now, machine, info->tsc_hz, info->wall_seconds, info->wall_tsc };
	struct pm_outside pm = { now, power_off, machine, info->tsc_hz };
	struct pci_outside pci = { reset, machine };

	uart_init(&machine->uart, &uart, &(struct wire){ set_irq, machine, 4 });
	ioapic_init(&machine->ioapic, &ioapic);
	pic_init(&machine->pic);
	pit_init(&machine->pit, &pit, &(struct wire){ set_irq, machine, 0 });
	rtc_init(&machine->rtc, &rtc);
	pm_init(&machine->pm, &pm);
	pci_init(&machine->pci, &pci);
	pvclock_init(&machine->pvclock, &machine->memory, info->tsc_hz, bh_rdtsc(), info->wall_seconds, info->wall_tsc);
}

/* Every port of the virtual PC; README.md has the same as a table. */
static void connect_ports(struct machine *machine)
{
	/* read, write, device, first, last, count (0: not known yet), byte-wide */
	const struct port_range ranges[] = {
		{ pic_read, pic_write, &machine->pic, 0x20, 0x21, 0, true },
		{ pit_read, pit_write, &machine->pit, 0x40, 0x43, 0, true },
		{ legacy_read, legacy_write, machine, 0x60, 0x64, 0, true },
		{ rtc_read, rtc_write, &machine->rtc, 0x70, 0x71, 0, true },
		{ legacy_read_80, legacy_write_80, machine, 0x80, 0x80, 0, true },
		{ legacy_read_92, legacy_write_92, machine, 0x92, 0x92, 0, true },
		{ pic_read, pic_write, &machine->pic, 0xa0, 0xa1, 0, true },
		{ uart_read, uart_write, &machine->uart, 0x3f8, 0x3ff, 0, true },
		{ pic_read_elcr, pic_write_elcr, &machine->pic, 0x4d0, 0x4d1, 0, true },
		{ pm_read, pm_write, &machine->pm, PM_PORT, PM_LAST, 0, false },
		{ pci_read, pci_write, &machine->pci, PCI_PORT, PCI_LAST, 0, false },
		{ legacy_read_hook, legacy_write_hook, machine, 0x4242, 0x4245, 0, false },
	};

	machine->ports.read_other = pci_read_port;
	machine->ports.write_other = pci_write_port;
	machine->ports.other = &machine->pci;
	for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (!ports_add(&machine->ports, &ranges[i]))
			machine_fail(machine, "port %#x is given to two devices", ranges[i].first);
}

/* Is `word` one of the words in `text`? */
static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += length)
		if ((at == text || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return true;
	return false;
}

/* The partition that this monitor may look after. */
static bh_handle find_guest(void)
{
	const struct bh_info *info = bh_info();

	for (uint32_t i = 0; i < info->handles && i < BH_INFO_HANDLES; i++)
		if (info->handle[i].type == BH_HANDLE_PARTITION && info->handle[i].rights & BH_RIGHT_MONITOR)
			return info->handle[i].handle;
	return BH_NO_HANDLE;
}

static void check_info(const struct machine *machine)
{
	const struct bh_info *info = bh_info();

	if (machine->guest == BH_NO_HANDLE)
		bh_fail("no partition to monitor among %u handles\n", info->handles);
	if (!info->tsc_hz)
		machine_fail(machine, "the TSC's frequency is not known");
	if (!info->guest_vcpus || info->guest_vcpus > GUEST_VCPUS_MAX || info->vcpus != info->guest_vcpus + 1)
		machine_fail(machine, "%u vCPUs cannot monitor %u (1 to %u, and one more here)", info->vcpus,
			     info->guest_vcpus, GUEST_VCPUS_MAX);
}

void machine_init(struct machine *machine, void *window, const struct bh_network_records *networks)
{
	const struct bh_info *info = bh_info();

	machine->guest = find_guest();
	machine->vcpus = info->guest_vcpus;
	check_info(machine);
	guest_memory_init(&machine->memory, window, info->guest_memory_bytes);
	machine->test_hooks = has_word(info->command, "bulkhead.testhooks");
	machine->invalid_state = machine->test_hooks && has_word(info->command, "bulkhead.invalid-state");
	machine->has_terminal = terminal_open_console(&machine->terminal, machine->vcpus, MACHINE_EVENT_TERMINAL);
	if (!machine->has_terminal)
		bh_printf("monitor of %s: no console channel, COM1 goes nowhere\n", info->guest_name);
	init_devices(machine);
	connect_ports(machine);
	network_init(machine, networks);
}

uint64_t machine_service(struct machine *machine, uint64_t events)
{
	uint64_t now = bh_rdtsc(), deadline;

	if (events >> MACHINE_EVENT_TERMINAL & 1)
		uart_service(&machine->uart);
	if (events >> MACHINE_EVENT_TIMER & 1 || now >= machine->deadline) {
		pit_service(&machine->pit);
		machine->deadline = pit_deadline(&machine->pit);
	}
	deadline = network_service(machine, events, now);
	return deadline < machine->deadline ? deadline : machine->deadline;
}
