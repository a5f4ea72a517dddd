/*
 * device.c: uses the PCI devices that it was granted, and says what came of it: QEMU's edu (DMA, MSI), e1000 (INTx) and
 * e1000e (MSI-X). With the argument "leave" it ends while the edu's DMA is under way, and looks in its next life
 * whether any of it has come.
 */
#include "bh.h"
#include "terminal.h"

#define EDU    0x11e81234u
#define E1000  0x100e8086u
#define E1000E 0x10d38086u

#define EVENT 3
#define PAGE  4096u
#define COPY  (PAGE - 8) /* QEMU 7.2 aborts at a whole one */

static struct terminal terminal;

#define say(...) terminal_printf(&terminal, "device: " __VA_ARGS__)

static int stat(const struct bh_info_handle *device, enum bh_device_stat field, unsigned index)
{
	return (int)bh_call3(BH_DEVICE_STAT, device->handle, field, index);
}

static volatile uint32_t *registers(const struct bh_info_handle *device, unsigned bar)
{
	uint64_t address = (uint64_t)bh_call3(BH_DEVICE_STAT, device->handle, BH_DEVICE_BAR_ADDRESS, bar);

	if (!address || !bh_map(address, (uint64_t)stat(device, BH_DEVICE_BAR_BYTES, bar)))
		bh_fail("BAR %u is not there\n", bar);
	return (volatile uint32_t *)address;
}

/* What of the configuration space can be written: the sum of the results. */
static void try_configuration(const struct bh_info_handle *device)
{
	static const struct {
		uint16_t offset, bytes;
	} kept[] = { { 0x04, 2 }, { 0x10, 4 }, { 0x0c, 1 }, { 0x30, 4 }, { 0x3c, 1 }, { 0x100, 4 } };
	unsigned refused = 0;

	for (unsigned i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		refused += bh_call4(BH_DEVICE_WRITE, device->handle, kept[i].offset, kept[i].bytes, 0) == -BH_EPERM;
	say("%s id %x class %x irqs %d kind %d command %x, %u of 6 refused\r\n", device->name,
	    (unsigned)stat(device, BH_DEVICE_ID, 0), (unsigned)stat(device, BH_DEVICE_CLASS, 0),
	    stat(device, BH_DEVICE_IRQS, 0), stat(device, BH_DEVICE_IRQ_KIND, 0),
	    (unsigned)bh_call3(BH_DEVICE_READ, device->handle, 4, 2), refused);
}

static bool bind(const struct bh_info_handle *device, unsigned index)
{
	return bh_call4(BH_DEVICE_IRQ_BIND, device->handle, index, 0, EVENT) == 0;
}

static bool interrupted(unsigned milliseconds)
{
	return bh_call3(BH_WAIT, 1 << EVENT, bh_rdtsc() + bh_ticks_ms(milliseconds), 0) > 0;
}

/* ---- edu ----------------------------------------------------------------------------------------- */

enum edu {
	EDU_INVERTS = 0x04,
	EDU_RAISED = 0x24,
	EDU_DONE = 0x64,
	EDU_FROM = 0x80,
	EDU_TO = 0x88,
	EDU_BYTES = 0x90,
	EDU_COMMAND = 0x98,
	EDU_BUFFER = 0x40000
};
enum edu_command { EDU_START = 1, EDU_TO_MEMORY = 2, EDU_INTERRUPT = 4 };

static void edu_set(volatile uint32_t *edu, unsigned offset, uint64_t value)
{
	*(volatile uint64_t *)(edu + offset / 4) = value;
}

/* Begins to copy a page; the device takes its time. */
static void edu_copy(volatile uint32_t *edu, const struct bh_info_handle *device, const void *memory, unsigned how)
{
	uint64_t address = (uint64_t)bh_call2(BH_DEVICE_DMA, device->handle, (uint64_t)memory);

	edu_set(edu, EDU_FROM, how & EDU_TO_MEMORY ? EDU_BUFFER : address);
	edu_set(edu, EDU_TO, how & EDU_TO_MEMORY ? address : EDU_BUFFER);
	edu_set(edu, EDU_BYTES, COPY);
	edu_set(edu, EDU_COMMAND, EDU_START | how);
}

static bool edu_finish(volatile uint32_t *edu)
{
	bool came = interrupted(5000);

	edu[EDU_DONE / 4] = edu[EDU_RAISED / 4];
	return came;
}

static unsigned sum(const volatile uint8_t *bytes)
{
	unsigned total = 0;

	for (unsigned i = 0; i < PAGE; i++)
		total += bytes[i];
	return total;
}

static void edu_round(volatile uint32_t *edu, const struct bh_info_handle *device, uint8_t *from, uint8_t *to)
{
	unsigned interrupts;

	memset(from, 0x5a, PAGE);
	edu_copy(edu, device, from, EDU_INTERRUPT);
	interrupts = edu_finish(edu);
	edu_copy(edu, device, to, EDU_TO_MEMORY | EDU_INTERRUPT);
	interrupts += edu_finish(edu);
	say("edu copied, %u interrupts, sum %u of %u\r\n", interrupts, sum(to), 0x5a * COPY);
}

static void use_edu(const struct bh_info_handle *device)
{
	volatile uint32_t *edu = registers(device, 0);
	uint8_t *pages = bh_alloc(3 * PAGE, PAGE);
	bool leaves = bh_info()->command[0] == 'l';

	edu[EDU_INVERTS / 4] = 0x12345678;
	say("edu inverts to %x\r\n", edu[EDU_INVERTS / 4]);
	if (leaves && bh_info()->restarts) {
		bh_sleep_ms(500);
		say("edu left %u\r\n", sum(pages + PAGE));
		return;
	}
	/* It cannot say that it is done: bus mastering is what messages come by. */
	edu_copy(edu, device, pages + 2 * PAGE, EDU_TO_MEMORY);
	bh_sleep_ms(300);
	say("bound %d master %d\r\n", bind(device, 0), (int)bh_call2(BH_DEVICE_MASTER, device->handle, 1));
	edu_round(edu, device, pages, pages + PAGE);
	if (leaves) {
		edu_copy(edu, device, pages + PAGE, EDU_TO_MEMORY);
		bh_fail("leaves\n");
	}
	bh_call2(BH_DEVICE_MASTER, device->handle, 0);
	edu_copy(edu, device, pages + 2 * PAGE, EDU_TO_MEMORY);
	bh_sleep_ms(300);
	say("edu without bus mastering: sum %u\r\n", sum(pages + 2 * PAGE));
}

/* ---- Intel's network cards ------------------------------------------------------------------------ */

/* 82540EM manual, 13.4.17 to 13.4.21; 82574L data sheet, 10.2.4. */
enum nic { NIC_CAUSE = 0xc0, NIC_RAISE = 0xc8, NIC_ENABLE = 0xd0, NIC_DISABLE = 0xd8, NIC_VECTORS = 0xe4 };

/* `cause` is raised three times; how often it was heard of. Bound anew each time, as INTx must be. */
static unsigned raise(const struct bh_info_handle *device, volatile uint32_t *nic, unsigned index, uint32_t cause)
{
	unsigned came = 0;

	nic[NIC_DISABLE / 4] = ~0u;
	(void)nic[NIC_CAUSE / 4];
	nic[NIC_ENABLE / 4] = cause;
	for (unsigned i = 0; i < 3 && bind(device, index); i++) {
		nic[NIC_RAISE / 4] = cause;
		came += interrupted(3000);
		(void)nic[NIC_CAUSE / 4];
		nic[NIC_CAUSE / 4] = ~0u;
	}
	nic[NIC_DISABLE / 4] = ~0u;
	return came;
}

static void use_nic(const struct bh_info_handle *device, unsigned index, uint32_t cause)
{
	volatile uint32_t *nic = registers(device, 0);

	bh_call2(BH_DEVICE_MASTER, device->handle, 1);
	if (index)
		nic[NIC_VECTORS / 4] = (8 | index) << 16;
	say("nic interrupts: %u came\r\n", raise(device, nic, index, cause));
}

int main(unsigned vcpu)
{
	const struct bh_info *info = bh_info();

	if (vcpu != 0)
		return 0;
	if (!terminal_open_console(&terminal, vcpu, 0))
		bh_fail("no channel \"console\"\n");
	for (unsigned i = 0; i < info->handles; i++) {
		const struct bh_info_handle *device = &info->handle[i];

		if (device->type != BH_HANDLE_DEVICE)
			continue;
		try_configuration(device);
		switch ((uint32_t)stat(device, BH_DEVICE_ID, 0)) {
		case EDU: use_edu(device); break;
		case E1000: use_nic(device, 0, 1 << 2); break;
		case E1000E: use_nic(device, 2, 1 << 24); break;
		}
	}
	say("life %u done\r\n", info->restarts);
	for (;;)
		bh_call3(BH_WAIT, 0, BH_FOREVER, 0);
}
