/*
 * granted.c: uses each kind of grant that a native can have, and says what came of it: ports (the CMOS clock's and,
 * with them, that they answer), an interrupt, an image, a neighbour to inspect or to control, the machine.
 */
#include "bh.h"
#include "terminal.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
#define REGISTER_B 0x0b
#define REGISTER_C 0x0c
#define UPDATES	   0x10 /* register B: an interrupt each second */
#define EVENT_IRQ  3

static struct terminal terminal;

static uint8_t cmos(uint8_t index)
{
	uint8_t value;

	__asm__ volatile("outb %b1, %2\n\tinb %3, %0"
			 : "=a"(value)
			 : "a"(index), "Nd"((uint16_t)CMOS_INDEX), "Nd"((uint16_t)CMOS_DATA));
	return value;
}

static void cmos_set(uint8_t index, uint8_t value)
{
	__asm__ volatile("outb %b0, %1" : : "a"(index), "Nd"((uint16_t)CMOS_INDEX));
	__asm__ volatile("outb %b0, %1" : : "a"(value), "Nd"((uint16_t)CMOS_DATA));
}

static void use_image(const struct bh_info_handle *image)
{
	const uint8_t *bytes = (const uint8_t *)image->address;
	uint32_t sum = 0;

	if (!bh_map(image->address, image->bytes))
		bh_fail("no page tables for the image\n");
	for (uint64_t i = 0; i < image->bytes; i++)
		sum += bytes[i];
	terminal_printf(&terminal, "granted: image %s of %u bytes, sum %u\r\n", image->name, (unsigned)image->bytes,
			sum);
}

static void use_partition(const struct bh_info_handle *other)
{
	int state = (int)bh_call3(BH_PARTITION_STAT, other->handle, BH_STAT_STATE, 0);
	int stop = (int)bh_call2(BH_PARTITION_CONTROL, other->handle, BH_STOP);

	terminal_printf(&terminal, "granted: partition %s rights %x state %d stop %d\r\n", other->name, other->rights,
			state, stop);
}

/* The clock's update interrupt, once a second; reading register C lets the next one come. */
static void use_interrupt(const struct bh_info_handle *irq)
{
	int bound = (int)bh_call3(BH_IRQ_BIND, irq->handle, 0, EVENT_IRQ);
	unsigned came = 0;

	cmos_set(REGISTER_B, cmos(REGISTER_B) | UPDATES);
	cmos(REGISTER_C);
	while (came < 2 && bh_call3(BH_WAIT, 1 << EVENT_IRQ, bh_rdtsc() + bh_ticks_ms(5000), 0) > 0) {
		came++;
		cmos(REGISTER_C);
	}
	cmos_set(REGISTER_B, cmos(REGISTER_B) & (uint8_t)~UPDATES);
	terminal_printf(&terminal, "granted: %s bound %d came %u\r\n", irq->name, bound, came);
}

static void use(const struct bh_info_handle *handle)
{
	switch (handle->type) {
	case BH_HANDLE_IMAGE: use_image(handle); break;
	case BH_HANDLE_PARTITION: use_partition(handle); break;
	case BH_HANDLE_IRQ: use_interrupt(handle); break;
	case BH_HANDLE_MACHINE:
		terminal_printf(&terminal, "granted: machine of %d CPUs\r\n",
				(int)bh_call3(BH_MACHINE_STAT, handle->handle, BH_MACHINE_CPUS, 0));
		break;
	}
}

int main(unsigned vcpu)
{
	const struct bh_info *info = bh_info();

	if (vcpu != 0)
		return 0;
	if (!terminal_open_console(&terminal, vcpu, 0))
		bh_fail("no channel \"console\"\n");
	/* Register D says whether the clock has its power: bit 7 alone on a machine that works. */
	terminal_printf(&terminal, "granted: ports answer %x\r\n", cmos(0x0d));
	for (unsigned i = 0; i < info->handles; i++)
		use(&info->handle[i]);
	terminal_printf(&terminal, "granted: done\r\n");
	return 0;
}
