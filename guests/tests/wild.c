/*
 * wild.c: has QEMU's edu, which copies to and from memory, copy what is its own, and then try what is not: the
 * addresses that follow in its arguments, hexadecimal, written and read. Then it waits, so that who manages the machine
 * can look.
 */
#include "bh.h"
#include "terminal.h"

#define EDU_ID	   0x11e81234
#define EDU_BUFFER 0x40000u /* the device's own memory */
#define EVENT	   3
#define PAGE	   4096u
#define PIECE	   2048u /* QEMU 7.2 ends when all of the buffer is copied */

enum edu { EDU_RAISED = 0x24, EDU_DONE = 0x64, EDU_FROM = 0x80, EDU_TO = 0x88, EDU_BYTES = 0x90, EDU_COMMAND = 0x98 };
enum edu_command { EDU_START = 1, EDU_TO_MEMORY = 2, EDU_INTERRUPT = 4 };

static struct terminal terminal;
static volatile uint8_t *edu;

#define say(...) terminal_printf(&terminal, "wild: " __VA_ARGS__)

static const struct bh_info_handle *find(void)
{
	for (unsigned i = 0; i < bh_info()->handles; i++) {
		const struct bh_info_handle *device = &bh_info()->handle[i];

		if (device->type == BH_HANDLE_DEVICE &&
		    bh_call3(BH_DEVICE_STAT, device->handle, BH_DEVICE_ID, 0) == EDU_ID)
			return device;
	}
	bh_fail("no edu was granted\n");
}

static void open_edu(const struct bh_info_handle *device)
{
	uint64_t address = (uint64_t)bh_call3(BH_DEVICE_STAT, device->handle, BH_DEVICE_BAR_ADDRESS, 0);
	uint64_t bytes = (uint64_t)bh_call3(BH_DEVICE_STAT, device->handle, BH_DEVICE_BAR_BYTES, 0);

	if (!bh_map(address, bytes))
		bh_fail("the edu's registers cannot be mapped\n");
	edu = (volatile uint8_t *)address;
	if (bh_call4(BH_DEVICE_IRQ_BIND, device->handle, 0, 0, EVENT) || bh_call2(BH_DEVICE_MASTER, device->handle, 1))
		bh_fail("no interrupt or no bus mastering\n");
}

static void set(unsigned offset, uint64_t value) { *(volatile uint64_t *)(edu + offset) = value; }

/* Copies a piece; whether its interrupt came. */
static bool copy(uint64_t address, bool to_memory)
{
	bool came;

	set(EDU_FROM, to_memory ? EDU_BUFFER : address);
	set(EDU_TO, to_memory ? address : EDU_BUFFER);
	set(EDU_BYTES, PIECE);
	set(EDU_COMMAND, EDU_START | EDU_INTERRUPT | (to_memory ? EDU_TO_MEMORY : 0));
	came = bh_call3(BH_WAIT, 1 << EVENT, bh_rdtsc() + bh_ticks_ms(3000), 0) > 0;
	*(volatile uint32_t *)(edu + EDU_DONE) = *(volatile uint32_t *)(edu + EDU_RAISED);
	return came;
}

static unsigned sum(const volatile uint8_t *bytes)
{
	unsigned total = 0;

	for (unsigned i = 0; i < PIECE; i++)
		total += bytes[i];
	return total;
}

static void try_own(const struct bh_info_handle *device)
{
	uint8_t *pages = bh_alloc(2 * PAGE, PAGE);
	uint64_t from = (uint64_t)bh_call2(BH_DEVICE_DMA, device->handle, (uint64_t)pages);
	unsigned interrupts;

	memset(pages, 0x5a, PAGE);
	interrupts = copy(from, false);
	interrupts += copy(from + PAGE, true);
	say("at %s address, %u interrupts, sum %u of %u\r\n", from == (uint64_t)pages ? "its own" : "another",
	    interrupts, sum(pages + PAGE), 0x5a * PIECE);
}

static void try_others(const char *at)
{
	while (*at) {
		uint64_t address = 0;

		for (; *at && *at != ' '; at++)
			address = address << 4 | (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
		at += *at == ' ';
		say("%x: written, %u interrupts\r\n", (unsigned)address, copy(address, true));
		copy(address, false);
	}
}

int main(unsigned vcpu)
{
	const struct bh_info_handle *device;

	if (vcpu != 0)
		return 0;
	if (!terminal_open_console(&terminal, vcpu, 0))
		bh_fail("no channel \"console\"\n");
	device = find();
	open_edu(device);
	say("IOMMU %u\r\n", (unsigned)bh_call3(BH_DEVICE_STAT, device->handle, BH_DEVICE_IOMMU, 0));
	try_own(device);
	try_others(bh_info()->command);
	say("done\r\n");
	bh_call3(BH_WAIT, 0, BH_FOREVER, 0);
	return 0;
}
